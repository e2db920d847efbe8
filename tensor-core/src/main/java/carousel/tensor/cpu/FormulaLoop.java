package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.op.Formula;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The loop of a {@link Formula}. Its slots are the inputs, then the targets, then the numbers, which
 * stay where they are.
 *
 * @param loop the loop over whole vectors
 * @param lanes elements of a vector
 * @param bytes of a vector
 */
record FormulaLoop(Pointwise.Executable loop, int lanes, long bytes) {
  private static final Object[] NO_ARRAYS = {};
  private static final int[] NO_OFFSETS = {};

  /** Bytes of bodies; the JVM leaves longer loops to the interpreter. */
  private static final int MOST = 2400;

  /** The loop, or null if a row of the formula has no vector body, or all of them are too long. */
  static @Nullable FormulaLoop of(Formula formula, DType type, Kernels kernels, int lanes) {
    if (size(formula, type, kernels) > MOST) {
      return null;
    }
    List<Pointwise.Instruction> code = new ArrayList<>();
    int inputs = count(formula, Formula.Input.class);
    int operands = inputs + formula.results().size();
    for (var value : formula.values()) {
      code.add(
          switch (value) {
            case Formula.Input input -> new Pointwise.Load(input.index());
            case Formula.Constant constant -> new Pointwise.Load(operands + constant.index());
            case Formula.Apply apply -> new Pointwise.Apply(apply.row(), apply.operands());
          });
    }
    for (int k = 0; k < formula.results().size(); k++) {
      code.add(new Pointwise.Store(formula.results().get(k), inputs + k));
    }
    List<Boolean> fixed = new ArrayList<>(Collections.nCopies(operands, false));
    fixed.addAll(Collections.nCopies(count(formula, Formula.Constant.class), true));
    Pointwise.Executable loop = kernels.pointwise(new Pointwise(code, fixed, 0), type);
    return loop == null ? null : new FormulaLoop(loop, lanes, (long) lanes * type.bytes());
  }

  private static int size(Formula formula, DType type, Kernels kernels) {
    int size = 0;
    for (var value : formula.values()) {
      size += value instanceof Formula.Apply apply ? kernels.size(apply.row(), type) : 0;
    }
    return size;
  }

  private static int count(Formula formula, Class<? extends Formula.Expression> kind) {
    return (int) formula.values().stream().filter(kind::isInstance).count();
  }

  /** Runs it on n elements, a multiple of the lanes. */
  void run(long[] at, int n) {
    loop.run(at, bytes, NO_ARRAYS, NO_OFFSETS, 0, n / lanes);
  }
}
