package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A program that ran, and the way back through it: {@code pull(v) = vᵀ·∂value/∂leaf} for every leaf.
 *
 * <p>Serves once: pulling drops what was saved on the way. One that may go unused is closed, best by {@code
 * try}; one that is neither pulled nor closed keeps what it saved until the garbage collector finds it, and
 * is reported then, with the place where it was made.
 */
public final class Pullback implements AutoCloseable {
  private final Tensor value;
  private final List<Leaf> leaves;
  private final SavedTape saved;
  private final Cleaner.@Nullable Cleanable dropWatch;

  private Pullback(Tensor value, List<Leaf> leaves, SavedTape saved) {
    this.value = value;
    this.leaves = leaves;
    this.saved = saved;
    this.dropWatch = saved.watch(this);
  }

  /** Runs the program on a fresh tape, for who closes the result before returning. */
  static Pullback of(Supplier<Tensor> program, List<Leaf> leaves) {
    return of(program, leaves, SavedTape::inside);
  }

  /** The same for who hands the result out: it is reported if it is dropped. */
  static Pullback handedOut(Supplier<Tensor> program, List<Leaf> leaves) {
    return of(program, leaves, SavedTape::handedOut);
  }

  private static Pullback of(
      Supplier<Tensor> program, List<Leaf> leaves, Function<Tape, SavedTape> saving) {
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
      if (value == null) {
        throw new TensorException("gradient: the program returned null; return what it computed");
      }
      var pullback = new Pullback(value, leaves, saving.apply(tape));
      done = true;
      return pullback;
    } finally {
      if (!done) {
        tape.release();
      }
    }
  }

  /** {@return what the program computed} */
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
    List<String> unreached = unreached(leaves, gradients);
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

  /** For messages: the names of the leaves nothing reached. */
  private static List<String> unreached(List<Leaf> leaves, @Nullable Gradient[] gradients) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < gradients.length; i++) {
      if (gradients[i] == null) {
        names.add(leaves.get(i).name());
      }
    }
    return names;
  }

  /** What flowed back to each leaf; null where nothing did. */
  @Nullable Gradient[] flowed(Tensor cotangent) {
    if (!cotangent.shape().equals(value.shape()) || cotangent.dtype() != value.dtype()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "pull: the cotangent must be as the value, %s %s, got %s %s",
              value.dtype(),
              value.shape(),
              cotangent.dtype(),
              cotangent.shape()));
    }
    Tape current = take();
    if (current == null) {
      throw new TensorException(
          "pull: this pullback was used or closed before; its saved tensors are gone. Run the"
              + " program again, or add the losses and take one gradient");
    }
    return current.backward(value, cotangent, leaves.stream().map(Leaf::value).toList());
  }

  /** Lets go of what was saved, if {@link #pull} did not. */
  @Override
  public void close() {
    Tape current = take();
    if (current != null) {
      current.release();
    }
  }

  /** Takes the tape, if it is there; then there is nothing to watch for. */
  private @Nullable Tape take() {
    try {
      Tape taken = saved.take();
      if (dropWatch != null) {
        dropWatch.clean();
      }
      return taken;
    } finally {
      // Somebody who pulls still has it, whatever the compiler knows of the rest of the method.
      Reference.reachabilityFence(this);
    }
  }
}
