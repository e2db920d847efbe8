package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Op;
import carousel.tensor.op.Vjp;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Asks the rule of a row directly, without a tape. */
public final class Rules {
  private Rules() {}

  /**
   * The cotangents of the inputs. Fails if the rule reads a value that it did not declare.
   *
   * @param op the row
   * @param inputs its operands
   * @param outputs what it gave
   * @param cotangents one per output
   * @return one gradient per input, of its shape; null where nothing flows
   */
  public static @Nullable Tensor[] pull(
      Op op, Tensor[] inputs, Tensor[] outputs, Tensor... cotangents) {
    Vjp rule = op.vjp();
    boolean[] wanted = new boolean[inputs.length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = inputs[i].dtype().isFloating() && rule.flows(i);
    }
    @Nullable Tensor[] pulled =
        rule.pull(new Saved(op, rule, wanted, inputs, outputs, cotangents), wanted);
    for (int i = 0; i < pulled.length; i++) {
      Tensor g = pulled[i];
      if (g != null) {
        pulled[i] =
            g.expand(Shape.broadcast("pull", g.shape(), inputs[i].shape()))
                .sumTo(inputs[i].shape());
      }
    }
    return Arrays.copyOf(pulled, inputs.length);
  }

  private record Saved(
      Op op, Vjp rule, boolean[] wanted, Tensor[] in, Tensor[] out, Tensor[] cotangents)
      implements Vjp.Context {

    @Override
    public Tensor g(int output) {
      return cotangents[output];
    }

    @Override
    public String label() {
      return op.label();
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
    public Tensor in(int input) {
      if (!rule.readsInput(input, wanted)) {
        throw new AssertionError(op + " reads input " + input + " without saying so");
      }
      return in[input];
    }

    @Override
    public Tensor out(int output) {
      if (!rule.readsOutput(wanted)) {
        throw new AssertionError(op + " reads its output without saying so");
      }
      return out[output];
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
}
