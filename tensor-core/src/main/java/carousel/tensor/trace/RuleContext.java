package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Vjp;

/** What the rule of a user's op is given while it is traced. */
final class RuleContext implements Vjp.Context {
  private final String label;
  private final boolean[] wanted;
  private final Tensor[] in;
  private final Tensor[] out;
  private final Tensor[] arriving;

  /**
   * A context.
   *
   * @param label of the op
   * @param wanted for each input, whether anything can flow to it
   * @param in the inputs: stand-ins, and what was captured
   * @param out the outputs, stand-ins
   * @param arriving for each output what stands for its cotangent
   */
  RuleContext(String label, boolean[] wanted, Tensor[] in, Tensor[] out, Tensor[] arriving) {
    this.label = label;
    this.wanted = wanted;
    this.in = in;
    this.out = out;
    this.arriving = arriving;
  }

  @Override
  public String label() {
    return label;
  }

  @Override
  public Tensor g(int output) {
    return arriving[output];
  }

  @Override
  public boolean reached(int output) {
    return true;
  }

  @Override
  public boolean wanted(int input) {
    return wanted[input];
  }

  @Override
  public Tensor in(int input) {
    return in[input];
  }

  @Override
  public Tensor out(int output) {
    return out[output];
  }

  @Override
  public int inputs() {
    return in.length;
  }

  @Override
  public int outputs() {
    return out.length;
  }

  @Override
  public Shape outputShape(int output) {
    return out[output].shape();
  }

  @Override
  public Shape shape(int input) {
    return in[input].shape();
  }

  @Override
  public DType dtype(int input) {
    return in[input].dtype();
  }

  @Override
  public Device device(int input) {
    return in[input].device();
  }
}
