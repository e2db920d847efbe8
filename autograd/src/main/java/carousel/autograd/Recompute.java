package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.op.Vjp;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The rule of a checkpointed segment: runs it again on a tape of its own, and pulls back there. */
final class Recompute extends Vjp.Applied {
  private final Supplier<Tensor> segment;
  private final List<Tensor> leaves;
  private final int inputs;

  /**
   * A rule.
   *
   * @param leaves the inputs that a gradient flows to
   * @param inputs how many there are, with constants that stand behind these
   */
  Recompute(Supplier<Tensor> segment, List<Tensor> leaves, int inputs) {
    this.segment = segment;
    this.leaves = leaves;
    this.inputs = inputs;
  }

  /** The segment captured its inputs; they must stay alive and unchanged. */
  @Override
  public boolean readsInput(int input, boolean[] wanted) {
    return true;
  }

  @Override
  public boolean readsOutput(boolean[] wanted) {
    return false;
  }

  @Override
  public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
    for (int i = 0; i < inputs; i++) {
      Tensor _ = c.in(i); // throws if it was changed in place
    }
    var tape = new Tape(leaves);
    Tensor again = tape.run(segment);
    @Nullable Gradient[] gradients = tape.backward(again, c.g(), leaves);
    @Nullable Tensor[] dense = new Tensor[inputs];
    for (int i = 0; i < gradients.length; i++) {
      Gradient g = gradients[i];
      dense[i] = g == null ? null : g.dense();
    }
    return dense;
  }
}
