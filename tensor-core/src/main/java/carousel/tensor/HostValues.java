package carousel.tensor;

import carousel.tensor.op.Joins;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Locale;

/** The values of a tensor, read by the host: arrays, segments, files, comparison. Not ops. */
public sealed interface HostValues permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  private Tensor dense() {
    Tensor x = self();
    return x.layout().isContiguous() ? x : new Joins.Copy().evaluate(x)[0];
  }

  private <A> A read(DType wanted, A array, MemorySegment segment) {
    if (self().dtype() != wanted) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "reading %s values of a tensor of %s %s; convert it with cast(DType.%s)",
              wanted,
              self().dtype(),
              self().shape(),
              wanted));
    }
    copyTo(segment);
    return array;
  }

  private int length(String op) {
    long size = self().size();
    if (size > Integer.MAX_VALUE) {
      throw new TensorException(
          op
              + ": "
              + self().shape()
              + " has "
              + size
              + " elements, more than an array; read parts of it, or use copyTo or writeTo");
    }
    return (int) size;
  }

  /**
   * The values of an F32 tensor in row-major order.
   *
   * @return a new array
   */
  default float[] toFloatArray() {
    float[] a = new float[length("toFloatArray")];
    return read(DType.F32, a, MemorySegment.ofArray(a));
  }

  /**
   * The values of a tensor of any type in row-major order, as doubles: none loses precision.
   *
   * @return a new array
   */
  default double[] toDoubleArray() {
    double[] a = new double[length("toDoubleArray")];
    try (var scope = TensorScope.openUnwatched()) {
      Tensor wide =
          self().dtype() == DType.F64
              ? self()
              : new carousel.tensor.op.Cast(DType.F64).evaluate(self())[0];
      wide.copyTo(MemorySegment.ofArray(a));
      return a;
    }
  }

  /**
   * The values of an I32 tensor in row-major order.
   *
   * @return a new array
   */
  default int[] toIntArray() {
    int[] a = new int[length("toIntArray")];
    return read(DType.I32, a, MemorySegment.ofArray(a));
  }

  /**
   * The values of a BOOL tensor in row-major order.
   *
   * @return a new array
   */
  default boolean[] toBooleanArray() {
    byte[] bytes = new byte[length("toBooleanArray")];
    read(DType.BOOL, bytes, MemorySegment.ofArray(bytes));
    boolean[] a = new boolean[bytes.length];
    for (int i = 0; i < a.length; i++) {
      a[i] = bytes[i] != 0;
    }
    return a;
  }

  /**
   * Copies the values in row-major order and native byte order.
   *
   * @param target heap or native memory of exactly this tensor's bytes
   * @throws TensorException if the sizes differ
   */
  default void copyTo(MemorySegment target) {
    Tensor x = self();
    long bytes = x.size() * x.dtype().bytes();
    if (target.byteSize() != bytes) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "copyTo: %s %s has %d bytes, the target %d",
              x.dtype(),
              x.shape(),
              bytes,
              target.byteSize()));
    }
    if (x.layout().isContiguous()) {
      x.device().backend().read(x, target);
      return;
    }
    try (var scope = TensorScope.openUnwatched()) {
      x.device().backend().read(dense(), target);
    }
  }

  /**
   * Writes the values in row-major order, little-endian, without a header.
   *
   * @param channel e.g. of a file; written from its position
   * @throws IOException if writing fails
   */
  default void writeTo(WritableByteChannel channel) throws IOException {
    Chunks.write(self(), channel);
  }

  /**
   * Overwrites the values in place from a channel, as {@link #writeTo} wrote them; not an op, see {@link
   * Tensor#assign}.
   *
   * @param channel read from its position
   * @return this
   * @throws IOException if reading fails
   * @throws TensorException if the channel ends too soon, elements of this share a place, or a gradient would
   *     come out wrong
   */
  default Tensor readFrom(ReadableByteChannel channel) throws IOException {
    Chunks.read(self(), channel);
    return self();
  }

  /**
   * The value of a tensor of one element.
   *
   * @return its value; of BOOL 0 or 1
   * @throws TensorException if there is not exactly one element
   */
  default double item() {
    if (self().size() != 1) {
      throw new TensorException(
          "item: " + self().shape() + " has " + self().size() + " elements, not one");
    }
    byte[] bytes = new byte[self().dtype().bytes()];
    var value = MemorySegment.ofArray(bytes);
    copyTo(value);
    return switch (self().dtype()) {
      case F32 -> value.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
      case F64 -> value.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0);
      case I32 -> value.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
      case BOOL -> value.get(ValueLayout.JAVA_BYTE, 0);
    };
  }

  /**
   * One element.
   *
   * @param index one position per axis
   * @return its value; of BOOL 0 or 1
   * @throws TensorException if there is no such element
   */
  default double get(int... index) {
    Tensor x = self();
    if (index.length != x.rank()) {
      throw new TensorException(
          "get: " + index.length + " positions for " + x.shape() + " of rank " + x.rank());
    }
    Layout at = x.layout();
    for (int i : index) {
      if (i < 0 || i >= at.shape().dim(0)) {
        throw new TensorException(
            "get: " + java.util.Arrays.toString(index) + " lies outside " + x.shape());
      }
      at = at.select(0, i);
    }
    return x.over(at).item();
  }

  /**
   * Whether two tensors have one type and shape, and the same values; NaN equals NaN, 0 equals −0.
   *
   * @param other the other tensor
   * @return whether they are equal
   */
  default boolean sameValues(Tensor other) {
    return self().dtype() == other.dtype() && allClose(other, 0, 0);
  }

  /**
   * Whether two tensors have one shape and {@code |a − b| ≤ absolute + relative · |b|} everywhere;
   * NaN matches NaN, an infinity itself.
   *
   * @param other the tensor b
   * @param relative the relative tolerance
   * @param absolute the absolute tolerance
   * @return whether they are close
   */
  default boolean allClose(Tensor other, double relative, double absolute) {
    if (!self().shape().equals(other.shape())) {
      return false;
    }
    return self().size() == 0 || Closeness.of(self(), other, relative, absolute);
  }

  /** The comparison of two tensors, a part at a time: neither need fit into an array. */
  final class Closeness {
    private static final int PART = 1 << 22;

    private Closeness() {}

    private static boolean of(Tensor a, Tensor b, double relative, double absolute) {
      Layout left = a.layout();
      Layout right = b.layout();
      int longest = 0;
      for (int axis = 0; axis < a.rank(); axis++) {
        if (left.stride(axis) == 0 && right.stride(axis) == 0 && left.shape().dim(axis) > 1) {
          // The same elements again and again.
          left = left.slice(axis, 0, 1, 1);
          right = right.slice(axis, 0, 1, 1);
        }
        longest = left.shape().dim(axis) > left.shape().dim(longest) ? axis : longest;
      }
      if (left.shape().size() <= PART) {
        return within(
            a.over(left).toDoubleArray(), b.over(right).toDoubleArray(), relative, absolute);
      }
      int n = left.shape().dim(longest);
      return of(
              a.over(left.slice(longest, 0, 1, n / 2)),
              b.over(right.slice(longest, 0, 1, n / 2)),
              relative,
              absolute)
          && of(
              a.over(left.slice(longest, n / 2, 1, n - n / 2)),
              b.over(right.slice(longest, n / 2, 1, n - n / 2)),
              relative,
              absolute);
    }

    private static boolean within(double[] a, double[] b, double relative, double absolute) {
      for (int i = 0; i < a.length; i++) {
        boolean same = a[i] == b[i] || (Double.isNaN(a[i]) && Double.isNaN(b[i]));
        // Written so that NaN and ∞ on one side fail.
        if (!same
            && !(Math.abs(a[i] - b[i]) <= absolute + relative * Math.abs(b[i])
                && Double.isFinite(b[i]))) {
          return false;
        }
      }
      return true;
    }
  }

  /** Tensors to and from channels, by buffers of a bounded size. */
  final class Chunks {
    private static final int BYTES = 1 << 16;

    private Chunks() {}

    private static void write(Tensor x, WritableByteChannel channel) throws IOException {
      try (var scope = TensorScope.openUnwatched()) {
        Tensor dense = x.layout().isContiguous() ? x : new Joins.Copy().evaluate(x)[0];
        var buffer = ByteBuffer.allocate((int) Math.min(BYTES, x.size() * x.dtype().bytes()));
        int step = BYTES / x.dtype().bytes();
        for (long start = 0; start < x.size(); start += step) {
          int n = (int) Math.min(step, x.size() - start);
          buffer.clear().limit(n * x.dtype().bytes());
          part(dense, start, n).copyTo(MemorySegment.ofBuffer(buffer));
          swap(buffer, x.dtype());
          while (buffer.hasRemaining()) {
            channel.write(buffer);
          }
        }
      }
    }

    private static void read(Tensor x, ReadableByteChannel channel) throws IOException {
      InPlace.before("readFrom", x);
      try (var scope = TensorScope.openUnwatched()) {
        boolean direct = x.layout().isContiguous();
        Tensor dense = direct ? x : Engine.empty("readFrom", x.device(), x.dtype(), x.shape());
        x.storage().touch();
        var buffer = ByteBuffer.allocate((int) Math.min(BYTES, x.size() * x.dtype().bytes()));
        int step = BYTES / x.dtype().bytes();
        for (long start = 0; start < x.size(); start += step) {
          int n = (int) Math.min(step, x.size() - start);
          buffer.clear().limit(n * x.dtype().bytes());
          while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
              throw new TensorException(
                  "readFrom: the channel ended after "
                      + (start + buffer.position() / x.dtype().bytes())
                      + " of "
                      + x.size()
                      + " values for "
                      + x.shape());
            }
          }
          buffer.flip();
          swap(buffer, x.dtype());
          x.device().backend().write(MemorySegment.ofBuffer(buffer), part(dense, start, n));
        }
        if (!direct) {
          x.assign(dense);
        }
      }
    }

    /** Elements that follow one another in a dense tensor; there may be more than an axis can have. */
    private static Tensor part(Tensor dense, long start, int n) {
      return dense.over(Layout.contiguous(Shape.of(n), dense.layout().offset() + start));
    }

    /** Between native and little-endian order, and any byte but 0 to 1 for BOOL. */
    private static void swap(ByteBuffer buffer, DType dtype) {
      boolean other = ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN;
      for (int i = 0; i < buffer.limit() && (other || dtype == DType.BOOL); i += dtype.bytes()) {
        switch (dtype.bytes()) {
          case 1 -> buffer.put(i, (byte) (buffer.get(i) == 0 ? 0 : 1));
          case 4 -> buffer.putInt(i, Integer.reverseBytes(buffer.getInt(i)));
          default -> buffer.putLong(i, Long.reverseBytes(buffer.getLong(i)));
        }
      }
    }
  }

  /**
   * Type, shape and values with so many digits after the point: small tensors whole, large ones abridged.
   *
   * @param decimals how many, from 0 to 17
   * @return the text
   * @throws TensorException if it is another number
   */
  default String toString(int decimals) {
    if (decimals < 0 || decimals > 17) {
      throw new TensorException("toString: decimals must be from 0 to 17, got " + decimals);
    }
    return Printer.print(self(), decimals);
  }
}
