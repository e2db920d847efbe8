package carousel.tensor.cpu;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Formula;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Runs formulas on all their operands as one job, cut into pieces by size. */
final class FormulaJob implements IntConsumer {
  /** In the place of a row's number. */
  private static final int NONE = -1;

  private final CallRows[] parts;

  /** The number of the first task of each part, and of all tasks. */
  private final int[] firstTask;

  private FormulaJob(CallRows[] parts) {
    this.parts = parts;
    this.firstTask = new int[parts.length + 1];
    for (int p = 0; p < parts.length; p++) {
      firstTask[p + 1] = firstTask[p] + parts[p].tasks();
    }
  }

  /** A job for calls, or null if one of them has no loop. */
  static @Nullable FormulaJob of(List<Formula.Call> calls, Table table) {
    CallRows[] parts = new CallRows[calls.size()];
    for (int p = 0; p < parts.length; p++) {
      Formula.Call call = calls.get(p);
      FormulaLoop loop = table.formula(call.formula(), call.targets().getFirst().dtype());
      if (loop == null) {
        return null;
      }
      parts[p] = new CallRows(loop, call);
    }
    return new FormulaJob(parts);
  }

  void run() {
    Workers.parallel(firstTask[parts.length], this);
  }

  @Override
  public void accept(int task) {
    int p = 0;
    while (task >= firstTask[p + 1]) {
      p++;
    }
    parts[p].run(task - firstTask[p]);
  }

  /** One call, as rows of elements that lie side by side; without an index, one row. */
  private static final class CallRows {
    private final FormulaLoop loop;
    private final Element element;
    private final double[] constants;
    private final Tensor[] operands;
    private final int inputs;
    private final @Nullable Tensor index;
    private final int count;
    private final long width;

    CallRows(FormulaLoop loop, Formula.Call call) {
      this.loop = loop;
      this.inputs = call.inputs().size();
      this.operands = new Tensor[inputs + call.targets().size()];
      for (int k = 0; k < operands.length; k++) {
        operands[k] = k < inputs ? call.inputs().get(k) : call.targets().get(k - inputs);
      }
      this.element = Element.of(operands[0].dtype());
      this.constants = call.constants().stream().mapToDouble(Formula.Scalar::value).toArray();
      this.index = call.rows();
      this.count = index == null ? 1 : index.dim(0);
      requireRowsOfTables();
      this.width = index == null ? operands[0].size() : operands[0].shape().without(0).size();
    }

    /** Addresses are computed from the index, so nothing outside a table may be in it. */
    private void requireRowsOfTables() {
      for (Tensor x : operands) {
        for (int row = 0; index != null && row < count && x.dim(0) != count; row++) {
          int k = Bytes.i32(Engine.address(index) + 4L * row);
          if (k < NONE || k >= x.dim(0)) {
            throw new TensorException("formula: row " + k + " is out of range for " + x.shape());
          }
        }
      }
    }

    int tasks() {
      return Math.toIntExact(
          index == null ? Math.ceilDiv(width, Table.CHEAP) : Math.ceilDiv(count, rowsPerTask()));
    }

    private long rowsPerTask() {
      return Math.max(1, Table.COSTLY / Math.max(1, width));
    }

    void run(int task) {
      int slots = operands.length + constants.length;
      long scratch = Scratch.ofThread().address((long) slots * Loop.SPLAT_BYTES);
      long[] at = new long[slots];
      for (int k = 0; k < constants.length; k++) {
        long number = scratch + (long) (operands.length + k) * Loop.SPLAT_BYTES;
        element.set(number, constants[k]);
        Bytes.splat(number, element.size(), number, Loop.SPLAT_BYTES / element.size());
        at[operands.length + k] = number;
      }
      if (index == null) {
        long from = (long) task * Table.CHEAP;
        piece(0, 0, from, (int) Math.min(width - from, Table.CHEAP), scratch, at);
        return;
      }
      long first = task * rowsPerTask();
      for (long row = first; row < Math.min(count, first + rowsPerTask()); row++) {
        int tableRow = Bytes.i32(Engine.address(index) + 4 * row);
        if (tableRow != NONE) {
          piece(row, tableRow, 0, Math.toIntExact(width), scratch, at);
        }
      }
    }

    /** Elements of one row: those that fill vectors where they lie, the others in scratch. */
    private void piece(long row, int tableRow, long from, int n, long scratch, long[] at) {
      for (int k = 0; k < operands.length; k++) {
        at[k] = at(k, row, tableRow, from);
      }
      int whole = n - n % loop.lanes();
      loop.run(at, whole);
      int rest = (n - whole) * element.size();
      if (rest == 0) {
        return;
      }
      Bytes.clear(scratch, (long) operands.length * Loop.SPLAT_BYTES);
      for (int k = 0; k < operands.length; k++) {
        at[k] = scratch + (long) k * Loop.SPLAT_BYTES;
        if (k < inputs) {
          Bytes.copy(at(k, row, tableRow, from + whole), at[k], rest);
        }
      }
      loop.run(at, loop.lanes());
      for (int k = inputs; k < operands.length; k++) {
        Bytes.copy(at[k], at(k, row, tableRow, from + whole), rest);
      }
    }

    private long at(int k, long row, int tableRow, long from) {
      Tensor x = operands[k];
      boolean table = index != null && x.dim(0) != count;
      return Engine.address(x) + ((table ? tableRow : row) * width + from) * element.size();
    }
  }
}
