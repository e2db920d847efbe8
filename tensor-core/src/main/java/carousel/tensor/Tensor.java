package carousel.tensor;

import carousel.tensor.op.Joins;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * An n-dimensional array over off-heap memory: a {@link Layout} over a {@link Storage}.
 *
 * <p>Values never change except through {@link #assign} and {@link #fill}; every op returns a new
 * tensor, owned by the innermost open {@link TensorScope}. Views share storage. What applying an op means
 * is up to the ambient {@link carousel.tensor.op.Interpreter}; a tensor itself knows nothing of
 * gradients. {@code equals} is identity; compare values with {@link #allClose} or {@link
 * #sameValues}.
 *
 * <p>What can be computed of one is in interfaces, by what it is about: {@link Elementwise} and {@link Reductions} first.
 */
public final class Tensor
    implements Elementwise,
        Arithmetic,
        Comparing,
        Activations,
        Reductions,
        Statistics,
        Ordering,
        Running,
        Shaping,
        Cutting,
        Rearranging,
        Selecting,
        Contracting,
        Copying,
        Overwriting,
        HostValues {
  /** The last axis, −1. */
  public static final int LAST = -1;

  private static int serials;

  private final Storage storage;
  private final Layout layout;
  private final DType dtype;
  private final Device device;
  private final int hash = ++serials * 0x9E3779B9;

  Tensor(Storage storage, Layout layout, DType dtype, Device device) {
    this.storage = storage;
    this.layout = layout;
    this.dtype = dtype;
    this.device = device;
  }

  // ---- what engines and backends use: see Engine ----

  Tensor over(Layout other) {
    return new Tensor(storage, other, dtype, device);
  }

  Storage storage() {
    return storage;
  }

  Layout layout() {
    return layout;
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

  // ---- creation ----

  /**
   * {@return zeros of type F32}
   *
   * @param dims the shape
   */
  public static Tensor zeros(int... dims) {
    return full(DType.F32, 0, dims);
  }

  /**
   * {@return zeros}
   *
   * @param dtype the type
   * @param dims the shape
   */
  public static Tensor zeros(DType dtype, int... dims) {
    return full(dtype, 0, dims);
  }

  /**
   * {@return ones of type F32}
   *
   * @param dims the shape
   */
  public static Tensor ones(int... dims) {
    return full(DType.F32, 1, dims);
  }

  /**
   * {@return ones}
   *
   * @param dtype the type
   * @param dims the shape
   */
  public static Tensor ones(DType dtype, int... dims) {
    return full(dtype, 1, dims);
  }

  /**
   * {@return one value everywhere}
   *
   * @param dtype the type
   * @param value the value
   * @param dims the shape
   */
  public static Tensor full(DType dtype, double value, int... dims) {
    return Creation.full(dtype, Shape.of(dims), value);
  }

  /**
   * {@return F32 values in one axis}
   *
   * @param values the values
   */
  public static Tensor of(float... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * {@return F64 values in one axis}
   *
   * @param values the values
   */
  public static Tensor of(double... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * {@return I32 values in one axis}
   *
   * @param values the values
   */
  public static Tensor of(int... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * {@return F32 values in row-major order}
   *
   * @param shape the shape
   * @param values as many values as the shape has
   */
  public static Tensor of(Shape shape, float... values) {
    return Creation.from("of", MemorySegment.ofArray(values), DType.F32, shape);
  }

  /**
   * {@return F64 values in row-major order}
   *
   * @param shape the shape
   * @param values as many values as the shape has
   */
  public static Tensor of(Shape shape, double... values) {
    return Creation.from("of", MemorySegment.ofArray(values), DType.F64, shape);
  }

  /**
   * {@return I32 values in row-major order}
   *
   * @param shape the shape
   * @param values as many values as the shape has
   */
  public static Tensor of(Shape shape, int... values) {
    return Creation.from("of", MemorySegment.ofArray(values), DType.I32, shape);
  }

  /**
   * {@return BOOL values in row-major order}
   *
   * @param shape the shape
   * @param values as many values as the shape has
   */
  public static Tensor of(Shape shape, boolean... values) {
    return Creation.ofTruths(shape, values);
  }

  /**
   * {@return values of a type in one axis}
   *
   * @param dtype the type
   * @param values the values; I32 takes whole numbers that fit, BOOL 0 and 1
   */
  public static Tensor of(DType dtype, double... values) {
    return of(dtype, Shape.of(values.length), values);
  }

  /**
   * {@return values of a type in row-major order}
   *
   * @param dtype the type
   * @param shape the shape
   * @param values as many values as the shape has; I32 takes whole numbers that fit, BOOL 0 and 1
   */
  public static Tensor of(DType dtype, Shape shape, double... values) {
    return Creation.ofType("of", dtype, shape, values);
  }

  /**
   * {@return BOOL values in one axis}
   *
   * @param values the values
   */
  public static Tensor of(boolean... values) {
    return of(Shape.of(values.length), values);
  }

  /**
   * {@return F32 values, row by row: {@code [rows, columns]}}
   *
   * @param rows rows of one length
   */
  public static Tensor of(float[][] rows) {
    return of(Nested.shape(rows), (float[]) Nested.values(rows, float.class));
  }

  /**
   * {@return F64 values, row by row: {@code [rows, columns]}}
   *
   * @param rows rows of one length
   */
  public static Tensor of(double[][] rows) {
    return of(Nested.shape(rows), (double[]) Nested.values(rows, double.class));
  }

  /**
   * {@return I32 values, row by row: {@code [rows, columns]}}
   *
   * @param rows rows of one length
   */
  public static Tensor of(int[][] rows) {
    return of(Nested.shape(rows), (int[]) Nested.values(rows, int.class));
  }

  /**
   * {@return BOOL values, row by row: {@code [rows, columns]}}
   *
   * @param rows rows of one length
   */
  public static Tensor of(boolean[][] rows) {
    return of(Nested.shape(rows), (boolean[]) Nested.values(rows, boolean.class));
  }

  /**
   * {@return F32 values, matrix by matrix: {@code [blocks, rows, columns]}}
   *
   * @param blocks matrices of one shape, their rows of one length
   */
  public static Tensor of(float[][][] blocks) {
    return of(Nested.shape(blocks), (float[]) Nested.values(blocks, float.class));
  }

  /**
   * {@return F64 values, matrix by matrix: {@code [blocks, rows, columns]}}
   *
   * @param blocks matrices of one shape, their rows of one length
   */
  public static Tensor of(double[][][] blocks) {
    return of(Nested.shape(blocks), (double[]) Nested.values(blocks, double.class));
  }

  /**
   * {@return I32 values, matrix by matrix: {@code [blocks, rows, columns]}}
   *
   * @param blocks matrices of one shape, their rows of one length
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
    return Creation.from("from", source, dtype, shape);
  }

  /**
   * {@return {@code start, start + step, …}, all before {@code stop} in the type, computed by {@code start + i·step} in
   * double precision}
   *
   * @param dtype the type
   * @param start the first value
   * @param stop the bound, exclusive
   * @param step the distance, not 0
   */
  public static Tensor arange(DType dtype, double start, double stop, double step) {
    return Creation.arange(dtype, start, stop, step);
  }

  /**
   * {@return {@code 0, 1, …, n − 1} as I32}
   *
   * @param n how many
   */
  public static Tensor arange(int n) {
    return arange(DType.I32, 0, n, 1);
  }

  /**
   * {@return evenly spaced values in one axis, both ends included}
   *
   * @param dtype the type
   * @param start the first value
   * @param end the last value
   * @param count how many
   */
  public static Tensor linspace(DType dtype, double start, double end, int count) {
    return Creation.linspace(dtype, start, end, count);
  }

  /**
   * {@return the identity matrix {@code [n,n]}}
   *
   * @param dtype the type
   * @param n rows and columns
   */
  public static Tensor eye(DType dtype, int n) {
    return Creation.eye(dtype, n);
  }

  /**
   * {@return one-hot vectors, {@code index [..] → [.., classes]}: 1 at the position of the index, else 0}
   *
   * @param dtype the type
   * @param index I32, each in {@code [0, classes)}
   * @param classes how many classes
   */
  public static Tensor oneHot(DType dtype, Tensor index, int classes) {
    return Creation.oneHot(dtype, index, classes);
  }

  // ---- ops of several tensors ----

  /**
   * {@return {@code a} where the mask holds, else {@code b}, of the common shape; see {@link Ternary#WHERE}}
   *
   * @param mask BOOL
   * @param a taken where it holds
   * @param b taken elsewhere
   */
  public static Tensor where(Tensor mask, Tensor a, Tensor b) {
    return Op.apply(Ternary.WHERE, mask, a, b);
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
   * {@return a copy of tensors one after the other along an axis}
   *
   * @param tensors at least one; equal in all other axes
   * @param axis the axis
   */
  public static Tensor concat(List<Tensor> tensors, int axis) {
    int a = first("concat", tensors).axis("concat", axis);
    return Op.apply(new Joins.Concat(a), tensors.toArray(new Tensor[0]));
  }

  /**
   * {@return a copy of tensors of one shape along a new axis}
   *
   * @param tensors at least one
   * @param axis where the new axis stands, in {@code [-rank-1, rank]}
   */
  public static Tensor stack(List<Tensor> tensors, int axis) {
    int a = first("stack", tensors).newAxis("stack", axis);
    return Op.apply(new Joins.Stack(a), tensors.toArray(new Tensor[0]));
  }

  private static Shape first(String op, List<Tensor> tensors) {
    if (tensors.isEmpty()) {
      throw new TensorException(op + ": wants at least one tensor, got none");
    }
    return tensors.getFirst().shape();
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
   * Type, shape and values: small tensors whole, large ones abridged. Numbers have exponents where the largest is 10⁶
   * or more, or below 10⁻⁴.
   */
  @Override
  public String toString() {
    return Printer.print(this);
  }
}
