package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.op.Vjp;
import carousel.tensor.spi.Fused;
import org.jspecify.annotations.Nullable;

/** The rule of a composite that a backend computed by one kernel: that kernel's own backward. */
final class FusedVjp extends Vjp.Applied {
  private final Fused fused;
  private final Tensor[] inputs;
  private final Fused.Result result;

  FusedVjp(Fused fused, Tensor[] inputs, Fused.Result result) {
    this.fused = fused;
    this.inputs = inputs;
    this.result = result;
    for (Tensor x : result.saved()) {
      x.storage().retain();
    }
  }

  @Override
  public boolean readsInput(int input, boolean[] wanted) {
    return true;
  }

  @Override
  public boolean readsOutput(boolean[] wanted) {
    return true;
  }

  @Override
  public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
    for (int i = 0; i < inputs.length; i++) {
      var _ = c.in(i); // throws if it was changed in place
    }
    @Nullable Tensor[] cotangents = new Tensor[result.outputs().length];
    for (int k = 0; k < cotangents.length; k++) {
      var _ = c.out(k);
      cotangents[k] = c.reached(k) ? c.g(k) : null;
    }
    return fused.backward(inputs, result, cotangents, wanted);
  }

  @Override
  public void release() {
    for (Tensor x : result.saved()) {
      x.storage().release();
    }
  }
}
