package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.HashMap;
import java.util.Map;

/**
 * Runs a program of F32 in F64, op by op. What the program sees are tensors in F32, as it expects; beside each
 * goes one in F64, of which the next ops compute, and which a tape below records.
 */
final class Widened implements Interpreter {
  private final Interpreter outer = Interpreter.current();

  /** Where what the program hands out of scopes of its own is still there. */
  private final TensorScope home = TensorScope.current();

  private final Map<Tensor, Wide> known = new HashMap<>();

  /** What goes beside a tensor, as long as nobody writes to that. */
  private record Wide(Tensor tensor, int version) {}

  /**
   * For one run of a program.
   *
   * @param leaves what goes beside its leaves
   */
  Widened(Map<Tensor, Tensor> leaves) {
    leaves.forEach(this::remember);
  }

  private void remember(Tensor narrow, Tensor wide) {
    known.put(narrow, new Wide(wide, Engine.storage(narrow).version()));
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
    boolean narrow = false;
    Tensor[] wide = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      narrow |= inputs[i].dtype() == DType.F32;
      wide[i] = wide(inputs[i]);
    }
    boolean narrows = op instanceof Cast cast ? cast.to() == DType.F32 : narrow;
    Tensor[] results =
        op instanceof Cast && narrows
            ? outer.apply(new Cast(DType.F64), wide)
            : outer.apply(op, wide);
    if (!narrows) {
      return results;
    }
    Tensor[] seen = results.clone();
    for (int k = 0; k < seen.length; k++) {
      if (results[k].dtype() == DType.F64) {
        Tensor result = home.adopt(results[k]);
        seen[k] = EAGER.run(() -> result.cast(DType.F32));
        remember(seen[k], result);
      }
    }
    return seen;
  }

  /** What goes beside a tensor; of others, they themselves in F64. */
  Tensor wide(Tensor x) {
    Wide wide = known.get(x);
    if (wide == null) {
      return x.dtype() == DType.F32 ? outer.apply(new Cast(DType.F64), x)[0] : x;
    }
    if (wide.version() != Engine.storage(x).version()) {
      throw new TensorException("it writes to " + x.dtype() + " " + x.shape() + " in place");
    }
    return wide.tensor();
  }
}
