package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.Bytes;
import carousel.tensor.host.HostMemory;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/** Operands in awkward layouts, and the comparison of a backend's results with the reference's. */
final class Operands {
  /** Ways to lay out an operand; see {@link #tensor}. */
  static final int LAYOUTS = 6;

  private static final double[] SPECIAL = {
    0,
    -0.0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    1e-40,
    -1e-40,
    88.5,
    -88.5,
    100,
    -100,
    1e30,
    -1e30,
    3e38,
    8388609.0
  };

  private final SplittableRandom random;
  private final int greatest;

  Operands(long seed) {
    this(seed, 9);
  }

  /** Of whole numbers up to one, and from its negative. */
  Operands(long seed, int greatest) {
    this.random = new SplittableRandom(seed);
    this.greatest = greatest;
  }

  /** Every family of loops there is on this machine. */
  static Stream<Kernels> kernels() {
    return Stream.of(
        new ScalarKernels(),
        new VectorKernels(128),
        new VectorKernels(256),
        new VectorKernels(512));
  }

  static CpuBackend backend(Kernels kernels) {
    return new CpuBackend(HostMemory.pool(), kernels);
  }

  /**
   * A tensor of a shape, filled at random.
   *
   * @param layout 0 dense, 1 last two axes transposed, 2 every second element, 3 flipped, 4 repeated
   *     along the first axis, 5 repeated along the last
   */
  Tensor tensor(DType type, int layout, boolean special, int... dims) {
    int rank = dims.length;
    Tensor x =
        switch (rank == 0 ? 0 : layout) {
          case 1 -> {
            int[] d = dims.clone();
            int[] order = new int[rank];
            for (int k = 0; k < rank; k++) {
              order[k] = k;
            }
            if (rank > 1) {
              d[rank - 1] = dims[rank - 2];
              d[rank - 2] = dims[rank - 1];
              order[rank - 1] = rank - 2;
              order[rank - 2] = rank - 1;
            }
            Tensor t = dense(type, special, d);
            yield t.over(t.layout().permute(order));
          }
          case 2 -> {
            int[] d = dims.clone();
            d[rank - 1] = 2 * d[rank - 1] + 1;
            Tensor t = dense(type, special, d);
            yield t.over(t.layout().slice(rank - 1, 1, 2, dims[rank - 1]));
          }
          case 3 -> {
            Tensor t = dense(type, special, dims);
            int n = dims[rank - 1];
            yield t.over(t.layout().slice(rank - 1, Math.max(0, n - 1), -1, n));
          }
          case 4, 5 -> {
            int axis = layout == 4 ? 0 : rank - 1;
            Tensor t = dense(type, special, Shape.of(dims).with(axis, 1).toArray());
            yield t.expanded(Shape.of(dims));
          }
          default -> dense(type, special, dims);
        };
    assertThat(x.shape()).isEqualTo(Shape.of(dims));
    return x;
  }

  /** A dense tensor of small numbers, or with special values among them. */
  Tensor dense(DType type, boolean special, int... dims) {
    Tensor x = empty(type, dims);
    Element element = Element.of(type);
    for (long i = 0; i < x.size(); i++) {
      double value =
          switch (type) {
            case BOOL -> random.nextInt(2);
            case I32 -> random.nextInt(-greatest, greatest + 1);
            default ->
                special && random.nextInt(3) == 0
                    ? SPECIAL[random.nextInt(SPECIAL.length)]
                    : random.nextDouble(-4, 4);
          };
      element.set(x.address() + i * element.size(), value);
    }
    return x;
  }

  /** Indices below a bound. */
  Tensor indices(int bound, int... dims) {
    Tensor x = empty(DType.I32, dims);
    for (long i = 0; i < x.size(); i++) {
      Bytes.i32(x.address() + 4 * i, random.nextInt(bound));
    }
    return x;
  }

  static Tensor empty(DType type, int... dims) {
    return Tensor.empty("test", Device.reference(), type, Shape.of(dims));
  }

  /** A dense copy, element by element. */
  static Tensor copy(Tensor x) {
    Tensor y = empty(x.dtype(), x.shape().toArray());
    Strided from = Strided.of(x);
    for (long i = 0; i < x.size(); i++) {
      long to = y.address() + i * from.size();
      Element.move(from.size(), from.row(i, from.dims().length), to);
    }
    return y;
  }

  /** Visits the elements of two tensors of one shape. */
  static void pairs(Tensor a, Tensor b, BiConsumer<Double, Double> visit) {
    Strided x = Strided.of(a);
    Strided y = Strided.of(b);
    Element first = Element.of(a.dtype());
    Element second = Element.of(b.dtype());
    for (long i = 0; i < a.size(); i++) {
      visit.accept(first.get(x.row(i, x.dims().length)), second.get(y.row(i, y.dims().length)));
    }
  }

  /**
   * Asserts that each element is within {@code relative · |expected| + absolute}; NaN and infinities
   * must be the same.
   */
  static void assertClose(
      Tensor got, Tensor expected, double relative, double absolute, String what) {
    pairs(
        got,
        expected,
        (g, e) -> {
          if (g.equals(e) || (g == 0 && e == 0)) {
            return;
          }
          assertThat(Math.abs(g - e))
              .as("%s: got %s, expected %s", what, g, e)
              .isLessThanOrEqualTo(relative * Math.abs(e) + absolute);
        });
  }
}
