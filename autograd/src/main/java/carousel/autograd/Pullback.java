package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A program that ran, and the way back through it: {@code pull(v) = vᵀ·∂value/∂leaf} for every leaf.
 *
 * <p>Serves once: pulling drops what was saved on the way. One that may go unused is closed, or what
 * it saved lives on.
 */
public final class Pullback implements AutoCloseable {
  private final Tensor value;
  private final List<Leaf> leaves;
  private @Nullable Tape tape;

  private Pullback(Tensor value, List<Leaf> leaves, Tape tape) {
    this.value = value;
    this.leaves = leaves;
    this.tape = tape;
  }

  /** Runs the program on a fresh tape. */
  static Pullback of(Supplier<Tensor> program, List<Leaf> leaves) {
    for (Leaf leaf : leaves) {
      if (!leaf.value().dtype().isFloating()) {
        throw new TensorException(
            "gradient: '"
                + leaf.name()
                + "' is "
                + leaf.value().dtype()
                + " "
                + leaf.value().shape()
                + "; only F32 and F64 tensors have gradients");
      }
    }
    var tape = new Tape(leaves.stream().map(Leaf::value).toList());
    boolean done = false;
    try {
      Tensor value = tape.run(program);
      done = true;
      return new Pullback(value, leaves, tape);
    } finally {
      if (!done) {
        tape.release();
      }
    }
  }

  /**
   * Returns what the program computed.
   *
   * @return its value
   */
  public Tensor value() {
    return value;
  }

  /**
   * Pulls a cotangent back.
   *
   * @param cotangent of the value's shape and type
   * @return one gradient per tensor asked for; zeros where the value does not depend on it
   * @throws TensorException if the cotangent does not fit, or this was used before
   */
  public List<Tensor> pull(Tensor cotangent) {
    return pull(cotangent, true);
  }

  List<Tensor> pull(Tensor cotangent, boolean orZero) {
    return gradients(cotangent, orZero).stream().map(Gradient::dense).toList();
  }

  List<Gradient> gradients(Tensor cotangent, boolean orZero) {
    @Nullable Gradient[] gradients = flowed(cotangent);
    List<String> unreached = Grad.unreached(leaves, gradients);
    if (!orZero && !unreached.isEmpty()) {
      throw new TensorException(
          "gradient: the loss does not depend on "
              + unreached
              + " of "
              + leaves.size()
              + " leaves; leave them out, or take Grad.orZero if that is meant");
    }
    List<Gradient> result = new ArrayList<>();
    for (int i = 0; i < gradients.length; i++) {
      Gradient g = gradients[i];
      result.add(g == null ? new Gradient.Whole(leaves.get(i).value().zerosLike()) : g);
    }
    return List.copyOf(result);
  }

  /** What flowed back to each leaf; null where nothing did. */
  @Nullable Gradient[] flowed(Tensor cotangent) {
    Tape current = tape;
    if (current == null) {
      throw new TensorException(
          "pull: this pullback was used or closed before; its saved tensors are gone. Run the"
              + " program again, or add the losses and take one gradient");
    }
    if (!cotangent.shape().equals(value.shape()) || cotangent.dtype() != value.dtype()) {
      throw new TensorException(
          "pull: the cotangent must be as the value, "
              + value.dtype()
              + " "
              + value.shape()
              + ", got "
              + cotangent.dtype()
              + " "
              + cotangent.shape());
    }
    tape = null;
    return current.backward(value, cotangent, leaves.stream().map(Leaf::value).toList());
  }

  /** Lets go of what was saved, if {@link #pull} did not. */
  @Override
  public void close() {
    if (tape != null) {
      tape.release();
      tape = null;
    }
  }
}
