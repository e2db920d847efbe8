package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.POINTER;

import carousel.cuda.driver.Grid;
import carousel.cuda.launch.DeviceErrors;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.Temporary;
import carousel.cuda.replay.CudaRecording;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.op.Formula;
import carousel.tensor.spi.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Formulas that write tensors in place: a kernel per formula, made when it is first met, and one launch for
 * all tensors that a formula is applied to, as the parameters of an optimiser.
 */
public final class FormulaLaunches {
  /** BLOCK_ELEMENTS of formula.cuh. */
  private static final int BLOCK_ELEMENTS = 4096;

  /** The words of {@code struct Part}. */
  private static final int HEAD = 7;

  private final Launcher launcher;
  private final Memory memory;
  private final DeviceErrors errors;
  private final Map<Typed, Kernel> kernels = new ConcurrentHashMap<>();

  public FormulaLaunches(Launcher launcher, Memory memory, DeviceErrors errors) {
    this.launcher = launcher;
    this.memory = memory;
    this.errors = errors;
  }

  /** What a kernel is made of. */
  private record Typed(Formula formula, DType type) {
    static Typed of(Formula.Call call) {
      return new Typed(call.formula(), call.targets().getFirst().dtype());
    }

    Kernel kernel() {
      var source = FormulaSource.of(formula, type);
      return new Kernel(source, FormulaSource.SYMBOL, POINTER, I32, I32, POINTER);
    }
  }

  /** Runs them, unless one has more operands or numbers than a word has bits. */
  public boolean run(List<Formula.Call> calls, Supplier<List<Formula.Call>> again) {
    if (calls.stream().anyMatch(call -> width(call) > Long.SIZE)) {
      return false;
    }
    List<List<Formula.Call>> groups = groups(calls);
    long[] table = table(groups);
    CudaRecording recording = launcher.recording();
    if (recording != null) {
      launch(groups, recording.words(table, () -> withNumbers(groups(again.get()), table)));
      return true;
    }
    try (var parts = Temporary.of(memory, "formula", 8L * table.length)) {
      launcher.driver().upload(MemorySegment.ofArray(table), parts.address());
      launch(groups, parts.address());
    }
    return true;
  }

  /** Calls of one kernel together, in the order of their first ones; those of no element not at all. */
  private static List<List<Formula.Call>> groups(List<Formula.Call> calls) {
    Map<Typed, List<Formula.Call>> alike = new LinkedHashMap<>();
    for (var call : calls) {
      if (count(call) > 0) {
        alike.computeIfAbsent(Typed.of(call), _ -> new ArrayList<>()).add(call);
      }
    }
    return List.copyOf(alike.values());
  }

  /** Operands and numbers. */
  private static int width(Formula.Call call) {
    return call.inputs().size() + call.targets().size() + call.constants().size();
  }

  /** The parts of all groups, one after the other. */
  private static long[] table(List<List<Formula.Call>> groups) {
    long[] table = new long[groups.stream().mapToInt(FormulaLaunches::words).sum()];
    int at = 0;
    for (var group : groups) {
      long blocks = 0;
      for (var call : group) {
        write(call, blocks, table, at);
        blocks += Math.ceilDiv(count(call), BLOCK_ELEMENTS);
        at += HEAD + width(call);
      }
    }
    return withNumbers(groups, table);
  }

  /** Writes the host's numbers into the parts of calls, whose tensors may be gone by now. */
  private static long[] withNumbers(List<List<Formula.Call>> groups, long[] table) {
    int end = 0;
    for (var group : groups) {
      for (var call : group) {
        end += HEAD + width(call);
        int word = end - call.constants().size();
        for (Formula.Scalar scalar : call.constants()) {
          if (scalar instanceof Formula.Known(double value)) {
            table[word] = bits(call.targets().getFirst().dtype(), value);
          }
          word++;
        }
      }
    }
    return table;
  }

  private static int words(List<Formula.Call> group) {
    return group.size() * (HEAD + width(group.getFirst()));
  }

  private void launch(List<List<Formula.Call>> groups, long table) {
    long at = table;
    for (var group : groups) {
      long blocks =
          group.stream().mapToLong(call -> Math.ceilDiv(count(call), BLOCK_ELEMENTS)).sum();
      launcher
          .call(kernels.computeIfAbsent(Typed.of(group.getFirst()), Typed::kernel))
          .pointer(at)
          .i32(group.size())
          .errors(errors, DeviceErrors.Checked.FORMULA)
          .start(Grid.of(Math.toIntExact(blocks)));
      at += 8L * words(group);
    }
  }

  /** The elements of a call. */
  private static long count(Formula.Call call) {
    Tensor rows = call.rows();
    Tensor first = call.targets().getFirst();
    return rows == null ? first.size() : rows.size() * first.shape().without(0).size();
  }

  /** The word whose first bytes are a number of a type. */
  private static long bits(DType type, double value) {
    return switch (type) {
      case F32 -> Float.floatToRawIntBits((float) value);
      case F64 -> Double.doubleToRawLongBits(value);
      case I32 -> (int) value;
      case BOOL -> throw new IllegalArgumentException("no formula is of BOOL");
    };
  }

  /** One part: the struct, then the addresses of operands and constants. */
  private static void write(Formula.Call call, long firstBlock, long[] table, int at) {
    Tensor rows = call.rows();
    Tensor first = call.targets().getFirst();
    table[at] = firstBlock;
    table[at + 1] = count(call);
    table[at + 2] = rows == null ? 0 : Engine.address(rows);
    table[at + 3] = rows == null ? first.size() : first.shape().without(0).size();
    List<Tensor> operands = Stream.concat(call.inputs().stream(), call.targets().stream()).toList();
    long size = Long.MAX_VALUE;
    for (int k = 0; k < operands.size(); k++) {
      Tensor x = operands.get(k);
      if (rows != null && x.dim(0) != rows.dim(0)) {
        table[at + 4] |= 1L << k;
        size = Math.min(size, x.dim(0));
      }
      table[at + HEAD + k] = Engine.address(x);
    }
    table[at + 5] = size;
    for (int k = 0; k < call.constants().size(); k++) {
      int word = at + HEAD + operands.size() + k;
      switch (call.constants().get(k)) {
        case Formula.Held(Tensor scalar) -> table[word] = Engine.address(scalar);
        case Formula.Known _ -> table[at + 6] |= 1L << k;
      }
    }
  }
}
