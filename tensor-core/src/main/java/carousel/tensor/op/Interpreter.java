package carousel.tensor.op;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.function.Supplier;

/**
 * Decides what applying a row means: {@linkplain #EAGER computing it}, computing and recording it (a
 * tape), or printing it (a graph tracer).
 *
 * <p>The interpreter is ambient: it holds for what runs inside {@link #run}, on that thread, and
 * nests. With none set, ops are computed at once.
 */
@FunctionalInterface
public interface Interpreter {
  /** Computes at once, records nothing. */
  Interpreter EAGER = Observer::evaluate;

  /**
   * Applies a row.
   *
   * @param op the row
   * @param inputs its operands
   * @return its outputs
   */
  Tensor[] apply(Op op, Tensor... inputs);

  /**
   * A number beside a tensor, as the 2 of {@code x.mul(2)}.
   *
   * @param like what it is met with
   * @param value the number
   * @return a scalar of that tensor's type, on its device
   */
  default Tensor number(Tensor like, double value) {
    return like.fullLike(Shape.SCALAR, value);
  }

  /**
   * Tells whether a composite may run as one kernel. Where its body has to be seen, what prepares a kernel
   * can be left out.
   *
   * @return true unless an interpreter says otherwise
   */
  default boolean takesKernels() {
    return true;
  }

  /**
   * A tensor is about to be overwritten in place, which is not an op. Who records refuses what would make its
   * record wrong.
   *
   * @param op what does it, for the error
   * @param target what is overwritten
   * @param sources what the new values are made of
   * @throws carousel.tensor.TensorException if the write is refused
   */
  default void beforeWrite(String op, Tensor target, Tensor... sources) {}

  /**
   * Who computes what this one shall not record: {@link #EAGER}, unless there is something to see even so.
   *
   * @return the interpreter for code that is not differentiated
   */
  default Interpreter unrecorded() {
    return EAGER;
  }

  /**
   * The interpreter in force here.
   *
   * @return the innermost one set by {@link #run}, or {@link #EAGER}
   */
  static Interpreter current() {
    return Ambient.CURRENT.isBound() ? Ambient.CURRENT.get() : EAGER;
  }

  /**
   * Runs a piece of code under this interpreter.
   *
   * @param body what to run
   * @param <R> what it returns
   * @return its result
   */
  default <R> R run(Supplier<R> body) {
    return ScopedValue.where(Ambient.CURRENT, this).call(body::get);
  }

  /** Holds the ambient interpreter. */
  final class Ambient {
    private static final ScopedValue<Interpreter> CURRENT = ScopedValue.newInstance();

    private Ambient() {}
  }
}
