package carousel.tensor.op;

import carousel.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** One rule for all inputs, which reads all values or none. */
final class JointRule extends Vjp {
  private final Joint all;
  private final boolean reads;

  JointRule(Joint all, boolean reads) {
    this.all = all;
    this.reads = reads;
  }

  @Override
  public boolean readsInput(int input, boolean[] wanted) {
    return reads;
  }

  @Override
  public boolean readsOutput(boolean[] wanted) {
    return reads;
  }

  @Override
  public boolean flows(int input) {
    return true;
  }

  @Override
  public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
    return all.apply(c);
  }
}
