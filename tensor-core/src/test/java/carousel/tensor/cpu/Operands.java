package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.contract.Combinations;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.Bytes;
import carousel.tensor.host.HostMemory;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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

  static final ReferenceBackend REFERENCE = new ReferenceBackend();

  /** Of every family of loops. */
  static final List<CpuBackend> BACKENDS = kernels().map(Operands::backend).toList();

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
            yield Engine.over(t, Engine.layout(t).permute(order));
          }
          case 2 -> {
            int[] d = dims.clone();
            d[rank - 1] = 2 * d[rank - 1] + 1;
            Tensor t = dense(type, special, d);
            yield Engine.over(t, Engine.layout(t).slice(rank - 1, 1, 2, dims[rank - 1]));
          }
          case 3 -> {
            Tensor t = dense(type, special, dims);
            int n = dims[rank - 1];
            yield Engine.over(t, Engine.layout(t).slice(rank - 1, Math.max(0, n - 1), -1, n));
          }
          case 4, 5 -> {
            int axis = layout == 4 ? 0 : rank - 1;
            Tensor t = dense(type, special, Shape.of(dims).with(axis, 1).toArray());
            yield Engine.expanded(t, Shape.of(dims));
          }
          default -> dense(type, special, dims);
        };
    assertThat(x.shape()).isEqualTo(Shape.of(dims));
    return x;
  }

  /** A dense tensor of small numbers, or with special values among them. */
  Tensor dense(DType type, boolean special, int... dims) {
    Tensor x = empty(type, dims);
    var element = Element.of(type);
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
      element.set(Engine.address(x) + i * element.size(), value);
    }
    return x;
  }

  /** Indices below a bound. */
  Tensor indices(int bound, int... dims) {
    Tensor x = empty(DType.I32, dims);
    for (long i = 0; i < x.size(); i++) {
      Bytes.i32(Engine.address(x) + 4 * i, random.nextInt(bound));
    }
    return x;
  }

  /** Of numbers that nothing gives: what is not written shows. */
  static Tensor empty(DType type, int... dims) {
    Tensor x = Engine.empty("test", Device.reference(), type, Shape.of(dims));
    MemorySegment.ofAddress(Engine.address(x))
        .reinterpret(x.size() * type.bytes())
        .fill((byte) 0x7E);
    return x;
  }

  /** A dense copy, element by element. */
  static Tensor copy(Tensor x) {
    Tensor y = empty(x.dtype(), x.shape().toArray());
    var from = Strided.of(x);
    for (long i = 0; i < x.size(); i++) {
      long to = Engine.address(y) + i * from.size();
      Element.move(from.size(), from.row(i, from.dims().length), to);
    }
    return y;
  }

  /** The elements in row-major order. */
  static double[] values(Tensor x) {
    var from = Strided.of(x);
    var element = Element.of(x.dtype());
    double[] values = new double[Math.toIntExact(x.size())];
    if (Engine.layout(x).isContiguous()) {
      for (int i = 0; i < values.length; i++) {
        values[i] = element.get(from.address() + (long) i * from.size());
      }
    } else {
      for (int i = 0; i < values.length; i++) {
        values[i] = element.get(from.row(i, from.dims().length));
      }
    }
    return values;
  }

  /** Visits the elements of two tensors of one shape. */
  static void pairs(Tensor a, Tensor b, BiConsumer<Double, Double> visit) {
    double[] x = values(a);
    double[] y = values(b);
    for (int i = 0; i < x.length; i++) {
      visit.accept(x[i], y[i]);
    }
  }

  /**
   * Asserts that each element is within {@code relative · |expected| + absolute}; NaN and infinities
   * must be the same.
   */
  static void assertClose(
      Tensor got, Tensor expected, double relative, double absolute, String what) {
    double[] actual = values(got);
    double[] wanted = values(expected);
    for (int i = 0; i < actual.length; i++) {
      double g = actual[i];
      double e = wanted[i];
      boolean same = g == e || (Double.isNaN(g) && Double.isNaN(e));
      if (!same && !(Math.abs(g - e) <= relative * Math.abs(e) + absolute)) {
        fail("%s: element %d is %s, expected %s", what, i, g, e);
      }
    }
  }

  /** Of all families the loops without vectors, and of vectors one width, another for another case. */
  static List<CpuBackend> some(String of) {
    List<CpuBackend> some = new ArrayList<>(BACKENDS.subList(0, 1));
    some.addAll(Combinations.oneOf(BACKENDS.subList(1, BACKENDS.size()), of));
    return some;
  }

  /** What a backend writes into a result. */
  @FunctionalInterface
  interface Call {
    void on(Backend backend, Tensor result);
  }

  /**
   * Runs an op once on the reference and on the loops without vectors and on vectors of one width, into results that begin as dense
   * copies of one tensor, and asserts that they are close.
   *
   * @param begin values that the op may read, or whatever is in memory
   */
  static void agree(Call op, Tensor begin, double relative, double absolute, String what) {
    Tensor expected = copy(begin);
    op.on(REFERENCE, expected);
    for (CpuBackend cpu : some(what)) {
      Tensor got = copy(begin);
      op.on(cpu, got);
      assertClose(got, expected, relative, absolute, cpu.description() + ", " + what);
    }
  }
}
