package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.Map;

/**
 * Runs a program of F32 in F64: what ops are given is converted, leaves are taken as what stands for them,
 * and conversions to F32 are left out. Composites run op by op.
 */
final class Widened implements Interpreter {
  private final Interpreter outer = Interpreter.current();
  private final Map<Tensor, Tensor> wide;

  /**
   * For one run of a program.
   *
   * @param standIns what stands for its leaves, in F64
   */
  Widened(Map<Tensor, Tensor> standIns) {
    this.wide = standIns;
  }

  @Override
  public boolean takesKernels() {
    return false;
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    Tensor[] widened = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      widened[i] = widened(inputs[i]);
    }
    return op instanceof Cast cast && cast.to() == DType.F32
        ? outer.apply(new Cast(DType.F64), widened)
        : outer.apply(op, widened);
  }

  /** A tensor in F64, if it is one of F32. */
  Tensor widened(Tensor x) {
    Tensor known = wide.get(x);
    if (known != null) {
      return known;
    }
    // Nothing is remembered: what is made here belongs to a scope that may end before the program does.
    return x.dtype() == DType.F32 ? outer.apply(new Cast(DType.F64), x)[0] : x;
  }
}
