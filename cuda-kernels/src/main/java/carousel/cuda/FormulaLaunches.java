package carousel.cuda;

import static carousel.cuda.Parameter.I32;
import static carousel.cuda.Parameter.POINTER;

import carousel.cuda.driver.Grid;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.op.Formula;
import carousel.tensor.spi.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Formulas that write tensors in place: a kernel per formula, made when it is first met, and one launch for
 * all tensors that a formula is applied to, as the parameters of an optimiser.
 */
final class FormulaLaunches {
  /** BLOCK_ELEMENTS of formula.cuh. */
  private static final int BLOCK_ELEMENTS = 4096;

  /** The words of {@code struct Part}. */
  private static final int HEAD = 7;

  private final Launcher launcher;
  private final Memory memory;
  private final DeviceErrors errors;
  private final Map<Typed, Kernel> kernels = new ConcurrentHashMap<>();

  FormulaLaunches(Launcher launcher, Memory memory, DeviceErrors errors) {
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

  void run(List<Formula.Call> calls) {
    Map<Typed, List<Formula.Call>> alike = new LinkedHashMap<>();
    for (var call : calls) {
      if (count(call) > 0) {
        alike.computeIfAbsent(Typed.of(call), _ -> new ArrayList<>()).add(call);
      }
    }
    alike.forEach((typed, group) -> launch(kernels.computeIfAbsent(typed, Typed::kernel), group));
  }

  private void launch(Kernel kernel, List<Formula.Call> calls) {
    int operands = calls.getFirst().inputs().size() + calls.getFirst().targets().size();
    int words = HEAD + operands + calls.getFirst().constants().size();
    long[] table = new long[words * calls.size()];
    long blocks = 0;
    for (int c = 0; c < calls.size(); c++) {
      write(calls.get(c), blocks, table, c * words);
      blocks += Math.ceilDiv(count(calls.get(c)), BLOCK_ELEMENTS);
    }
    try (var parts = Temporary.of(memory, "formula", 8L * table.length)) {
      launcher.driver().upload(MemorySegment.ofArray(table), parts.address());
      launcher
          .call(kernel)
          .pointer(parts.address())
          .i32(calls.size())
          .errors(errors, DeviceErrors.Op.FORMULA)
          .start(Grid.of(Math.toIntExact(blocks)));
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
    table[at + 2] = rows == null ? 0 : rows.address();
    table[at + 3] = rows == null ? first.size() : first.shape().without(0).size();
    List<Tensor> operands = Stream.concat(call.inputs().stream(), call.targets().stream()).toList();
    long size = Long.MAX_VALUE;
    for (int k = 0; k < operands.size(); k++) {
      Tensor x = operands.get(k);
      if (rows != null && x.dim(0) != rows.dim(0)) {
        table[at + 4] |= 1L << k;
        size = Math.min(size, x.dim(0));
      }
      table[at + HEAD + k] = x.address();
    }
    table[at + 5] = size;
    for (int k = 0; k < call.constants().size(); k++) {
      int word = at + HEAD + operands.size() + k;
      switch (call.constants().get(k)) {
        case Formula.Held(Tensor scalar) -> table[word] = scalar.address();
        case Formula.Known(double value) -> {
          table[word] = bits(first.dtype(), value);
          table[at + 6] |= 1L << k;
        }
      }
    }
  }
}
