package carousel.tensor.op;

import carousel.tensor.Tensor;
import carousel.tensor.spi.Fused;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A named graph of other ops. A backend may offer a fused kernel, made from what the body computes: a
 * faster spelling of it, with its own backward. Without one, the body runs as if it stood in place. The name
 * is for messages and graphs; it chooses no kernel.
 *
 * <p><em>A body may do anything that an op may, except change something outside of it.</em> It is traced
 * at every call: its kernel uses the numbers and the mode of that call; a body that reads other tensors
 * than its inputs, draws random numbers or looks at values runs as it is written. Differentiating a fused
 * backward again goes through the body, so that every order of gradient exists.
 *
 * @param label the name, e.g. {@code lstm.gates}
 * @param body from inputs to outputs, by other ops
 * @param isFixed whether the body is known to compute the same of its inputs at every call; see {@link
 *     #fixed}
 */
public record Composite(String label, Body body, boolean isFixed) implements Op {
  /** From inputs to outputs. */
  @FunctionalInterface
  public interface Body {
    /**
     * Computes the outputs by other ops.
     *
     * @param inputs the inputs
     * @return the outputs
     */
    Tensor[] apply(Tensor... inputs);
  }

  /**
   * A composite whose body is traced at every call.
   *
   * @param label the name
   * @param body the graph
   */
  public Composite(String label, Body body) {
    this(label, body, false);
  }

  /**
   * A composite whose body computes the same of its inputs as long as the program runs: a constant, whose
   * kernel is made once.
   *
   * @param label the name
   * @param body the graph; it reads nothing but its inputs, and no number or mode that may change
   * @return the op
   */
  public static Composite fixed(String label, Body body) {
    return new Composite(label, body, true);
  }

  /**
   * A composite of one input and one output.
   *
   * @param label the name
   * @param body the graph
   * @return the op
   */
  public static Composite of(String label, UnaryOperator<Tensor> body) {
    return new Composite(label, in -> new Tensor[] {body.apply(in[0])});
  }

  /**
   * A composite of two inputs and one output.
   *
   * @param label the name
   * @param body the graph
   * @return the op
   */
  public static Composite of(String label, BinaryOperator<Tensor> body) {
    return new Composite(label, in -> new Tensor[] {body.apply(in[0], in[1])});
  }

  /**
   * The backend's fast spelling for these inputs, if there is one and fusion is on.
   *
   * @param inputs the inputs
   * @return the fused form, or null
   */
  public @Nullable Fused fused(Tensor... inputs) {
    return Agreement.isFusionOn() && inputs.length > 0
        ? inputs[0].device().backend().fused(this, inputs)
        : null;
  }

  /** A composite has no rule of its own: the tape differentiates the body, or asks the kernel. */
  @Override
  public Vjp vjp() {
    return Vjp.none();
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Fused fused = fused(inputs);
    if (fused == null || Agreement.isRefused(fused.identity())) {
      return body.apply(inputs);
    }
    Tensor[] outputs = fused.forward(inputs).outputs();
    if (!(body instanceof Scan) && Agreement.isDue(fused.identity(), isFixed, false)) {
      Tensor[] expected = body.apply(inputs);
      if (!Agreement.agree(fused.identity(), label, false, List.of(outputs), List.of(expected))) {
        return expected;
      }
    }
    return outputs;
  }
}
