package carousel.tensor;

import carousel.tensor.op.Cast;
import carousel.tensor.op.Joins;
import carousel.tensor.op.Op;
import carousel.tensor.op.Transfer;
import carousel.tensor.op.Views;

/**
 * The values of a tensor in another type, on another device, in memory of their own, or without their gradient; and other
 * values in its type and on its device.
 */
public sealed interface Copying permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Conversion to another element type. Floating numbers are cut to whole ones towards zero; BOOL is
   * {@code x ≠ 0}.
   *
   * @param to the type
   * @return this, if it has the type, or a converted copy
   */
  default Tensor cast(DType to) {
    return to == self().dtype() ? self() : Op.apply(new Cast(to), self());
  }

  /**
   * A copy on another device.
   *
   * @param to the device
   * @return this, if it lives there, or a copy
   */
  default Tensor to(Device to) {
    Device here = self().device();
    return to == here ? self() : Op.apply(new Transfer(here, to), self());
  }

  /**
   * A dense copy with its own storage.
   *
   * @return the copy
   */
  default Tensor copy() {
    return Op.apply(new Joins.Copy(), self());
  }

  /**
   * This tensor, or a dense row-major copy if it is not dense.
   *
   * @return a tensor whose elements lie in row-major order
   */
  default Tensor contiguous() {
    return self().layout().isContiguous() ? self() : copy();
  }

  /**
   * The same value, through which no gradient flows.
   *
   * @return a view that every tape takes for a constant
   */
  default Tensor detach() {
    return Op.apply(new Views.Detach(), self());
  }

  /**
   * One value everywhere, of this type and on this device.
   *
   * @param shape the shape
   * @param value the value
   * @return the tensor
   */
  default Tensor fullLike(Shape shape, double value) {
    Tensor x = self();
    Numbers.require("fullLike", x.dtype(), value);
    return Creation.filled(x.device(), x.dtype(), shape, value);
  }

  /**
   * Zeros of this type, on this device.
   *
   * @param shape the shape
   * @return the tensor
   */
  default Tensor zerosLike(Shape shape) {
    return fullLike(shape, 0);
  }

  /**
   * Zeros of this shape, type and device.
   *
   * @return the tensor
   */
  default Tensor zerosLike() {
    return fullLike(self().shape(), 0);
  }

  /**
   * Ones of this shape, type and device.
   *
   * @return the tensor
   */
  default Tensor onesLike() {
    return fullLike(self().shape(), 1);
  }

  /**
   * A scalar of this type and device.
   *
   * @param value its value
   * @return a tensor of rank 0
   */
  default Tensor scalarLike(double value) {
    return Numbers.beside("scalarLike", self(), value);
  }
}
