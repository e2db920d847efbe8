package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.WholeNumbers;
import carousel.tensor.spi.Memory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reductions over any axes, in one of two forms: contiguous rows are folded one by one ({@link
 * RowFolds}); where rows lie side by side, whole rows are folded into each other. Anything else is
 * copied into rows first.
 */
final class ReduceLoops {
  /** Columns that one task folds. */
  private static final int COLUMNS = 512;

  /** Columns from which on folding whole rows into each other is worth a loop per row. */
  private static final int FEW = 32;

  /** Rows that are summed, in double precision, before their sum is added to that of others. */
  private static final int RUN = 256;

  /** So many sums are added up before they join the total with all that is rounded away. */
  private static final int RUNS = 64;

  private final Table table;
  private final ElementwiseLoops elementwise;
  private final Memory memory;
  private final RowFolds rowFolds;

  ReduceLoops(Table table, ElementwiseLoops elementwise, Memory memory) {
    this.table = table;
    this.elementwise = elementwise;
    this.memory = memory;
    this.rowFolds = new RowFolds(table);
  }

  void reduce(Reduce op, Tensor xTensor, int[] axes, Tensor yTensor) {
    if (yTensor.size() == 0) {
      return;
    }
    var whole = Strided.of(xTensor);
    DType type = xTensor.dtype();
    long n = whole.count() / yTensor.size();
    if (n == 0) {
      elementwise.fill(yTensor, identity(op));
      return;
    }
    // Kept axes first, reduced axes after them.
    int rank = whole.dims().length;
    boolean[] reduced = new boolean[rank];
    for (int axis : axes) {
      reduced[axis] = true;
    }
    int[] order = new int[rank];
    int[] groups = new int[rank];
    int at = 0;
    for (int group = 0; group < 2; group++) {
      for (int k = 0; k < rank; k++) {
        if (reduced[k] == (group == 1)) {
          groups[at] = group;
          order[at++] = k;
        }
      }
    }
    Strided x = Axes.merge(groups, whole.permute(order))[0];
    int kept = 0;
    for (long size = 1; size < yTensor.size(); kept++) {
      size *= x.dims()[kept];
    }
    long y = Engine.address(yTensor);
    int reducedAxes = x.dims().length - kept;
    if (reducedAxes == 0 || (reducedAxes == 1 && x.strides()[kept] == x.size())) {
      rowFolds.run(op, type, x, kept, Math.toIntExact(n), y);
      return;
    }
    Loop columns = columnLoop(op, type);
    if (columns != null
        && kept > 0
        && x.strides()[kept - 1] == x.size()
        && x.dims()[kept - 1] >= FEW) {
      foldColumns(op, type, columns, x, kept, n, y);
      return;
    }
    try (var rows = new TemporaryCopy(memory, op.label(), x)) {
      elementwise.copy(x, type, rows.strided(), type);
      Strided dense = rows.strided();
      rowFolds.run(op, type, dense, kept, Math.toIntExact(n), y);
    }
  }

  private static double identity(Reduce op) {
    return switch (op) {
      case SUM, NORM, WIDE_NORM, ANY -> 0;
      case PROD, ALL -> 1;
      case MEAN -> Double.NaN;
      case LOG_SUM_EXP -> Double.NEGATIVE_INFINITY;
      case MAX, MIN, ARG_MAX, ARG_MIN ->
          throw new IllegalArgumentException(op.label() + " of nothing is not defined");
    };
  }

  /** The loop that folds one row into another, if there is one. */
  private @Nullable Loop columnLoop(Reduce op, DType type) {
    return switch (op) {
      // What is whole adds up in 64 bits, in sumColumns: this loop is not run.
      case SUM, MEAN -> type == DType.F32 ? table.accumulate() : table.binary(Binary.ADD, type);
      case MAX -> table.binary(Binary.MAX, type);
      case MIN -> table.binary(Binary.MIN, type);
      // Products leave the range of F32 and I32 on the way: only rows multiply in a wider type.
      case PROD -> type != DType.F64 ? null : table.binary(Binary.MUL, type);
      case ANY -> table.binary(Binary.OR, type);
      case ALL -> table.binary(Binary.AND, type);
      case LOG_SUM_EXP, NORM, WIDE_NORM, ARG_MAX, ARG_MIN -> null;
    };
  }

  private void foldColumns(Reduce op, DType type, Loop loop, Strided x, int kept, long n, long y) {
    int width = x.dims()[kept - 1];
    int pieces = Math.ceilDiv(width, COLUMNS);
    long outer = 1;
    for (int k = 0; k < kept - 1; k++) {
      outer *= x.dims()[k];
    }
    Strided rows = reducedPart(x, kept);
    Workers.parallel(
        Math.toIntExact(outer * pieces),
        task -> {
          int first = task % pieces * COLUMNS;
          int m = Math.min(COLUMNS, width - first);
          long base = x.row(task / pieces, kept - 1) + (long) first * x.size();
          long to = y + ((long) (task / pieces) * width + first) * x.size();
          long shift = base - x.address();
          if (op == Reduce.SUM || op == Reduce.MEAN) {
            double scale = op == Reduce.MEAN ? n : 1;
            sumColumns(type, loop, rows, shift, n, m, to, scale);
          } else {
            Bytes.copy(rows.address() + shift, to, (long) m * x.size());
            for (long i = 1; i < n; i++) {
              loop.run(to, 1, rows.row(i, rows.dims().length) + shift, 1, to, 1, to, m);
            }
          }
        });
  }

  private void sumColumns(
      DType type, Loop loop, Strided rows, long shift, long n, int m, long to, double scale) {
    int axes = rows.dims().length;
    if (type == DType.I32) {
      wholeColumns(rows, shift, n, m, to);
      return;
    }
    long total = Scratch.ofThread().address(4L * 8 * COLUMNS);
    long lost = total + 8L * COLUMNS;
    long runs = lost + 8L * COLUMNS;
    long part = runs + 8L * COLUMNS;
    Loop add = table.binary(Binary.ADD, DType.F64);
    Bytes.clear(total, 2L * 8 * COLUMNS);
    for (long i = 0; i < n; i += RUN) {
      if (i % (RUNS * RUN) == 0) {
        Bytes.clear(runs, 8L * m);
      }
      Bytes.clear(part, 8L * m);
      for (long row = i; row < Math.min(n, i + RUN); row++) {
        loop.run(rows.row(row, axes) + shift, 1, part, 1, part, 1, part, m);
      }
      add.run(runs, 1, part, 1, part, 1, runs, m);
      if (i + RUN >= n || (i + RUN) % (RUNS * RUN) == 0) {
        Totals.add(Double.BYTES, runs, total, lost, m);
      }
    }
    Totals.end(Double.BYTES, total, lost, total, m);
    var element = Element.of(type);
    for (int j = 0; j < m; j++) {
      element.set(to + (long) j * element.size(), Bytes.f64(total + 8L * j) / scale);
    }
  }

  private static void wholeColumns(Strided rows, long shift, long n, int m, long to) {
    long[] sums = new long[m];
    for (long i = 0; i < n; i++) {
      long row = rows.row(i, rows.dims().length) + shift;
      for (int j = 0; j < m; j++) {
        sums[j] += Bytes.i32(row + 4L * j);
      }
    }
    for (int j = 0; j < m; j++) {
      Bytes.i32(to + 4L * j, WholeNumbers.fitting("sum", sums[j]));
    }
  }

  private static Strided reducedPart(Strided x, int kept) {
    int rank = x.dims().length;
    return new Strided(
        x.address(),
        Arrays.copyOfRange(x.dims(), kept, rank),
        Arrays.copyOfRange(x.strides(), kept, rank),
        x.size());
  }
}
