package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/**
 * Differentiation of tensor programs.
 *
 * <pre>{@code
 * Gradients g = Grad.of(() -> model.loss(x, y), model.parameters());
 * }</pre>
 *
 * <p>The program is any code that computes with tensors; what it reads of the leaves is recorded
 * while it runs. Calls nest: a gradient inside a differentiated program is differentiated in turn.
 * {@link Tensor#detach} stops gradients. Results belong to the scope that is open at the call.
 */
public final class Grad {
  private Grad() {}

  /**
   * The value and the gradients of a loss, {@code ∂loss/∂leaf} for every leaf.
   *
   * @param loss computes a floating scalar
   * @param leaves what it is differentiated by, e.g. a model's parameters
   * @return value and gradients
   * @throws TensorException if the loss is not a scalar, or does not depend on a leaf (named)
   */
  public static Gradients of(Supplier<Tensor> loss, Iterable<? extends Leaf> leaves) {
    return differentiate(loss, list(leaves), false);
  }

  /**
   * The value and the gradients of a loss with respect to tensors.
   *
   * @param loss computes a floating scalar
   * @param tensors what it is differentiated by; errors call them {@code input 0}, {@code input 1} …
   * @return value and gradients
   * @throws TensorException if the loss is not a scalar, or does not depend on a tensor
   */
  public static Gradients of(Supplier<Tensor> loss, Tensor... tensors) {
    return differentiate(loss, inputs(tensors), false);
  }

  /**
   * As {@link #of(Supplier, Iterable)}, but a leaf the loss does not depend on has gradient zero.
   *
   * @param loss computes a floating scalar
   * @param leaves what it is differentiated by
   * @return value and gradients
   */
  public static Gradients orZero(Supplier<Tensor> loss, Iterable<? extends Leaf> leaves) {
    return differentiate(loss, list(leaves), true);
  }

  /**
   * As {@link #of(Supplier, Tensor...)}, but a tensor the loss does not depend on has gradient zero.
   *
   * @param loss computes a floating scalar
   * @param tensors what it is differentiated by
   * @return value and gradients
   */
  public static Gradients orZero(Supplier<Tensor> loss, Tensor... tensors) {
    return differentiate(loss, inputs(tensors), true);
  }

  /**
   * A loss, and whatever else its computation found: logits, a carried state, an accuracy.
   *
   * @param loss a floating scalar
   * @param aux anything
   * @param <A> its type
   */
  public record Outcome<A>(Tensor loss, A aux) {}

  /**
   * Gradients, and whatever else the computation of the loss found.
   *
   * @param gradients of the loss
   * @param aux as the program gave it; tensors among it count as constants from here on
   * @param <A> its type
   */
  public record WithAux<A>(Gradients gradients, A aux) {}

  /**
   * As {@link #of(Supplier, Iterable)}, of a program that gives more than its loss.
   *
   * @param program computes a floating scalar, and anything
   * @param leaves what the loss is differentiated by
   * @param <A> the type of the other result
   * @return the gradients, and the other result
   * @throws TensorException as there
   */
  public static <A> WithAux<A> withAux(
      Supplier<Outcome<A>> program, Iterable<? extends Leaf> leaves) {
    List<Outcome<A>> outcomes = new ArrayList<>();
    Gradients gradients =
        of(
            () -> {
              Outcome<A> outcome = program.get();
              outcomes.add(outcome);
              return outcome.loss();
            },
            leaves);
    return new WithAux<>(gradients, outcomes.getLast().aux());
  }

  private static Gradients differentiate(Supplier<Tensor> loss, List<Leaf> leaves, boolean orZero) {
    try (var pullback = Pullback.of(loss, leaves)) {
      Tensor value = pullback.value();
      if (value.size() != 1 || !value.dtype().isFloating()) {
        throw new TensorException(
            "gradient: the loss must be a floating scalar, got "
                + value.dtype()
                + " "
                + value.shape()
                + "; reduce it with mean() or sum(), or use Grad.vjp with a cotangent");
      }
      return new Gradients(value, leaves, pullback.gradients(value.onesLike(), orZero));
    }
  }

  /**
   * The vector-Jacobian product of a program: its value now, and gradients for one cotangent later.
   *
   * @param program computes a floating tensor of any shape
   * @param tensors what it is differentiated by
   * @return the value and the way back; close it if it may not be used, or it is reported when it is dropped
   */
  public static Pullback vjp(Supplier<Tensor> program, Tensor... tensors) {
    return Pullback.handedOut(program, inputs(tensors));
  }

  /**
   * The Jacobian-vector product {@code J·v}: the derivative of f at x in the direction v, by forward mode.
   *
   * @param f a function of one tensor
   * @param x where
   * @param v the direction, of x's shape
   * @return the directional derivative, of the shape of f(x)
   * @see #jvp(Supplier, List, List)
   */
  public static Tensor jvp(UnaryOperator<Tensor> f, Tensor x, Tensor v) {
    return jvp(() -> f.apply(x), List.of(x), List.of(v)).derivative();
  }

  /**
   * The Jacobian-vector product {@code Σ J_i·v_i} of a program, by forward mode: in one pass, op by op, each value
   * beside its derivative. Nothing is recorded, so that a long sequence needs no more memory than its values; and
   * it can be differentiated again, in either mode.
   *
   * <p>A composite runs by its body, not by a kernel. An op with a rule of its own that can be differentiated
   * {@linkplain carousel.tensor.op.Vjp#once once} has no derivative here.
   *
   * @param program computes a floating tensor of any shape
   * @param tensors what it is differentiated by
   * @param directions the directions v, one per tensor and of its shape
   * @return the value and its derivative; zeros where it depends on none of the tensors
   */
  public static Directional jvp(
      Supplier<Tensor> program, List<Tensor> tensors, List<Tensor> directions) {
    if (tensors.size() != directions.size()) {
      throw new TensorException(
          "jvp: "
              + tensors.size()
              + " tensors and "
              + directions.size()
              + " directions; give one for each");
    }
    for (int i = 0; i < tensors.size(); i++) {
      checkDirection("jvp", tensors.get(i), directions.get(i));
      requireFloating("tensor " + i, tensors.get(i));
    }
    try (var scope = TensorScope.openUnwatched()) {
      var tangents = new Tangents(tensors, directions);
      Tensor value = tangents.run(program);
      if (value == null) {
        throw new TensorException("jvp: the program returned null; return what it computed");
      }
      requireFloating("the value", value);
      Tensor derivative = tangents.of(value);
      return new Directional(
          scope.keep(value), scope.keep(derivative == null ? value.zerosLike() : derivative));
    }
  }

  private static void requireFloating(String what, Tensor x) {
    if (!x.dtype().isFloating()) {
      throw new TensorException(
          "jvp: "
              + what
              + " is "
              + x.dtype()
              + " "
              + x.shape()
              + "; only F32 and F64 tensors have derivatives");
    }
  }

  /**
   * A value and its derivative in one direction.
   *
   * @param value what a program computed
   * @param derivative {@code J·v}, of its shape
   */
  public record Directional(Tensor value, Tensor derivative) {}

  /**
   * The Hessian-vector products {@code H·v} of a loss: {@code ∂⟨∂loss/∂x, v⟩/∂x}.
   *
   * @param loss computes a floating scalar
   * @param tensors the tensors x
   * @param directions the directions v, one per tensor and of its shape
   * @return one product per tensor
   */
  public static List<Tensor> hvp(
      Supplier<Tensor> loss, List<Tensor> tensors, List<Tensor> directions) {
    Gradients products = hvp(loss, inputs(tensors.toArray(new Tensor[0])), directions);
    return IntStream.range(0, tensors.size()).mapToObj(products::get).toList();
  }

  /**
   * The Hessian-vector products {@code H·v} of a loss by named leaves, and its value.
   *
   * @param loss computes a floating scalar
   * @param leaves the leaves x; one that the loss does not depend on has product zero
   * @param directions the directions v, one per leaf and of its shape
   * @return the value of the loss, and one product per leaf
   * @throws TensorException if a direction is not as its leaf
   */
  public static Gradients hvp(
      Supplier<Tensor> loss, Iterable<? extends Leaf> leaves, List<Tensor> directions) {
    List<Leaf> of = list(leaves);
    if (of.size() != directions.size()) {
      throw new TensorException(
          "hvp: " + of.size() + " tensors and " + directions.size() + " directions");
    }
    for (int i = 0; i < of.size(); i++) {
      checkDirection("hvp", of.get(i).value(), directions.get(i));
    }
    List<Tensor> values = new ArrayList<>();
    Gradients products =
        orZero(
            () -> {
              Gradients g = orZero(loss, of);
              values.add(g.value());
              Tensor dot = null;
              for (int i = 0; i < of.size(); i++) {
                Tensor term = g.get(i).mul(directions.get(i)).sum();
                dot = dot == null ? term : dot.add(term);
              }
              return dot == null ? g.value() : dot;
            },
            of);
    return products.ofLoss(values.getLast());
  }

  private static void checkDirection(String op, Tensor x, Tensor v) {
    if (!x.shape().equals(v.shape()) || x.dtype() != v.dtype()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: the direction must be as the tensor, %s %s, got %s %s",
              op,
              x.dtype(),
              x.shape(),
              v.dtype(),
              v.shape()));
    }
  }

  /**
   * Runs a segment of a differentiated program without saving what its rules would read; backward
   * runs it again instead. Memory for time: about one more forward pass.
   *
   * <p>The segment may read any tensors, which are held until backward, also those of a scope that closes before
   * that, and must do the same each time: what it reads is not to be changed in place. Random numbers drawn from
   * {@link carousel.tensor.Philox} are drawn again the same. Outside of a gradient it just runs. Gradients flow to all
   * that it reads, whether it was given to it or the lambda captured it; but what was computed of a leaf outside of the
   * differentiated program is a constant here as there.
   *
   * @param segment computes one tensor
   * @return its value
   */
  public static Tensor checkpoint(Supplier<Tensor> segment) {
    return Interpreter.current() instanceof Tape tape ? tape.checkpoint(segment) : segment.get();
  }

  /**
   * Tells whether ops on this thread are recorded for a gradient.
   *
   * @return false inside of {@link #off}, and outside of everything that differentiates
   */
  public static boolean isRecording() {
    return Interpreter.current() instanceof Tape;
  }

  /**
   * Runs a piece of a differentiated program unrecorded: its results are constants.
   *
   * @param body what to run
   * @param <R> what it returns
   * @return its result
   */
  public static <R> R off(Supplier<R> body) {
    return Interpreter.EAGER.run(body);
  }

  private static List<Leaf> list(Iterable<? extends Leaf> leaves) {
    return StreamSupport.stream(leaves.spliterator(), false).map(l -> (Leaf) l).toList();
  }

  static List<Leaf> inputs(Tensor... tensors) {
    List<Leaf> leaves = new ArrayList<>();
    for (int i = 0; i < tensors.length; i++) {
      leaves.add(new Input("input " + i, tensors[i]));
    }
    return List.copyOf(leaves);
  }

  private record Input(String name, Tensor value) implements Leaf {}
}
