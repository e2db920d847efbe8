package carousel.tensor;

import carousel.tensor.op.Cast;
import carousel.tensor.op.Indexing;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Joins;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Transfer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * An n-dimensional array over off-heap memory: a {@link Layout} over a {@link Storage}.
 *
 * <p>Values never change except through {@link #assign} and {@link #fill}; every op returns a new
 * tensor, owned by the innermost open {@link TensorScope}. Views share storage. What applying an op means
 * is up to the ambient {@link carousel.tensor.op.Interpreter}; a tensor itself knows nothing of
 * gradients. {@code equals} is identity; compare values with {@link #allClose} or {@link
 * #sameValues}.
 */
public final class Tensor
    implements Elementwise,
        Arithmetic,
        Activations,
        Reductions,
        Ordering,
        Running,
        Shaping,
        Rearranging,
        Selecting,
        Contracting,
        HostValues {
  /** The last axis, −1. */
  public static final int LAST = -1;

  /** Numbers that are computed on the host at once. */
  private static final int PART = 1 << 16;

  private static int serials;

  private final Storage storage;
  private final Layout layout;
  private final DType dtype;
  private final Device device;
  private final int hash = ++serials * 0x9E3779B9;

  private Tensor(Storage storage, Layout layout, DType dtype, Device device) {
    this.storage = storage;
    this.layout = layout;
    this.dtype = dtype;
    this.device = device;
  }

  // ---- what engines and backends use: see Engine ----

  static Tensor empty(String op, Device device, DType dtype, Shape shape) {
    // Shapes are small enough for this not to overflow.
    Storage s = TensorScope.current().allocate(device, shape.size() * dtype.bytes(), op, shape);
    return new Tensor(s, Layout.contiguous(shape), dtype, device);
  }

  Tensor over(Layout other) {
    return new Tensor(storage, other, dtype, device);
  }

  Tensor expanded(Shape shape) {
    return layout.shape().equals(shape) ? this : over(layout.expand(shape));
  }

  Storage storage() {
    return storage;
  }

  Layout layout() {
    return layout;
  }

  long address() {
    return storage.address() + layout.offset() * dtype.bytes();
  }

  // ---- what it is ----

  /** {@return the shape: the sizes of the axes} */
  public Shape shape() {
    return layout.shape();
  }

  /** {@return the element type} */
  public DType dtype() {
    return dtype;
  }

  /** {@return where it lives} */
  public Device device() {
    return device;
  }

  /** {@return the number of axes, the rank} */
  public int rank() {
    return layout.shape().rank();
  }

  /**
   * The size of one axis.
   *
   * @param axis the axis; negative counts from the last
   * @return its size
   */
  public int dim(int axis) {
    return layout.shape().dim(shape().axis("dim", axis));
  }

  /** {@return the number of elements} */
  public long size() {
    return layout.shape().size();
  }

  // ---- creation ----

  private static Tensor full(DType dtype, Shape shape, double value) {
    Numbers.require("full", dtype, value);
    return filled(TensorScope.current().device(), dtype, shape, value);
  }

  private static Tensor filled(Device device, DType dtype, Shape shape, double value) {
    Tensor y = empty("full", device, dtype, shape);
    device.backend().fill(y, value);
    y.storage.filledWith(dtype.rounded(value));
    return y;
  }

  /**
   * Zeros of type F32.
   *
   * @param dims the shape
   * @return the tensor
   */
  public static Tensor zeros(int... dims) {
    return full(DType.F32, Shape.of(dims), 0);
  }

  /**
   * Zeros.
   *
   * @param dtype the type
   * @param dims the shape
   * @return the tensor
   */
  public static Tensor zeros(DType dtype, int... dims) {
    return full(dtype, Shape.of(dims), 0);
  }

  /**
   * Ones of type F32.
   *
   * @param dims the shape
   * @return the tensor
   */
  public static Tensor ones(int... dims) {
    return full(DType.F32, Shape.of(dims), 1);
  }

  /**
   * Ones.
   *
   * @param dtype the type
   * @param dims the shape
   * @return the tensor
   */
  public static Tensor ones(DType dtype, int... dims) {
    return full(dtype, Shape.of(dims), 1);
  }

  /**
   * One value everywhere.
   *
   * @param dtype the type
   * @param value the value
   * @param dims the shape
   * @return the tensor
   */
  public static Tensor full(DType dtype, double value, int... dims) {
    return full(dtype, Shape.of(dims), value);
  }

  /**
   * One value everywhere, of this type and on this device.
   *
   * @param shape the shape
   * @param value the value
   * @return the tensor
   */
  public Tensor fullLike(Shape shape, double value) {
    Numbers.require("fullLike", dtype, value);
    return filled(device, dtype, shape, value);
  }

  /**
   * Zeros of this type, on this device.
   *
   * @param shape the shape
   * @return the tensor
   */
  public Tensor zerosLike(Shape shape) {
    return fullLike(shape, 0);
  }

  /**
   * Zeros of this shape, type and device.
   *
   * @return the tensor
   */
  public Tensor zerosLike() {
    return fullLike(shape(), 0);
  }

  /**
   * Ones of this shape, type and device.
   *
   * @return the tensor
   */
  public Tensor onesLike() {
    return fullLike(shape(), 1);
  }

  /**
   * A scalar of this type and device.
   *
   * @param value its value
   * @return a tensor of rank 0
   */
  public Tensor scalarLike(double value) {
    Numbers.require("scalarLike", dtype, value);
    return Interpreter.current().number(this, value);
  }

  /**
   * F32 values in one axis.
   *
   * @param values the values
   * @return a tensor of rank 1
   */
  public static Tensor of(float... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * F64 values in one axis.
   *
   * @param values the values
   * @return a tensor of rank 1
   */
  public static Tensor of(double... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * I32 values in one axis.
   *
   * @param values the values
   * @return a tensor of rank 1
   */
  public static Tensor of(int... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * F32 values in row-major order.
   *
   * @param shape the shape
   * @param values as many values as the shape has
   * @return the tensor
   */
  public static Tensor of(Shape shape, float... values) {
    return from("of", MemorySegment.ofArray(values), DType.F32, shape);
  }

  /**
   * F64 values in row-major order.
   *
   * @param shape the shape
   * @param values as many values as the shape has
   * @return the tensor
   */
  public static Tensor of(Shape shape, double... values) {
    return from("of", MemorySegment.ofArray(values), DType.F64, shape);
  }

  /**
   * I32 values in row-major order.
   *
   * @param shape the shape
   * @param values as many values as the shape has
   * @return the tensor
   */
  public static Tensor of(Shape shape, int... values) {
    return from("of", MemorySegment.ofArray(values), DType.I32, shape);
  }

  /**
   * BOOL values in row-major order.
   *
   * @param shape the shape
   * @param values as many values as the shape has
   * @return the tensor
   */
  public static Tensor of(Shape shape, boolean... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return from("of", MemorySegment.ofArray(bytes), DType.BOOL, shape);
  }

  /**
   * Values of a type in one axis.
   *
   * @param dtype the type
   * @param values the values; I32 takes whole numbers that fit, BOOL 0 and 1
   * @return a tensor of rank 1
   */
  public static Tensor of(DType dtype, double... values) {
    return of(dtype, Shape.of(values.length), values);
  }

  /**
   * Values of a type in row-major order.
   *
   * @param dtype the type
   * @param shape the shape
   * @param values as many values as the shape has; I32 takes whole numbers that fit, BOOL 0 and 1
   * @return the tensor
   */
  public static Tensor of(DType dtype, Shape shape, double... values) {
    return ofType("of", dtype, shape, values);
  }

  /**
   * BOOL values in one axis.
   *
   * @param values the values
   * @return a tensor of rank 1
   */
  public static Tensor of(boolean... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * F32 values, row by row.
   *
   * @param rows rows of one length
   * @return {@code [rows, columns]}
   */
  public static Tensor of(float[][] rows) {
    return of(Nested.shape(rows), (float[]) Nested.values(rows, float.class));
  }

  /**
   * F64 values, row by row.
   *
   * @param rows rows of one length
   * @return {@code [rows, columns]}
   */
  public static Tensor of(double[][] rows) {
    return of(Nested.shape(rows), (double[]) Nested.values(rows, double.class));
  }

  /**
   * I32 values, row by row.
   *
   * @param rows rows of one length
   * @return {@code [rows, columns]}
   */
  public static Tensor of(int[][] rows) {
    return of(Nested.shape(rows), (int[]) Nested.values(rows, int.class));
  }

  /**
   * BOOL values, row by row.
   *
   * @param rows rows of one length
   * @return {@code [rows, columns]}
   */
  public static Tensor of(boolean[][] rows) {
    return of(Nested.shape(rows), (boolean[]) Nested.values(rows, boolean.class));
  }

  /**
   * F32 values, matrix by matrix.
   *
   * @param blocks matrices of one shape, their rows of one length
   * @return {@code [blocks, rows, columns]}
   */
  public static Tensor of(float[][][] blocks) {
    return of(Nested.shape(blocks), (float[]) Nested.values(blocks, float.class));
  }

  /**
   * F64 values, matrix by matrix.
   *
   * @param blocks matrices of one shape, their rows of one length
   * @return {@code [blocks, rows, columns]}
   */
  public static Tensor of(double[][][] blocks) {
    return of(Nested.shape(blocks), (double[]) Nested.values(blocks, double.class));
  }

  /**
   * I32 values, matrix by matrix.
   *
   * @param blocks matrices of one shape, their rows of one length
   * @return {@code [blocks, rows, columns]}
   */
  public static Tensor of(int[][][] blocks) {
    return of(Nested.shape(blocks), (int[]) Nested.values(blocks, int.class));
  }

  /**
   * A copy of values that lie in memory in native byte order.
   *
   * @param source heap or native memory of exactly the bytes needed
   * @param dtype the type
   * @param shape the shape
   * @return the tensor
   * @throws TensorException if the sizes differ
   */
  public static Tensor from(MemorySegment source, DType dtype, Shape shape) {
    return from("from", source, dtype, shape);
  }

  private static Tensor from(String op, MemorySegment source, DType dtype, Shape shape) {
    long bytes = shape.size() * dtype.bytes();
    if (source.byteSize() != bytes) {
      throw new TensorException(
          op
              + ": "
              + dtype
              + " "
              + shape
              + " takes "
              + shape.size()
              + " values ("
              + bytes
              + " bytes), the source has "
              + source.byteSize()
              + " bytes");
    }
    Tensor y = empty("from", TensorScope.current().device(), dtype, shape);
    y.device.backend().write(dtype == DType.BOOL ? zerosAndOnes(source) : source, y);
    if (shape.size() == 1) {
      y.storage.filledWith(dtype.rounded(first(source, dtype)));
    }
    return y;
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

  /**
   * {@code start, start + step, …}, all before {@code stop} in the type, computed by {@code start + i·step} in
   * double precision.
   *
   * @param dtype the type
   * @param start the first value
   * @param stop the bound, exclusive
   * @param step the distance, not 0
   * @return a tensor of rank 1
   */
  public static Tensor arange(DType dtype, double start, double stop, double step) {
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

  /**
   * {@code 0, 1, …, n − 1} as I32.
   *
   * @param n how many
   * @return a tensor of rank 1
   */
  public static Tensor arange(int n) {
    return arange(DType.I32, 0, n, 1);
  }

  /**
   * Evenly spaced values, both ends included.
   *
   * @param dtype the type
   * @param start the first value
   * @param end the last value
   * @param count how many
   * @return a tensor of rank 1
   */
  public static Tensor linspace(DType dtype, double start, double end, int count) {
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

  /**
   * The identity matrix.
   *
   * @param dtype the type
   * @param n rows and columns
   * @return {@code [n,n]}
   */
  public static Tensor eye(DType dtype, int n) {
    Tensor y =
        empty("eye", TensorScope.current().device(), dtype, Shape.of(requireCount("eye", n), n));
    y.device.backend().fill(y, 0);
    // The first column, if rows were one longer.
    y.device.backend().fill(y.over(Layout.contiguous(Shape.of(n, n + 1)).select(1, 0)), 1);
    return y;
  }

  private static int requireCount(String op, int n) {
    if (n < 0) {
      throw new TensorException(op + ": the number of elements must be 0 or more, got " + n);
    }
    return n;
  }

  /**
   * {@code index [..] → [.., classes]}: 1 at the position of the index, else 0.
   *
   * @param dtype the type
   * @param index I32, each in {@code [0, classes)}
   * @param classes how many classes
   * @return the one-hot vectors
   */
  public static Tensor oneHot(DType dtype, Tensor index, int classes) {
    if (index.dtype != DType.I32 || classes < 0) {
      throw new TensorException(
          "oneHot: wants an I32 index and a number of classes, got "
              + index.dtype
              + " "
              + index.shape()
              + " and "
              + classes
              + "; convert with cast(DType.I32)");
    }
    if (!index.device.backend().isAsynchronous() && index.size() > 0) {
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
    Tensor base = index.fullLike(index.shape().insert(LAST, classes), 0).cast(DType.F64);
    Tensor at = index.unsqueeze(LAST);
    return base.scatterAdd(at, base.fullLike(at.shape(), 1), LAST).cast(dtype);
  }

  /** A vector of numbers by their positions, a part at a time: the heap need not hold them. */
  private static Tensor ofValues(String op, DType dtype, int count, IntToDoubleFunction value) {
    Tensor y = empty(op, TensorScope.current().device(), dtype, Shape.of(count));
    for (int start = 0; start < count; start += PART) {
      int first = start;
      double[] values = new double[Math.min(PART, count - first)];
      Arrays.setAll(values, i -> value.applyAsDouble(first + i));
      try (var scope = TensorScope.openUnwatched()) {
        Tensor part =
            Interpreter.EAGER.run(() -> ofType(op, dtype, Shape.of(values.length), values));
        y.device.backend().copy(part, y.over(Layout.contiguous(part.shape(), first)));
      }
      if (count - first <= PART) {
        break; // before the next start would wrap
      }
    }
    return y;
  }

  private static Tensor ofType(String op, DType dtype, Shape shape, double... values) {
    for (int i = 0; !dtype.isFloating() && i < values.length; i++) {
      Numbers.require(op, dtype, values[i]);
    }
    Tensor y = of(shape, values);
    return dtype == DType.F64 ? y : y.cast(dtype);
  }

  // ---- ops of several tensors ----

  /**
   * {@code a} where the mask holds, else {@code b}; see {@link Ternary#WHERE}.
   *
   * @param mask BOOL
   * @param a taken where it holds
   * @param b taken elsewhere
   * @return a tensor of the common shape
   */
  public static Tensor where(Tensor mask, Tensor a, Tensor b) {
    return Op.apply(Ternary.WHERE, mask, a, b);
  }

  /**
   * The matrix product {@code this [..,m,k] · b [..,k,n] → [..,m,n]}; see {@link MatMul}. A matrix b
   * is shared by all rows of this, whatever its rank. A vector {@code [k]} is a row on the left, a column
   * on the right, and its axis disappears: {@code [..,m,k] · [k] → [..,m]}. On the CPU an element is off by
   * some 1,100 roundings of {@code Σ|a b|} at most, however large k is.
   *
   * @param b the right operand
   * @return the products
   * @throws TensorException if the inner sizes or the batch axes do not fit
   */
  public Tensor matmul(Tensor b) {
    if (rank() > 0 && b.rank() > 0 && Math.min(rank(), b.rank()) == 1) {
      return withVector(b);
    }
    if (rank() > 2 && b.rank() == 2 && dim(LAST) == b.dim(0)) {
      // One product over all rows, and in the gradient one sum, instead of a batch of products.
      if (size() > 0) {
        Tensor rows = reshape(-1, dim(LAST));
        return Op.apply(MatMul.ROW, rows, b).reshape(shape().with(LAST, b.dim(1)));
      }
    }
    return Op.apply(MatMul.ROW, this, b);
  }

  /** A product in which this, or b, or both are vectors. */
  private Tensor withVector(Tensor b) {
    int inner = b.dim(b.rank() == 1 ? 0 : -2);
    if (dim(LAST) != inner) {
      throw new TensorException(
          "matmul: inner dims differ: "
              + shape()
              + " × "
              + b.shape()
              + " ("
              + dim(LAST)
              + " and "
              + inner
              + "); transpose one, or check the layer's sizes");
    }
    return b.rank() == 1
        ? matmul(b.unsqueeze(1)).squeeze(LAST)
        : unsqueeze(0).matmul(b).squeeze(-2);
  }

  /**
   * A sum of products by subscripts: {@code einsum("bij,bjk->bik", x, y)}.
   *
   * <p>A letter names an axis of each operand, commas separate operands, {@code ...} stands for any number of
   * axes, which broadcast. A letter of several operands multiplies along it; one that the result does not name
   * is summed; twice in one operand it takes the diagonal. Without {@code ->}, the result has the axes of the
   * dots and then, in the order of the alphabet (A to Z, a to z), the letters that stand once. Axes of size 1
   * broadcast. Operands are joined two by two in the order that multiplies least, by matrix products.
   *
   * @param subscripts e.g. {@code "ij,jk->ik"}; blanks do not count
   * @param operands of one numeric type, one for each term
   * @return the sums
   * @throws TensorException if subscripts and shapes do not fit
   */
  public static Tensor einsum(String subscripts, Tensor... operands) {
    return Einsum.of(subscripts, operands);
  }

  /**
   * Tensors one after the other along an axis.
   *
   * @param tensors at least one; equal in all other axes
   * @param axis the axis
   * @return the joined copy
   */
  public static Tensor concat(List<Tensor> tensors, int axis) {
    if (tensors.isEmpty()) {
      throw new TensorException("concat: wants at least one tensor, got none");
    }
    int a = tensors.getFirst().shape().axis("concat", axis);
    return Op.apply(new Joins.Concat(a), tensors.toArray(new Tensor[0]));
  }

  /**
   * Tensors of one shape along a new axis.
   *
   * @param tensors at least one
   * @param axis where the new axis stands, in {@code [-rank-1, rank]}
   * @return the stacked copy
   */
  public static Tensor stack(List<Tensor> tensors, int axis) {
    if (tensors.isEmpty()) {
      throw new TensorException("stack: wants at least one tensor, got none");
    }
    int rank = tensors.getFirst().rank();
    int a = axis < 0 ? axis + rank + 1 : axis;
    if (a < 0 || a > rank) {
      throw new TensorException(
          "stack: no axis " + axis + " can be added to " + tensors.getFirst().shape());
    }
    return Op.apply(new Joins.Stack(a), tensors.toArray(new Tensor[0]));
  }

  /**
   * Elements at positions along an axis; see {@link Indexing.Gather}.
   *
   * @param index I32 of this rank
   * @param axis the axis
   * @return a tensor of the index's shape
   */
  public Tensor gather(Tensor index, int axis) {
    return Op.apply(new Indexing.Gather(shape().axis("gather", axis)), this, index);
  }

  /**
   * This, with elements added at positions along an axis; see {@link Indexing.ScatterAdd}.
   *
   * @param index I32 of this rank
   * @param source what is added, of the index's shape
   * @param axis the axis
   * @return a tensor of this shape
   */
  public Tensor scatterAdd(Tensor index, Tensor source, int axis) {
    return Op.apply(new Indexing.ScatterAdd(shape().axis("scatterAdd", axis)), this, index, source);
  }

  /**
   * Whole slices of an axis; see {@link Indexing.IndexSelect}.
   *
   * @param index I32 of any shape, whose axes take the place of the axis
   * @param axis the axis
   * @return the slices
   */
  public Tensor indexSelect(Tensor index, int axis) {
    return Op.apply(new Indexing.IndexSelect(shape().axis("indexSelect", axis)), this, index);
  }

  /**
   * This, with slices added at positions of an axis; see {@link Indexing.IndexAdd}.
   *
   * @param index I32 of any shape
   * @param source the slices
   * @param axis the axis
   * @return a tensor of this shape
   */
  public Tensor indexAdd(Tensor index, Tensor source, int axis) {
    return Op.apply(new Indexing.IndexAdd(shape().axis("indexAdd", axis)), this, index, source);
  }

  /**
   * Conversion to another element type. Floating numbers are cut to whole ones towards zero; BOOL is
   * {@code x ≠ 0}.
   *
   * @param to the type
   * @return this, if it has the type, or a converted copy
   */
  public Tensor cast(DType to) {
    return to == dtype ? this : Op.apply(new Cast(to), this);
  }

  /**
   * A copy on another device.
   *
   * @param to the device
   * @return this, if it lives there, or a copy
   */
  public Tensor to(Device to) {
    return to == device ? this : Op.apply(new Transfer(device, to), this);
  }

  /**
   * Sums over broadcast axes until the shape is {@code target}: the adjoint of broadcasting.
   *
   * @param target a shape that broadcasts to this one
   * @return a tensor of that shape
   */
  public Tensor sumTo(Shape target) {
    if (shape().equals(target)) {
      return this;
    }
    if (!Shape.broadcast("sumTo", shape(), target).equals(shape())) {
      throw new TensorException("sumTo: " + target + " does not broadcast to " + shape());
    }
    int lead = rank() - target.rank();
    int[] axes = new int[rank()];
    int n = 0;
    for (int i = 0; i < rank(); i++) {
      if (i < lead || (target.dim(i - lead) == 1 && dim(i) != 1)) {
        axes[n++] = i;
      }
    }
    return (n == 0 ? this : sum(Arrays.copyOf(axes, n), true)).reshape(target);
  }

  // ---- writing in place ----

  /**
   * Overwrites the values in place. Not an op: no gradient flows. So within a program that is differentiated a
   * result of that program can be neither overwritten nor written elsewhere, unless it is {@link #detach}ed; and
   * a tape that saved the old value reports it at backward.
   *
   * @param source of this type, on any device; broadcast to this shape
   * @return this
   * @throws TensorException if the type or shape does not fit, elements of this share a place, or a gradient
   *     would come out wrong
   */
  public Tensor assign(Tensor source) {
    if (source.dtype != dtype) {
      throw new TensorException(
          "assign: "
              + source.dtype
              + " into "
              + dtype
              + "; convert it with cast(DType."
              + dtype
              + ")");
    }
    if (!Shape.broadcast("assign", shape(), source.shape()).equals(shape())) {
      throw new TensorException("assign: " + source.shape() + " does not fit into " + shape());
    }
    beforeWrite("assign", source);
    try (var scope = TensorScope.openUnwatched()) {
      Tensor from = source;
      if (source.device != device) {
        from = new Transfer(source.device, device).evaluate(source)[0];
      } else if (source.storage == storage) {
        // Copied first, so that no element is read after it changed.
        from = new Joins.Copy().evaluate(source)[0];
      }
      device.backend().copy(from.expanded(shape()), this);
    }
    storage.touch();
    return this;
  }

  /**
   * Overwrites every element in place; not an op, see {@link #assign}.
   *
   * @param value the value, which the type must be able to hold
   * @return this
   * @throws TensorException if elements of this share a place, the value does not fit, or a gradient would
   *     come out wrong
   */
  public Tensor fill(double value) {
    Numbers.require("fill", dtype, value);
    beforeWrite("fill");
    device.backend().fill(this, value);
    storage.touch();
    return this;
  }

  /**
   * Every way to overwrite a tensor comes by here before it changes anything.
   *
   * @param op what writes, for the error
   * @param sources what the new values are made of
   * @throws TensorException if elements of this share a place, or who records what runs refuses the write
   */
  void beforeWrite(String op, Tensor... sources) {
    if (layout.repeats()) {
      throw new TensorException(
          op
              + ": elements of "
              + dtype
              + " "
              + shape()
              + " share a place since it was expanded; write to a copy()");
    }
    Interpreter.current().beforeWrite(op, this, sources);
  }

  /** Spreads the tensors of a program over a hash table; identity is what equals compares. */
  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  /**
   * Type, shape and values with so many digits after the point: small tensors whole, large ones abridged.
   *
   * @param decimals how many, from 0 to 17
   * @return the text
   * @throws TensorException if it is another number
   */
  public String toString(int decimals) {
    if (decimals < 0 || decimals > 17) {
      throw new TensorException("toString: decimals must be from 0 to 17, got " + decimals);
    }
    return Printer.print(this, decimals);
  }

  /**
   * Type, shape and values: small tensors whole, large ones abridged. Numbers have exponents where the largest is 10⁶
   * or more, or below 10⁻⁴.
   */
  @Override
  public String toString() {
    return Printer.print(this);
  }
}
