package carousel.nn.init;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.nn.Parameter;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InitTest {
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
  void nothingWideAndNothingLong() {
    assertThat(sample(Init.uniform(0), F32, 2).toFloatArray()).containsOnly(0);
    assertThat(sample(Init.xavierUniform(0), F64, 2, 3).toDoubleArray()).containsOnly(0);
    for (Init init : new Init[] {Init.heUniform(), Init.lecunNormal(), Init.fanInUniform()}) {
      assertThat(sample(init, F32, 0, 3).size()).isZero();
    }
  }

  private static Tensor sample(Init init, DType dtype, int... dims) {
    return init.sample(Philox.of(7), dtype, Shape.of(dims));
  }

  /** Of weights [60,140], whose fans are 60 and 140: where each distribution ends. */
  private static final Map<String, Map.Entry<Init, Double>> UNIFORM =
      Map.of(
          "uniform", Map.entry(Init.uniform(0.3), 0.3),
          "xavier", Map.entry(Init.xavierUniform(), Math.sqrt(6.0 / 200)),
          "xavier, tanh", Map.entry(Init.xavierUniform(5.0 / 3), 5.0 / 3 * Math.sqrt(6.0 / 200)),
          "he", Map.entry(Init.heUniform(), Math.sqrt(6.0 / 60)),
          "lecun", Map.entry(Init.lecunUniform(), Math.sqrt(3.0 / 60)),
          "fan-in", Map.entry(Init.fanInUniform(), 1 / Math.sqrt(60)));

  @TestFactory
  Stream<DynamicTest> uniformOnTheStatedInterval() {
    return cases(
        UNIFORM,
        (values, bound) -> {
          double max = Arrays.stream(values).map(Math::abs).max().orElseThrow();
          assertThat(max).isLessThanOrEqualTo(bound).isGreaterThan(0.995 * bound);
          assertThat(mean(values)).isCloseTo(0, within(0.02 * bound));
          assertThat(deviation(values)).isCloseTo(bound / Math.sqrt(3), within(0.02 * bound));
        });
  }

  private static final Map<String, Map.Entry<Init, Double>> NORMAL =
      Map.of(
          "normal", Map.entry(Init.normal(0.2), 0.2),
          "xavier", Map.entry(Init.xavierNormal(), Math.sqrt(2.0 / 200)),
          "xavier, tanh", Map.entry(Init.xavierNormal(5.0 / 3), 5.0 / 3 * Math.sqrt(2.0 / 200)),
          "he", Map.entry(Init.heNormal(), Math.sqrt(2.0 / 60)),
          "lecun", Map.entry(Init.lecunNormal(), Math.sqrt(1.0 / 60)));

  @TestFactory
  Stream<DynamicTest> normalOfTheStatedDeviation() {
    return cases(
        NORMAL,
        (values, deviation) -> {
          assertThat(mean(values)).isCloseTo(0, within(0.04 * deviation));
          assertThat(deviation(values)).isCloseTo(deviation, within(0.03 * deviation));
          double beyond = Arrays.stream(values).filter(v -> Math.abs(v) > 2 * deviation).count();
          assertThat(beyond / values.length).isCloseTo(0.0455, within(0.01));
        });
  }

  private interface Check {
    void of(double[] values, double expected);
  }

  private static Stream<DynamicTest> cases(
      Map<String, Map.Entry<Init, Double>> cases, Check check) {
    return cases.entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    Tensor weights = sample(entry.getValue().getKey(), F64, 60, 140);
                    check.of(weights.toDoubleArray(), entry.getValue().getValue());
                  }
                }));
  }

  private static double mean(double... values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  private static double deviation(double... values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).average().orElseThrow());
  }

  @Test
  void constants() {
    assertThat(sample(Init.zeros(), F32, 2).toFloatArray()).containsExactly(0, 0);
    assertThat(sample(Init.ones(), F64, 2).toDoubleArray()).containsExactly(1, 1);
    assertThat(sample(Init.constant(-2), F32).item()).isEqualTo(-2);
  }

  @Test
  void positionsOfAKernelCountInItsFans() {
    // fanIn = 5·3·4, so the bound is √(6 / 60).
    double[] values = sample(Init.heUniform(), F64, 5, 3, 4, 50).toDoubleArray();
    double max = Arrays.stream(values).map(Math::abs).max().orElseThrow();
    assertThat(max).isCloseTo(Math.sqrt(0.1), within(0.01 * Math.sqrt(0.1)));
  }

  @ParameterizedTest
  @CsvSource({"6,6", "9,4", "4,9", "1,5", "5,1", "1,1", "37,23"})
  void orthogonalRowsOrColumns(int rows, int columns) {
    Tensor w = sample(Init.orthogonal(2), F64, rows, columns);
    assertThat(w.shape()).isEqualTo(Shape.of(rows, columns));
    Tensor gram = rows >= columns ? w.transpose(0, 1).matmul(w) : w.matmul(w.transpose(0, 1));
    assertThat(gram.allClose(Tensor.eye(F64, Math.min(rows, columns)).mul(4), 0, 1e-13)).isTrue();
  }

  @Test
  void orthogonalIsUniformOnTheRotations() {
    // Without the signs of R the diagonal of Q would lean to one side. E q² = 1/n.
    var rng = Philox.of(3);
    int n = 4;
    int draws = 2000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < draws; i++) {
      try (var scope = TensorScope.open()) {
        double q = Init.orthogonal().sample(rng, F64, Shape.of(n, n)).get(0, 0);
        sum += q;
        squares += q * q;
      }
    }
    assertThat(sum / draws).isCloseTo(0, within(0.04));
    assertThat(squares / draws).isCloseTo(1.0 / n, within(0.02));
  }

  @Test
  void orthogonalWorksWhereTheMatrixIsSingular() {
    double[] q = Orthonormal.columns(3, 2, new double[6]);
    assertThat(q).containsExactly(1, 0, 0, 0, 1, 0);
  }

  @Test
  void orthogonalFlattensLeadingAxes() {
    Tensor w = sample(Init.orthogonal(), F64, 2, 3, 4).reshape(6, 4);
    assertThat(w.transpose(0, 1).matmul(w).allClose(Tensor.eye(F64, 4), 0, 1e-13)).isTrue();
  }

  @Test
  void orthogonalSaysWhatIsTooLong() {
    assertThatThrownBy(() -> sample(Init.orthogonal(), F64, 50_000, 50_000, 1))
        .isInstanceOf(TensorException.class)
        .hasMessage(
            "init: orthogonal has 2500000000 rows for [50000,50000,1], more than a matrix can have");
  }

  @Test
  void identity() {
    assertThat(sample(Init.identity(0.5), F32, 2, 3).toFloatArray())
        .containsExactly(0.5f, 0, 0, 0, 0.5f, 0);
    assertThat(sample(Init.identity(1), F64, 3, 2).toDoubleArray())
        .containsExactly(1, 0, 0, 1, 0, 0);
    assertThatThrownBy(() -> sample(Init.identity(1), F32, 3))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("identity wants a matrix, got shape [3]");
  }

  @Test
  void blocksEachHaveTheirOwnFans() {
    Tensor w = sample(Init.orthogonal().perBlock(4), F64, 5, 20);
    for (Tensor gate : w.chunk(4, 1)) {
      assertThat(gate.transpose(0, 1).matmul(gate).allClose(Tensor.eye(F64, 5), 0, 1e-13)).isTrue();
    }
    assertThat(w.narrow(1, 0, 5).sameValues(w.narrow(1, 5, 5))).isFalse();
    assertThat(Init.zeros().as(F64).perBlock(2).dtype()).isEqualTo(F64);
    assertThatThrownBy(() -> sample(Init.zeros().perBlock(3), F32, 2, 4))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("[2,4] does not divide into 3 blocks");
  }

  @Test
  void theSameSeedGivesTheSameWeights() {
    for (var init :
        new Init[] {Init.uniform(1), Init.normal(1), Init.xavierNormal(), Init.orthogonal()}) {
      Parameter a = init.parameter(Philox.of(5), 7, 3);
      Parameter b = init.parameter(Philox.of(5), 7, 3);
      Parameter c = init.parameter(Philox.of(6), 7, 3);
      assertThat(a.value().sameValues(b.value())).isTrue();
      assertThat(a.value().sameValues(c.value())).isFalse();
    }
    var rng = Philox.of(5);
    Tensor first = Init.uniform(1).parameter(rng, 4).value();
    Tensor second = Init.uniform(1).parameter(rng, 4).value();
    assertThat(first.sameValues(second)).isFalse();
  }

  @Test
  void carryTheTypeOfTheWeights() {
    assertThat(Init.normal(1).parameter(Philox.of(1), 2).value().dtype()).isEqualTo(F32);
    assertThat(Init.normal(1).as(F64).parameter(Philox.of(1), 2).value().dtype()).isEqualTo(F64);
    assertThatThrownBy(() -> Init.normal(1).as(DType.I32))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("weights are F32 or F64, got I32");
  }

  @Test
  void refuseWhatMakesNoSense() {
    assertThatThrownBy(() -> Init.uniform(-1))
        .hasMessageContaining("bound")
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> Init.normal(Double.NaN)).hasMessageContaining("deviation");
    assertThatThrownBy(() -> sample(Init.xavierUniform(), F32, 4))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("a weight of shape [4] has no fan-in and fan-out");
  }
}
