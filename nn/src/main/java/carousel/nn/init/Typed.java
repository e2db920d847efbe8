package carousel.nn.init;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/** A recipe that makes weights of a given type. */
record Typed(Init init, DType dtype) implements Init {
  Typed {
    if (!dtype.isFloating()) {
      throw new TensorException("init: weights are F32 or F64, got " + dtype);
    }
  }

  @Override
  public Tensor sample(Philox rng, DType type, Shape shape) {
    return init.sample(rng, type, shape);
  }
}
