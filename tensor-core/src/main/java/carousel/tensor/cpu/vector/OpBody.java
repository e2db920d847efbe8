package carousel.tensor.cpu.vector;

import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;

/**
 * The hole in a loop template: calls of these methods are replaced by the instructions of an
 * operation's body when {@link Splicer} defines the loop. They are never executed.
 */
final class OpBody {
  private OpBody() {}

  static Vector<?> apply(Vector<?> x) {
    throw new AssertionError("replaced by the splicer");
  }

  static Vector<?> apply(Vector<?> x, Vector<?> y) {
    throw new AssertionError("replaced by the splicer");
  }

  static Vector<?> apply(Vector<?> x, Vector<?> y, Vector<?> z) {
    throw new AssertionError("replaced by the splicer");
  }

  static VectorMask<?> test(Vector<?> x, Vector<?> y) {
    throw new AssertionError("replaced by the splicer");
  }

  /** {@link #apply(Vector)} where the lane type must not get lost. */
  static <E> Vector<E> map(Vector<E> x) {
    throw new AssertionError("replaced by the splicer");
  }

  /** {@link #apply(Vector, Vector)} where the lane type must not get lost. */
  static <E> Vector<E> fold(Vector<E> a, Vector<E> x) {
    throw new AssertionError("replaced by the splicer");
  }
}
