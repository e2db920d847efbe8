package carousel.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import carousel.cuda.FakeLibraries;
import carousel.cuda.driver.BatchedGemm.Matrix;
import carousel.tensor.DType;
import carousel.tensor.TensorException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The call of cuBLAS, against a library that computes what cuBLAS documents, on the host. */
class ForeignCublasTest {
  private static final long STREAM = 77; // what fake_cublas.c expects

  @TempDir static Path folder;

  private static SymbolLookup library() throws Exception {
    return SymbolLookup.libraryLookup(FakeLibraries.cublas(folder, 13), Arena.global());
  }

  @Test
  void multipliesRowMajorMatricesOfAnyLayout() throws Exception {
    var random = new Random(1);
    for (Precision precision : List.of(Precision.F32, Precision.BF16)) {
      var cublas = new ForeignCublas(library(), STREAM, precision);
      for (int round = 0; round < 200; round++) {
        check(cublas, random, round % 2 == 0 ? DType.F32 : DType.F64);
      }
    }
  }

  /** 257 takes nine bits. */
  @Test
  void roundsIfAskedTo() throws Exception {
    try (var arena = Arena.ofConfined()) {
      var x = arena.allocateFrom(JAVA_FLOAT, 257);
      var y = arena.allocate(JAVA_FLOAT);
      var a = new Matrix(x.address(), false, 1, 0);
      var product =
          new BatchedGemm(DType.F32, 1, 1, 1, a, a, new Matrix(y.address(), false, 1, 0), 0, 1);
      new ForeignCublas(library(), STREAM, Precision.F32).gemm(product);
      assertThat(y.get(JAVA_FLOAT, 0)).isEqualTo(257 * 257);
      new ForeignCublas(library(), STREAM, Precision.BF16).gemm(product);
      assertThat(y.get(JAVA_FLOAT, 0)).isEqualTo(256 * 256);
    }
  }

  private static void check(Blas cublas, Random random, DType type) {
    int m = 1 + random.nextInt(5);
    int n = 1 + random.nextInt(5);
    int k = 1 + random.nextInt(5);
    int batch = 1 + random.nextInt(3);
    double beta = random.nextBoolean() ? 1 : 0;
    try (var arena = Arena.ofConfined()) {
      var a =
          Numbers.of(arena, random, type, m, k, batch, random.nextBoolean(), random.nextBoolean());
      var b =
          Numbers.of(arena, random, type, k, n, batch, random.nextBoolean(), random.nextBoolean());
      var y = Numbers.of(arena, random, type, m, n, batch, false, false);
      double[] expected = new double[batch * m * n];
      for (int t = 0; t < batch; t++) {
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < n; j++) {
            double sum = beta == 0 ? 0 : y.get(t, i, j);
            for (int l = 0; l < k; l++) {
              sum += a.get(t, i, l) * b.get(t, l, j);
            }
            expected[(t * m + i) * n + j] = sum;
          }
        }
      }

      cublas.gemm(new BatchedGemm(type, m, n, k, a.matrix, b.matrix, y.matrix, beta, batch));

      for (int t = 0; t < batch; t++) {
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < n; j++) {
            // Small whole numbers: exact in all types.
            assertThat(y.get(t, i, j)).isEqualTo(expected[(t * m + i) * n + j]);
          }
        }
      }
    }
  }

  /** Small whole numbers in some layout. */
  private record Numbers(MemorySegment memory, DType type, Matrix matrix) {
    static Numbers of(
        Arena arena,
        Random random,
        DType type,
        int rows,
        int columns,
        int batch,
        boolean transposed,
        boolean repeated) {
      int lead = (transposed ? rows : columns) + random.nextInt(3);
      int one = lead * (transposed ? columns : rows);
      int apart = repeated ? 0 : one + random.nextInt(3);
      int count = one + apart * (batch - 1);
      var memory = arena.allocate(8L * count, 8);
      for (int i = 0; i < count; i++) {
        int value = random.nextInt(-4, 5);
        if (type == DType.F32) {
          memory.setAtIndex(JAVA_FLOAT, i, value);
        } else {
          memory.setAtIndex(JAVA_DOUBLE, i, value);
        }
      }
      return new Numbers(memory, type, new Matrix(memory.address(), transposed, lead, apart));
    }

    double get(int t, int i, int j) {
      long at =
          t * matrix.apart()
              + (matrix.transposed() ? j * matrix.lead() + i : i * matrix.lead() + j);
      return type == DType.F32
          ? memory.getAtIndex(JAVA_FLOAT, at)
          : memory.getAtIndex(JAVA_DOUBLE, at);
    }
  }

  @Test
  void takesAnyStrideWhereThereIsOneLine() throws Exception {
    var cublas = new ForeignCublas(library(), STREAM, Precision.F32);
    try (var arena = Arena.ofConfined()) {
      var three = arena.allocateFrom(JAVA_FLOAT, 1, 2, 3);
      var y = arena.allocate(JAVA_FLOAT);
      cublas.gemm(
          new BatchedGemm(
              DType.F32,
              1,
              1,
              3,
              new Matrix(three.address(), false, 1, 0),
              new Matrix(three.address(), true, 1, 0),
              new Matrix(y.address(), false, 0, 0),
              0,
              1));
      assertThat(y.get(JAVA_FLOAT, 0)).isEqualTo(14);
    }
  }

  @Test
  void namesTheCallThatFails() throws Exception {
    assertThatExceptionOfType(TensorException.class)
        .isThrownBy(() -> new ForeignCublas(library(), STREAM + 2, Precision.F32))
        .withMessageContaining("cublasSetStream_v2 failed: INVALID_VALUE (7)");
  }
}
