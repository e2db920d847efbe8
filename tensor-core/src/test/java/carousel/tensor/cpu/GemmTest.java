package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.vector.VectorTiles;
import carousel.tensor.host.HostMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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

  static Stream<Tiles> tiles() {
    List<Tiles> all = new ArrayList<>(List.of(new ScalarTiles(false), new ScalarTiles(true)));
    for (int bits : new int[] {128, 256, 512}) {
      all.add(VectorTiles.f32(bits));
      all.add(VectorTiles.f64(bits));
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void equalsTheSumForEveryLayout(Tiles tiles) {
    Gemm gemm = new Gemm(tiles, HostMemory.pool());
    SplittableRandom random = new SplittableRandom(7);
    for (int[] shape : SHAPES) {
      for (int layout = 0; layout < 16; layout++) {
        check(gemm, tiles, shape[0], shape[1], shape[2], layout, random);
      }
    }
  }

  /** Bits of {@code layout}: A transposed, B transposed, rows padded, accumulate. */
  private static void check(
      Gemm gemm, Tiles tiles, int m, int n, int k, int layout, SplittableRandom random) {
    boolean aT = (layout & 1) != 0;
    boolean bT = (layout & 2) != 0;
    int pad = (layout & 4) != 0 ? 3 : 0;
    boolean accumulate = (layout & 8) != 0;
    int aRow = aT ? 1 : k + pad;
    int aColumn = aT ? m + pad : 1;
    int bRow = bT ? 1 : n + pad;
    int bColumn = bT ? k + pad : 1;
    int cRow = n + pad;
    try (Arena arena = Arena.ofConfined()) {
      boolean f64 = tiles.elementSize() == 8;
      Matrix a = new Matrix(arena, f64, (m + pad) * (k + pad), random);
      Matrix b = new Matrix(arena, f64, (n + pad) * (k + pad), random);
      Matrix c = new Matrix(arena, f64, m * cRow + pad, random);
      double[] before = c.toArray();
      gemm.multiply(
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
      double unit = f64 ? 1e-15 : 1e-6;
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < cRow && i * cRow + j < before.length; j++) {
          double sum = j < n && !accumulate ? 0 : before[i * cRow + j];
          double scale = 1;
          for (int p = 0; j < n && p < k; p++) {
            double term = a.at(i * aRow + p * aColumn) * b.at(p * bRow + j * bColumn);
            sum += term;
            scale += Math.abs(term);
          }
          assertThat(Math.abs(c.at(i * cRow + j) - sum))
              .as("%s [%d,%d,%d] layout %d at [%d,%d]", tiles, m, n, k, layout, i, j)
              .isLessThanOrEqualTo(unit * scale);
        }
      }
    }
  }

  @Test
  void broadcastOperandsHaveStrideZero() {
    try (Arena arena = Arena.ofConfined()) {
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
    SplittableRandom random = new SplittableRandom(3);
    try (Arena arena = Arena.ofConfined()) {
      Matrix a = new Matrix(arena, false, m * k, random);
      Matrix b = new Matrix(arena, false, n * k, random);
      List<double[]> results = new ArrayList<>();
      for (int threads : new int[] {1, 2, 3}) {
        Workers.threads(threads);
        Matrix c = new Matrix(arena, false, m * n, random);
        new Gemm(VectorTiles.f32(256), HostMemory.pool())
            .multiply(m, n, k, a.address(), k, 1, b.address(), n, 1, c.address(), n, false);
        results.add(c.toArray());
      }
      assertThat(results.get(1)).isEqualTo(results.get(0));
      assertThat(results.get(2)).isEqualTo(results.get(0));
    }
  }

  /** Elements of one type off the heap, between -1 and 1. */
  private record Matrix(MemorySegment memory, boolean f64, int length) {
    Matrix(Arena arena, boolean f64, int length, SplittableRandom random) {
      this(arena.allocate(Math.max(1, length) * 8L, 64), f64, length);
      for (int i = 0; i < length; i++) {
        double value = random.nextDouble(-1, 1);
        if (f64) {
          memory.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
        } else {
          memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
        }
      }
    }

    long address() {
      return memory.address();
    }

    double at(long i) {
      return f64
          ? memory.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
          : memory.getAtIndex(ValueLayout.JAVA_FLOAT, i);
    }

    double[] toArray() {
      double[] values = new double[length];
      for (int i = 0; i < length; i++) {
        values[i] = at(i);
      }
      return values;
    }
  }
}
