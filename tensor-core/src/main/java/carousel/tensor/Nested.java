package carousel.tensor;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;

/** Arrays of arrays as one. */
final class Nested {
  private Nested() {}

  /** The lengths of an array and of what it holds; an empty one ends in axes of size 0. */
  static Shape shape(Object array) {
    List<Integer> dims = new ArrayList<>();
    Object at = array;
    for (Class<?> type = array.getClass(); type.isArray(); type = type.getComponentType()) {
      int n = at == null ? 0 : Array.getLength(at);
      dims.add(n);
      at = n == 0 || type.getComponentType().isPrimitive() ? null : Array.get(at, 0);
    }
    return Shape.of(dims.stream().mapToInt(Integer::intValue).toArray());
  }

  /** All values in order, as an array of their type. */
  static Object values(Object array, Class<?> type) {
    Shape shape = shape(array);
    if (shape.size() > Integer.MAX_VALUE) {
      throw new TensorException("of: " + shape + " has more elements than an array; use from");
    }
    Object flat = Array.newInstance(type, (int) shape.size());
    fill(array, shape, 0, flat, 0);
    return flat;
  }

  private static int fill(Object array, Shape shape, int axis, Object flat, int done) {
    int n = Array.getLength(array);
    if (n != shape.dim(axis)) {
      throw new TensorException(
          "of: rows differ in length: one of "
              + n
              + " among those of "
              + shape.dim(axis)
              + " in "
              + shape
              + "; fill up the shorter ones, e.g. by Arrays.copyOf");
    }
    if (axis == shape.rank() - 1) {
      System.arraycopy(array, 0, flat, done, n);
      return done + n;
    }
    int at = done;
    for (int i = 0; i < n; i++) {
      at = fill(Array.get(array, i), shape, axis + 1, flat, at);
    }
    return at;
  }
}
