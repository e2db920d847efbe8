package carousel.tensor;

import carousel.tensor.op.Composite;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Products by halves. Where the product of some leaves the range of the type, though that of all may not, the factors are kept
 * near 1 by powers of two, which are exact and whose exponents are summed. Elsewhere those powers are 1, and all is
 * as in a plain tree.
 *
 * @param axes over which
 */
record Products(List<Integer> axes) implements Composite.Body {
  /** As many steps of a power bring any number near 1, for one type as for the other. */
  private static final int OF_A_NUMBER = 3;

  /** By so many steps a number near 1 becomes 0. */
  private static final int OF_A_PRODUCT = 5;

  /**
   * A number {@code value · step^steps}.
   *
   * @param size |value|, of which zeros are 1: they are in no one's way
   * @param strays BOOL, whether powers may be other than 1
   */
  private record Scaled(Tensor value, Tensor size, Tensor steps, Tensor strays) {
    /** A product of two values within a step of 1 is within the range, and twice that far from its ends. */
    private double step() {
      return value.dtype() == DType.F32 ? 0x1p48 : 0x1p384;
    }

    /** With a value one step nearer to 1, where it is further away than a step. */
    Scaled nearer() {
      Tensor down = size.ge(step()).and(strays);
      Tensor up = size.lt(1 / step()).and(strays);
      Tensor factor = choice(down, 1 / step(), choice(up, step(), value.scalarLike(1)));
      Tensor taken = choice(down, 1, choice(up, -1, value.scalarLike(0)));
      return new Scaled(value.mul(factor), size.mul(factor), steps.add(taken), strays);
    }

    Scaled times(Scaled other) {
      return new Scaled(
              value.mul(other.value), size.mul(other.size), steps.add(other.steps), strays)
          .nearer();
    }

    Scaled narrow(int axis, int from, int length) {
      return new Scaled(
          value.narrow(axis, from, length),
          size.narrow(axis, from, length),
          steps.narrow(axis, from, length),
          strays);
    }

    Scaled beside(int axis, Scaled other) {
      return new Scaled(
          Tensor.concat(List.of(value, other.value), axis),
          Tensor.concat(List.of(size, other.size), axis),
          Tensor.concat(List.of(steps, other.steps), axis),
          strays);
    }

    /**
     * The number. A value below 1 takes a step first, so that only what is too great becomes infinite.
     *
     * @param zeros how many factors are 0. Of one, no more steps are taken than are finite together; of two, which leave
     *     no slope, none: it would be infinity times 0
     */
    Tensor number(Tensor zeros) {
      Tensor below = size.lt(1).and(steps.gt(0));
      Tensor y = value.mul(choice(below, step(), value.scalarLike(1)));
      Tensor most = choice(zeros.gt(1), 0, choice(zeros.gt(0), 2, value.scalarLike(OF_A_PRODUCT)));
      Tensor left = most.minimum(steps).sub(choice(below, 1, value.scalarLike(0)));
      for (int k = 1; k <= OF_A_PRODUCT; k++) {
        Tensor up = choice(left.ge(k), step(), value.scalarLike(1));
        y = y.mul(choice(left.le(-k), 1 / step(), up));
      }
      return y;
    }

    private static Tensor choice(Tensor condition, double number, Tensor other) {
      return Tensor.where(condition, other.scalarLike(number), other);
    }
  }

  @Override
  public Tensor[] apply(Tensor... inputs) {
    Tensor x = inputs[0];
    for (int axis : axes) {
      if (x.dim(axis) == 0) {
        x = x.fullLike(x.shape().with(axis, 1), 1);
      }
    }
    // What is multiplied last may leave the range: it is the whole.
    if (count(x) <= 2) {
      return new Tensor[] {product(x, part -> {})};
    }
    Tensor isZero = x.eq(0);
    Tensor size = Tensor.where(isZero, x.scalarLike(1), x.abs());
    Tensor zeros = Tensor.where(isZero, x.scalarLike(1), x.scalarLike(0)).sum(all(), true);
    var y = new Scaled(x, size, x.zerosLike(), strays(size));
    for (int k = 0; k < OF_A_NUMBER; k++) {
      y = y.nearer();
    }
    for (int axis : axes) {
      while (y.value.dim(axis) > 1) {
        int n = y.value.dim(axis);
        Scaled pairs = y.narrow(axis, 0, n / 2).times(y.narrow(axis, n / 2, n / 2));
        y = n % 2 == 0 ? pairs : pairs.beside(axis, y.narrow(axis, n - 1, 1));
      }
    }
    return new Tensor[] {y.number(zeros)};
  }

  private int[] all() {
    return axes.stream().mapToInt(axis -> axis).toArray();
  }

  private long count(Tensor x) {
    return axes.stream().mapToLong(x::dim).reduce(1, (a, b) -> a * b);
  }

  /** The tree as it is; what is multiplied on goes by, level by level. */
  private Tensor product(Tensor x, Consumer<Tensor> parts) {
    Tensor y = x;
    for (int axis : axes) {
      while (y.dim(axis) > 1) {
        if (y != x) {
          parts.accept(y);
        }
        int n = y.dim(axis);
        Tensor pairs = y.narrow(axis, 0, n / 2).mul(y.narrow(axis, n / 2, n / 2));
        y = n % 2 == 0 ? pairs : Tensor.concat(List.of(pairs, y.narrow(axis, n - 1, 1)), axis);
      }
    }
    return y;
  }

  /** BOOL, one per product: whether a part of it leaves the range. */
  private Tensor strays(Tensor size) {
    double least = size.dtype() == DType.F32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
    double greatest = size.dtype() == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE;
    List<Tensor> strays = new ArrayList<>();
    Tensor unused =
        product(
            size,
            part -> {
              Tensor inside = part.ge(least).and(part.le(greatest));
              Tensor out = Tensor.where(inside, part.scalarLike(0), part.scalarLike(1));
              strays.add(out.max(all(), true));
            });
    return strays.stream().reduce(Tensor::maximum).orElseThrow().gt(0);
  }
}
