package carousel.nn.random;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * A tensor that a program holds.
 *
 * @param dims its sizes; negative ones stand for the axes of the rows
 * @param kind what is in it
 */
record Capture(List<Integer> dims, Kind kind) {
  /** What a tensor holds. */
  enum Kind {
    /** Numbers that differ. */
    DRAWN,
    /** One number in every place, by {@code Tensor.full}: still no constant, for it can be assigned. */
    UNIFORM,
    /** Zeros and ones, as numbers. */
    ZERO_ONE,
    /** BOOL. */
    MASK
  }

  Form form() {
    return new Form(dims, kind == Kind.MASK);
  }

  /** The tensor itself, as a user makes it: from numbers, or of one number. */
  Tensor make(DType type, Philox rng, int... shape) {
    Tensor values = draw(type, rng, shape);
    if (kind != Kind.DRAWN) {
      return values;
    }
    double[] numbers = values.cast(DType.F64).toDoubleArray();
    Tensor made = Tensor.of(values.shape(), numbers);
    return type == DType.F64 ? made : made.cast(type);
  }

  /** Assigns values to one of the held; anew, one of a single number is held as it was made, and is known as such. */
  void give(List<Tensor> held, int index, boolean anew, Tensor values) {
    if (anew && kind == Kind.UNIFORM) {
      held.set(index, values);
    } else {
      held.get(index).assign(values);
    }
  }

  /** Values for it. */
  Tensor draw(DType type, Philox rng, int... shape) {
    return switch (kind) {
      case DRAWN -> rng.uniform(type, -1, 1, shape);
      case UNIFORM -> Tensor.full(type, 0.25 + 0.5 * rng.nextDouble(), shape);
      case ZERO_ONE -> rng.bernoulli(0.6, shape).cast(type);
      case MASK -> rng.bernoulli(0.6, shape);
    };
  }
}
