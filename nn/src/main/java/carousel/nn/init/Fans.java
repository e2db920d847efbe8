package carousel.nn.init;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.function.ToDoubleFunction;

/**
 * How many inputs reach an output of a weight {@code [k..,in,out]}, and how many outputs an input
 * reaches.
 *
 * @param in {@code in · Πk}
 * @param out {@code out · Πk}
 * @param columns the size of the last axis
 */
record Fans(double in, double out, int columns) {

  static Fans of(Shape shape) {
    if (shape.rank() < 2) {
      throw new TensorException(
          "init: a weight of shape "
              + shape
              + " has no fan-in and fan-out; use uniform, normal or constant");
    }
    double positions = 1;
    for (int axis = 0; axis < shape.rank() - 2; axis++) {
      positions *= shape.dim(axis);
    }
    int columns = shape.dim(Tensor.LAST);
    return new Fans(positions * shape.dim(-2), positions * columns, columns);
  }

  static Init uniform(ToDoubleFunction<Fans> bound) {
    return (rng, dtype, shape) -> symmetric(rng, dtype, bound.applyAsDouble(of(shape)), shape);
  }

  /** {@code U[−a, a)}; 0 where there is nothing between, and nothing of a shape without elements. */
  static Tensor symmetric(Philox rng, DType dtype, double a, Shape shape) {
    return a == 0 || shape.size() == 0
        ? Tensor.zeros(dtype, shape.toArray())
        : rng.uniform(dtype, -a, a, shape.toArray());
  }

  static Init normal(ToDoubleFunction<Fans> deviation) {
    return (rng, dtype, shape) ->
        shape.size() == 0
            ? Tensor.zeros(dtype, shape.toArray())
            : rng.normal(dtype, 0, deviation.applyAsDouble(of(shape)), shape.toArray());
  }
}
