package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/**
 * One input of a case. Where the arrangement leaves elements of the storage unused they hold poison:
 * NaN, or a number that is no index.
 *
 * @param dtype the type
 * @param shape the shape
 * @param arrangement how the elements lie in memory
 * @param values the elements in row-major order
 */
public record Operand(DType dtype, Shape shape, Arrangement arrangement, Values values) {
  private static final int NO_INDEX = 0x7EADBEEF;

  /** Random values, row-major. */
  static Operand of(DType dtype, Shape shape, long seed) {
    return new Operand(dtype, shape, Arrangement.DENSE, Values.random(dtype, seed));
  }

  /** F64 away from kinks, distinct from the other operands of the case. */
  static Operand smooth(Shape shape, int operand) {
    return new Operand(DType.F64, shape, Arrangement.DENSE, Values.apart(operand));
  }

  /** The same, lying elsewhere. */
  Operand with(Arrangement other) {
    return new Operand(dtype, shape, other.suits(shape) ? other : Arrangement.DENSE, values);
  }

  /** The same, of other values. */
  Operand with(Values other) {
    return new Operand(dtype, shape, arrangement, other);
  }

  /**
   * Makes the tensor on the device of the innermost scope, without using any op.
   *
   * @return a new tensor of this type, shape, arrangement and values
   */
  public Tensor tensor() {
    Layout layout = arrangement.layout(shape);
    int extent = Arrangement.extent(layout);
    var host = MemorySegment.ofArray(new byte[extent * dtype.bytes()]);
    for (int i = 0; i < extent; i++) {
      set(host, i, dtype.isFloating() ? Double.NaN : dtype == DType.I32 ? NO_INDEX : 1);
    }
    double[] elements = values.take(Math.toIntExact(shape.size()));
    int[] index = new int[shape.rank()];
    for (double element : elements) {
      long at = layout.offset();
      for (int k = 0; k < index.length; k++) {
        at += index[k] * layout.stride(k);
      }
      set(host, at, element);
      for (int k = index.length - 1; k >= 0 && ++index[k] == shape.dim(k); k--) {
        index[k] = 0;
      }
    }
    return Engine.over(Tensor.from(host, dtype, Shape.of(extent)), layout);
  }

  private void set(MemorySegment host, long i, double value) {
    switch (dtype) {
      case F32 -> host.set(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4, (float) value);
      case F64 -> host.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, i * 8, value);
      case I32 -> host.set(ValueLayout.JAVA_INT_UNALIGNED, i * 4, (int) value);
      case BOOL -> host.set(ValueLayout.JAVA_BYTE, i, (byte) (value != 0 ? 1 : 0));
    }
  }

  /** E.g. {@code F32[13,207] transposed}. */
  @Override
  public String toString() {
    String where =
        arrangement == Arrangement.DENSE
            ? ""
            : " " + arrangement.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    return dtype + shape.toString() + where;
  }
}
