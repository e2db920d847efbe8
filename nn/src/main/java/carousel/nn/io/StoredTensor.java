package carousel.nn.io;

import java.util.List;
import java.util.Objects;

/**
 * One tensor of a file, without its bytes: {@code end − begin = type.bytes() · Π
 * shape}.
 *
 * @param name the name it is stored under
 * @param type its element type
 * @param shape its dimensions, outermost first; empty for a scalar
 * @param begin the first byte, counted from where the format counts
 * @param end the byte after the last
 */
public record StoredTensor(String name, StoredType type, List<Long> shape, long begin, long end) {
  /** Copies the shape. */
  public StoredTensor {
    Objects.requireNonNull(name);
    Objects.requireNonNull(type);
    shape = List.copyOf(shape);
  }

  /**
   * The number of elements, {@code Π shape}.
   *
   * @return 1 for a scalar, 0 where a dimension is 0
   */
  public long elements() {
    return (end - begin) / type.bytes();
  }

  /** The same tensor by another name. */
  StoredTensor named(String other) {
    return new StoredTensor(other, type, shape, begin, end);
  }

  /**
   * {@code type.bytes() · Π shape}.
   *
   * @throws ArithmeticException if it does not fit in 64 bits
   */
  static long byteSize(StoredType type, List<Long> shape) {
    // A dimension of 0 makes the product 0 whatever the others are, so it must be looked for first.
    if (shape.contains(0L)) {
      return 0;
    }
    long size = (long) type.bytes();
    for (var extent : shape) {
      size = Math.multiplyExact(size, extent);
    }
    return size;
  }

  /** Whether the product of the dimensions other than 0 does not fit in 64 bits. */
  static boolean overflows(List<Long> shape) {
    try {
      long size = 1L;
      for (var extent : shape) {
        size = Math.multiplyExact(size, Math.max(1, extent));
      }
      return false;
    } catch (ArithmeticException overflow) {
      return true;
    }
  }
}
