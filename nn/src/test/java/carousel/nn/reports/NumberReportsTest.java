package carousel.nn.reports;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of sorting, sums, powers, copies and draws, tried here. */
class NumberReportsTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  @Test
  @DisplayName(
      "PyTorch 16762, 1810, NumPy 12490, JAX 6443: sort, topK, max and argmax agree on NaN, and on both zeros")
  void orderOfNan() {
    double negative =
        Double.longBitsToDouble(0xFFF8_0000_0000_0000L); // a NaN whose sign bit is set
    double[] values = {negative, NAN, -INF, INF, -1, 1, -0.0, 0.0};
    for (DType type : List.of(F32, F64)) {
      Tensor x = Tensor.of(values).cast(type);
      var up = x.sort(0, false);
      assertThat(up.indices().toIntArray()).containsExactly(2, 4, 6, 7, 5, 3, 0, 1);
      assertThat(x.sort(0, true).indices().toIntArray()).startsWith(0, 1, 3, 5).endsWith(4, 2);
      for (int k = 1; k <= 8; k++) {
        assertThat(x.topK(k, 0).indices().toIntArray())
            .containsExactly(Arrays.copyOf(x.sort(0, true).indices().toIntArray(), k));
      }
      assertThat(x.max().item()).isNaN();
      assertThat((int) x.argmax(0).item()).isZero();
      assertThat((int) Tensor.of(INF, NAN, INF).cast(type).argmax(0).item()).isEqualTo(1);
    }
    for (int n : new int[] {0, 1, 16, 17, 40, 1000}) {
      double[] all = new double[n];
      Arrays.fill(all, NAN);
      assertThat(Tensor.of(all).sort(0, false).indices().toIntArray())
          .containsExactly(IntStream.range(0, n).toArray());
    }
  }

  @Test
  @DisplayName("PyTorch 15764: rows of 32768 numbers, in both orders")
  void longSorts() {
    Tensor x = Philox.of(1).uniform(F32, 0, 1, 3, 32768).mul(1000).round();
    for (boolean descending : new boolean[] {false, true}) {
      var sorted = x.sort(1, descending);
      for (int row = 0; row < 3; row++) {
        double[] values = x.select(0, row).toDoubleArray();
        int[] wanted =
            IntStream.range(0, 32768)
                .boxed()
                .sorted((a, b) ->
                    (descending ? -1 : 1) * Double.compare(values[a], values[b])) // stable
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(sorted.indices().select(0, row).toIntArray()).containsExactly(wanted);
      }
    }
  }

  @Test
  @DisplayName(
      "NumPy 22956, 14691, 11331: a mean over the first of two axes, of twenty million rows")
  void meansOverTheFirstAxis() {
    Tensor row = Tensor.of(Shape.of(1, 2), 1.0f, 100.1f);
    Tensor x = row.expand(20_000_000, 2);
    assertThat(x.mean(0).toFloatArray()).containsExactly(1.0f, 100.1f);
    assertThat(x.sum(0).toFloatArray()[0]).isEqualTo(20_000_000);
  }

  @Test
  @DisplayName(
      "NumPy 32445, 9631, 27782: the spread of equal numbers is less than any of their bits")
  void varianceOfEqualNumbers() {
    for (double value : new double[] {1.81, 0.576, 6715266981.538051, Math.pow(45, 10), 0.1}) {
      for (int n : new int[] {2, 3, 7, 10, 1448}) {
        for (DType type : List.of(F32, F64)) {
          Tensor x = Tensor.full(type, value, 3, n).mul(1); // no view of one number
          Tensor columns = x.transpose(0, 1).contiguous();
          for (Tensor v : List.of(x.variance(1), x.variance().unsqueeze(0), columns.variance(0))) {
            for (double variance : v.toDoubleArray()) {
              assertThat(Math.sqrt(variance)).as("%d of %s", n, value).isLessThan(1e-25 * value);
            }
          }
        }
      }
    }
  }

  @Test
  @DisplayName("sherpa-onnx 3857, tt-metal 45968: the variance of numbers far from 0")
  void varianceBesideALargeMean() {
    for (float offset : new float[] {1e-3f, 100, 1e4f, 1e6f, -1e7f}) {
      float[] f = new float[1000];
      for (int i = 0; i < f.length; i++) {
        f[i] = offset + (i * 7919 % 1000) * Math.ulp(offset) * 3;
      }
      double mean = 0;
      for (float v : f) {
        mean += v / (double) f.length;
      }
      double squares = 0;
      for (float v : f) {
        squares += (v - mean) * (v - mean);
      }
      double wanted = squares / (f.length - 1);
      assertThat(Tensor.of(f).variance().item()).isCloseTo(wanted, within(2e-7 * wanted));
      Tensor x = Tensor.of(f);
      float[] g = Grad.of(() -> x.variance(), x).get(0).toFloatArray();
      for (int i = 0; i < f.length; i++) {
        double exact = 2 * (f[i] - mean) / (f.length - 1);
        assertThat((double) g[i])
            .isCloseTo(exact, within(2e-7 * 2 * Math.sqrt(wanted) / f.length * 2));
      }
    }
  }

  @Test
  @DisplayName(
      "tfjs 346, tt-metal 54440, Stan 3031: powers of 0 and of negative numbers, and their gradients")
  void powers() {
    Tensor base = Tensor.of(0.0, 0, -2, -2, -1.5, 0, 0);
    Tensor exponent = Tensor.of(2.0, 1, 2, 3, 3, 0, 0.5);
    Tensor y = base.pow(exponent);
    assertThat(y.toDoubleArray()).containsExactly(0, 0, 4, -8, -3.375, 1, 0);
    double[] g = Grad.of(() -> base.pow(exponent).sum(), base).get(0).toDoubleArray();
    assertThat(g).containsExactly(0, 1, -4, 12, 6.75, 0, INF);
    // 0^b = 0 for every b > 0
    double[] e =
        Grad.of(() -> base.narrow(0, 0, 2).pow(exponent.narrow(0, 0, 2)).sum(), exponent)
            .get(0)
            .toDoubleArray();
    assertThat(e[0]).isZero();
    assertThat(e[1]).isZero();
  }

  @Test
  @DisplayName("Julia 20069, cumo 473: what is assigned to a view of itself is what it was before")
  void copiesOntoThemselves() {
    for (int n : new int[] {5, 64, 512}) {
      Tensor x = Tensor.arange(n * n).cast(F32).reshape(n, n).copy();
      Tensor wanted = x.transpose(0, 1).contiguous();
      x.assign(x.transpose(0, 1));
      assertThat(x.sameValues(wanted)).isTrue();
      x.assign(x.flip(0, 1));
      assertThat(x.sameValues(wanted.flip(0, 1).contiguous())).isTrue();
    }
    Tensor line = Tensor.arange(1000).copy();
    line.narrow(0, 1, 999).assign(line.narrow(0, 0, 999));
    assertThat(line.toIntArray()).startsWith(0, 0, 1, 2).endsWith(997, 998);
    line.narrow(0, 0, 999).assign(line.narrow(0, 1, 999));
    assertThat(line.toIntArray()).startsWith(0, 1, 2).endsWith(998, 998);
    Tensor all = Tensor.arange(6).copy();
    all.assign(all.narrow(0, 3, 1).expand(6));
    assertThat(all.toIntArray()).containsOnly(3);
  }

  @Test
  @DisplayName("PyTorch 50034, 4858: a class without probability is never drawn")
  void impossibleClasses() {
    Tensor p = Tensor.of(0.33, 0.34, 0.0, 0.33).log();
    int[] draws = Philox.of(4).categorical(p.expand(200_000, 4)).toIntArray();
    assertThat(Arrays.stream(draws).distinct().sorted().toArray()).containsExactly(0, 1, 3);
    assertThat(Arrays.stream(draws).filter(c -> c == 1).count() / 200_000.0)
        .isCloseTo(0.34, within(0.006));
  }
}
