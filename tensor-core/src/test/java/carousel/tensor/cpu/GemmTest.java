package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.vector.VectorTiles;
import carousel.tensor.host.HostMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The product against a sum in f64, for awkward sizes and every way of laying out the operands. */
class GemmTest {
  private static final int[][] SHAPES = {
    {1, 1, 1},
    {1, 1, 0},
    {0, 3, 2},
    {3, 0, 2},
    {1, 33, 7},
    {3, 5, 7},
    {4, 32, 16},
    {5, 31, 300},
    {8, 64, 256},
    {12, 32, 257},
    {13, 17, 19},
    {16, 48, 33},
    {17, 100, 40},
    {20, 200, 30},
    {24, 33, 1030},
    {25, 65, 64},
    {97, 70, 40},
    {130, 129, 131},
    {200, 40, 270},
    {1, 200, 700},
    {50, 1, 70},
    {250, 33, 1030},
    {1950, 3, 5},
    {1030, 5, 1020}, // more than is packed of A at a time
    {2, 2100, 1020}, // and of B
    {26, 40, 2070},
    {3, 17, 33_500}, // more than are added up one after the other
    {1, 1, 70_000}
  };

  private final int threads = Workers.threads();

  @AfterEach
  void restoreThreads() {
    Workers.threads(threads);
  }

  /** Every family of loops there is, of one type. */
  private static List<Tiles> tiles(boolean f64) {
    List<Tiles> all = new ArrayList<>(List.of(new ScalarTiles(f64)));
    for (int bits : new int[] {128, 256, 512}) {
      all.add(f64 ? VectorTiles.f64(bits) : VectorTiles.f32(bits));
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void equalsTheSumForEveryLayout(boolean f64) {
    var random = new SplittableRandom(7);
    List<Tiles> tiles = tiles(f64);
    assertThat(tiles).allMatch(t -> t.elementSize() == (f64 ? 8 : 4));
    for (int[] shape : SHAPES) {
      var product = Product.of(f64, shape[0], shape[1], shape[2], random);
      for (int layout = 0; layout < 16; layout++) {
        check(product, tiles, layout);
      }
    }
  }

  /** Bits of {@code layout}: A transposed, B transposed, rows padded, accumulate. */
  private static void check(Product product, List<Tiles> tiles, int layout) {
    int m = product.m();
    int n = product.n();
    int k = product.k();
    boolean f64 = product.f64();
    boolean aT = (layout & 1) != 0;
    boolean bT = (layout & 2) != 0;
    int pad = (layout & 4) != 0 ? 3 : 0;
    boolean accumulate = (layout & 8) != 0;
    int aRow = aT ? 1 : k + pad;
    int aColumn = aT ? m + pad : 1;
    int bRow = bT ? 1 : n + pad;
    int bColumn = bT ? k + pad : 1;
    int cRow = n + pad;
    double[] before = new double[m * cRow + pad];
    Arrays.setAll(before, i -> (i % 8 - 3) / 4.0);
    try (var arena = Arena.ofConfined()) {
      var a = new Matrix(arena, f64, (m + pad) * (k + pad));
      var b = new Matrix(arena, f64, (n + pad) * (k + pad));
      var c = new Matrix(arena, f64, before.length);
      a.set(product.a(), m, k, aRow, aColumn);
      b.set(product.b(), k, n, bRow, bColumn);
      for (Tiles some : tiles) {
        c.set(before, 1, before.length, before.length, 1);
        new Gemm(some, HostMemory.pool())
            .multiply(
                m,
                n,
                k,
                a.address(),
                aRow,
                aColumn,
                b.address(),
                bRow,
                bColumn,
                c.address(),
                cRow,
                accumulate);
        product.compare(c.toArray(), before, cRow, accumulate, some + " layout " + layout);
      }
    }
  }

  /**
   * Two matrices and what their product is, row by row: found once for all layouts and families.
   *
   * @param sums of the terms, in f64
   * @param sizes the sums of the terms' magnitudes, and 1
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Product(
      boolean f64, int m, int n, int k, double[] a, double[] b, double[] sums, double[] sizes) {
    static Product of(boolean f64, int m, int n, int k, SplittableRandom random) {
      double[] a = numbers(f64, m * k, random);
      double[] b = numbers(f64, k * n, random);
      double[] sums = new double[m * n];
      double[] sizes = new double[m * n];
      Arrays.fill(sizes, 1);
      for (int i = 0; i < m; i++) {
        for (int p = 0; p < k; p++) {
          double factor = a[i * k + p];
          for (int j = 0; j < n; j++) {
            double term = factor * b[p * n + j];
            sums[i * n + j] += term;
            sizes[i * n + j] += Math.abs(term);
          }
        }
      }
      return new Product(f64, m, n, k, a, b, sums, sizes);
    }

    /** Holds rows of C, each followed by what lies between rows, against the sums. */
    void compare(double[] c, double[] before, int cRow, boolean accumulate, String what) {
      double unit = f64 ? 1e-15 : 1e-6;
      for (int at = 0; at < c.length; at++) {
        int i = at / cRow;
        int j = at % cRow;
        boolean inside = i < m && j < n;
        double sum = inside ? sums[i * n + j] : 0;
        double expected = accumulate || !inside ? before[at] + sum : sum;
        double bound = inside ? unit * sizes[i * n + j] : 0;
        if (!(Math.abs(c[at] - expected) <= bound)) {
          fail(
              "%s [%d,%d,%d] at [%d,%d]: %s, not %s ± %s",
              what, m, n, k, i, j, c[at], expected, bound);
        }
      }
    }
  }

  /** Of a type, between -1 and 1. */
  private static double[] numbers(boolean f64, int count, SplittableRandom random) {
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      double value = random.nextDouble(-1, 1);
      numbers[i] = f64 ? value : (float) value;
    }
    return numbers;
  }

  @Test
  void broadcastOperandsHaveStrideZero() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment two = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 2f);
      MemorySegment c = arena.allocate(4 * 20 * 40, 64);
      new Gemm(VectorTiles.f32(128), HostMemory.pool())
          .multiply(20, 40, 10, two.address(), 0, 0, two.address(), 0, 0, c.address(), 40, false);
      for (int i = 0; i < 800; i++) {
        assertThat(c.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(40f);
      }
    }
  }

  @Test
  void theNumberOfThreadsDoesNotChangeABit() {
    bitsOfThreads(130, 1100, 520);
    bitsOfThreads(5, 70, 34_000);
  }

  private static void bitsOfThreads(int m, int n, int k) {
    var random = new SplittableRandom(3);
    try (var arena = Arena.ofConfined()) {
      var a = new Matrix(arena, false, m * k);
      var b = new Matrix(arena, false, n * k);
      a.set(numbers(false, m * k, random), m, k, k, 1);
      b.set(numbers(false, n * k, random), k, n, n, 1);
      List<double[]> results = new ArrayList<>();
      for (int threads : new int[] {1, 2, 3}) {
        Workers.threads(threads);
        var c = new Matrix(arena, false, m * n);
        new Gemm(VectorTiles.f32(256), HostMemory.pool())
            .multiply(m, n, k, a.address(), k, 1, b.address(), n, 1, c.address(), n, false);
        results.add(c.toArray());
      }
      assertThat(results.get(1)).isEqualTo(results.get(0));
      assertThat(results.get(2)).isEqualTo(results.get(0));
    }
  }

  /** Elements of one type off the heap; NaN where nothing is set. */
  private record Matrix(MemorySegment memory, boolean f64, int length) {
    Matrix(Arena arena, boolean f64, int length) {
      this(arena.allocate(Math.max(1, length) * 8L, 64), f64, length);
      memory.fill((byte) -1);
    }

    long address() {
      return memory.address();
    }

    /** Lays rows of numbers out by strides. */
    void set(double[] values, int rows, int columns, int row, int column) {
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          long at = (long) i * row + (long) j * column;
          double value = values[i * columns + j];
          if (f64) {
            memory.setAtIndex(ValueLayout.JAVA_DOUBLE, at, value);
          } else {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) value);
          }
        }
      }
    }

    double[] toArray() {
      double[] values = new double[length];
      for (int i = 0; i < length; i++) {
        values[i] =
            f64
                ? memory.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                : memory.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      }
      return values;
    }
  }
}
