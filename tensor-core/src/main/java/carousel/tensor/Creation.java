package carousel.tensor;

import carousel.tensor.op.Interpreter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/** How tensors come from numbers, for the factories of {@link Tensor}, which say what each gives. */
final class Creation {
  /** Numbers that are computed on the host at once. */
  private static final int PART = 1 << 16;

  private Creation() {}

  static Tensor full(DType dtype, Shape shape, double value) {
    Numbers.require("full", dtype, value);
    return filled(TensorScope.current().device(), dtype, shape, value);
  }

  private static Tensor empty(String op, DType dtype, Shape shape) {
    return Engine.empty(op, TensorScope.current().device(), dtype, shape);
  }

  static Tensor filled(Device device, DType dtype, Shape shape, double value) {
    Tensor y = Engine.empty("full", device, dtype, shape);
    device.backend().fill(y, value);
    y.storage().filledWith(dtype.rounded(value));
    return y;
  }

  static Tensor from(String op, MemorySegment source, DType dtype, Shape shape) {
    long bytes = shape.size() * dtype.bytes();
    if (source.byteSize() != bytes) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s %s takes %d values (%d bytes), the source has %d bytes",
              op,
              dtype,
              shape,
              shape.size(),
              bytes,
              source.byteSize()));
    }
    Tensor y = empty("from", dtype, shape);
    y.device().backend().write(dtype == DType.BOOL ? zerosAndOnes(source) : source, y);
    if (shape.size() == 1) {
      y.storage().filledWith(dtype.rounded(first(source, dtype)));
    }
    return y;
  }

  static Tensor ofTruths(Shape shape, boolean... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return from("of", MemorySegment.ofArray(bytes), DType.BOOL, shape);
  }

  private static double first(MemorySegment source, DType dtype) {
    return switch (dtype) {
      case F32 -> source.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
      case F64 -> source.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0);
      case I32 -> source.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
      case BOOL -> source.get(ValueLayout.JAVA_BYTE, 0);
    };
  }

  /** A byte other than 0 means true, but loops count on 1. */
  private static MemorySegment zerosAndOnes(MemorySegment source) {
    if (source.byteSize() > Integer.MAX_VALUE - 8) {
      throw new TensorException(
          "from: "
              + source.byteSize()
              + " bytes of BOOL are more than are read at once; read parts and concat them");
    }
    byte[] bytes = new byte[(int) source.byteSize()];
    MemorySegment.copy(source, ValueLayout.JAVA_BYTE, 0, bytes, 0, bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (bytes[i] == 0 ? 0 : 1);
    }
    return MemorySegment.ofArray(bytes);
  }

  static Tensor arange(DType dtype, double start, double stop, double step) {
    double quotient = Math.ceil((stop - start) / step);
    // Also where it is NaN.
    if (step == 0 || !(quotient <= Integer.MAX_VALUE)) {
      throw new TensorException(
          "arange: from " + start + " to " + stop + " by " + step + " has no end in sight");
    }
    // The quotient is rounded, and may be one off in either direction: the values say.
    int count = (int) Math.max(0, quotient);
    while (count > 0 && !before(dtype, start + (count - 1) * step, stop, step)) {
      count--;
    }
    while (count < Integer.MAX_VALUE && before(dtype, start + count * step, stop, step)) {
      count++;
    }
    return ofValues("arange", dtype, count, i -> start + i * step);
  }

  /** Whether a value is before the bound, as it is and as the type holds it. */
  private static boolean before(DType dtype, double value, double stop, double step) {
    double held = dtype.isFloating() ? dtype.rounded(value) : value;
    return step > 0 ? Math.max(value, held) < stop : Math.min(value, held) > stop;
  }

  static Tensor linspace(DType dtype, double start, double end, int count) {
    if (!Double.isFinite(start) || !Double.isFinite(end)) {
      throw new TensorException("linspace: both ends must be finite, got " + start + " and " + end);
    }
    requireCount("linspace", count);
    // Where the distance is no finite number, in two steps of half the size.
    boolean wide = Double.isInfinite(end - start);
    double distance = wide ? end / 2 - start / 2 : end - start;
    double step = count == 1 ? 0 : distance / (count - 1);
    return ofValues(
        "linspace",
        dtype,
        count,
        i -> {
          // From the nearer end, so that both ends are exact.
          boolean lower = i < count / 2 || count == 1;
          double way = lower ? i * step : (i - count + 1) * step;
          return (lower ? start : end) + way + (wide ? way : 0);
        });
  }

  static Tensor eye(DType dtype, int n) {
    Tensor y = empty("eye", dtype, Shape.of(requireCount("eye", n), n));
    y.device().backend().fill(y, 0);
    // The first column, if rows were one longer.
    y.device().backend().fill(y.over(Layout.contiguous(Shape.of(n, n + 1)).select(1, 0)), 1);
    return y;
  }

  private static int requireCount(String op, int n) {
    if (n < 0) {
      throw new TensorException(op + ": the number of elements must be 0 or more, got " + n);
    }
    return n;
  }

  static Tensor oneHot(DType dtype, Tensor index, int classes) {
    if (index.dtype() != DType.I32 || classes < 0) {
      throw new TensorException(
          "oneHot: wants an I32 index and a number of classes, got "
              + index.dtype()
              + " "
              + index.shape()
              + " and "
              + classes
              + "; convert with cast(DType.I32)");
    }
    if (!index.device().backend().isAsynchronous() && index.size() > 0) {
      double least = index.min().item();
      double greatest = index.max().item();
      if (least < 0 || greatest >= classes) {
        throw new TensorException(
            "oneHot: index "
                + (int) (least < 0 ? least : greatest)
                + " is out of range [0,"
                + classes
                + "), in an index of "
                + index.shape());
      }
    }
    Tensor base = index.fullLike(index.shape().insert(Tensor.LAST, classes), 0).cast(DType.F64);
    Tensor at = index.unsqueeze(Tensor.LAST);
    return base.scatterAdd(at, base.fullLike(at.shape(), 1), Tensor.LAST).cast(dtype);
  }

  /** A vector of numbers by their positions, a part at a time: the heap need not hold them. */
  private static Tensor ofValues(String op, DType dtype, int count, IntToDoubleFunction value) {
    Tensor y = empty(op, dtype, Shape.of(count));
    for (int start = 0; start < count; start += PART) {
      int first = start;
      double[] values = new double[Math.min(PART, count - first)];
      Arrays.setAll(values, i -> value.applyAsDouble(first + i));
      try (var scope = TensorScope.openUnwatched()) {
        Tensor part =
            Interpreter.EAGER.run(() -> ofType(op, dtype, Shape.of(values.length), values));
        y.device().backend().copy(part, y.over(Layout.contiguous(part.shape(), first)));
      }
      if (count - first <= PART) {
        break; // before the next start would wrap
      }
    }
    return y;
  }

  static Tensor ofType(String op, DType dtype, Shape shape, double... values) {
    for (int i = 0; !dtype.isFloating() && i < values.length; i++) {
      Numbers.require(op, dtype, values[i]);
    }
    Tensor y = Tensor.of(shape, values);
    return dtype == DType.F64 ? y : y.cast(dtype);
  }
}
