package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GradientsTest {
  private final TensorScope scope = TensorScope.open();
  private final Named a = new Named("a", Tensor.of(1.0, 2.0));
  private final Named b = new Named("b", Tensor.of(3.0));

  private record Named(String name, Tensor value) implements Leaf {}

  @AfterEach
  void close() {
    scope.close();
  }

  /** Gradients 3 and 4 by a, 12 by b: their norm is 13. */
  private Gradients thirteen() {
    return Grad.of(
        () -> a.value.mul(Tensor.of(3.0, 4.0)).sum().add(b.value.mul(12).sum()), List.of(a, b));
  }

  private static void expect(Gradients g, double a0, double a1, double b0) {
    assertThat(g.get(0).toDoubleArray()).containsExactly(new double[] {a0, a1}, within(1e-12));
    assertThat(g.get(1).item()).isCloseTo(b0, within(1e-12));
  }

  @Test
  void areFoundByLeafAndByPlace() {
    var g = thirteen();
    expect(g, 3, 4, 12);
    assertThat(g.size()).isEqualTo(2);
    assertThat(g.leaves()).containsExactly(a, b);
    assertThat(g.get(b)).isSameAs(g.get(1));
    // By the tensor, not by the leaf that holds it.
    assertThat(g.get(new Named("another", b.value))).isSameAs(g.get(1));
    assertThatThrownBy(() -> g.get(new Named("c", Tensor.of(1.0))))
        .isInstanceOf(TensorException.class)
        .hasMessage("gradients: none was taken for 'c', only for [a, b]");
  }

  @Test
  void printTheLossAndTheNormOfEach() {
    var g = thirteen();
    assertThat(g)
        .hasToString(
            "gradients of F64 [] 47.0\n  a  F64 [2]  norm 5.000\n  b  F64 [1]  norm 12.00");
    assertThat(g.scale(0.5).toString()).contains("a  F64 [2]  norm 2.500");
    Gradients closed;
    try (var inner = TensorScope.open()) {
      closed = thirteen();
    }
    assertThat(closed)
        .hasToString(
            "gradients of F64 [] (closed)\n  a  F64 [2]  (closed)\n  b  F64 [1]  (closed)");
  }

  @Test
  void accumulateOverPartsOfABatch() {
    var sum = thirteen().scale(0.5).plus(thirteen().scale(2));
    expect(sum, 7.5, 10, 30);
    assertThat(sum.value().item()).isEqualTo(2 * thirteen().value().item());
    var other = Grad.of(() -> b.value.add(a.value.sum()).sum(), List.of(b, a));
    assertThatThrownBy(() -> sum.plus(other))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("leaf 0 is 'a' here and 'b' there");
    var fewer = Grad.of(() -> a.value.sum(), List.of(a));
    assertThatThrownBy(() -> sum.plus(fewer)).hasMessage("plus: gradients of 2 leaves and of 1");
  }

  @Test
  void areClippedByTheirNormTogether() {
    var g = thirteen();
    assertThat(g.norm()).isCloseTo(13, within(1e-12));
    expect(g.clipNorm(13.1), 3, 4, 12);
    var clipped = g.clipNorm(1.3);
    double scale = 1.3 / (13 + 1e-6);
    expect(clipped, 3 * scale, 4 * scale, 12 * scale);
    assertThat(clipped.value()).isSameAs(g.value());
    expect(g, 3, 4, 12);
  }

  @Test
  void areClippedOverTypes() {
    var small = new Named("small", Tensor.of(1f, 1f));
    var g =
        Grad.of(
            () -> a.value.mul(3).sum().add(small.value.mul(4).sum().cast(DType.F64)),
            List.of(a, small));
    double norm = Math.sqrt(2 * (9 + 16));
    assertThat(g.norm()).isCloseTo(norm, within(1e-6));
    var clipped = g.clipNorm(1).scale(2);
    assertThat(clipped.norm()).isCloseTo(2, within(1e-5));
    assertThat(clipped.get(1).dtype()).isEqualTo(DType.F32);
    assertThat(clipped.get(1).toDoubleArray())
        .containsExactly(new double[] {8 / norm, 8 / norm}, within(1e-6));
    assertThat(clipped.clipNorm(0.5).norm()).isCloseTo(0.5, within(1e-5));
  }

  /** As by PyTorch: what is not finite shows, and no gradient is clipped by it in silence. */
  @Test
  void aNormThatIsNotFiniteShows() {
    var nan = thirteen().scale(Double.NaN);
    assertThat(nan.norm()).isNaN();
    for (int i = 0; i < nan.size(); i++) {
      assertThat(nan.clipNorm(1).get(i).toDoubleArray()).containsOnly(Double.NaN);
    }
    var one = Grad.of(() -> a.value.mul(Tensor.of(Double.NaN, 1)).sum(), List.of(a));
    assertThat(one.clipNorm(1).get(0).toDoubleArray()).containsOnly(Double.NaN);
    var infinite =
        Grad.of(() -> a.value.mul(Tensor.of(Double.POSITIVE_INFINITY, 1)).sum(), List.of(a));
    assertThat(infinite.norm()).isInfinite();
    assertThat(infinite.clipNorm(1).get(0).toDoubleArray()).containsExactly(Double.NaN, 0);
  }

  /** The factor is no op of a tape around: its gradient would be that of another loss. */
  @Test
  void clippingCountsAsAConstantWhereItIsDifferentiated() {
    var again =
        Grad.of(
            () -> Grad.of(() -> a.value.square().sum(), List.of(a)).clipNorm(1).get(0).sum(),
            List.of(a));
    double scale = 1 / (2 * Math.sqrt(5) + 1e-6);
    assertThat(again.get(0).toDoubleArray())
        .containsExactly(new double[] {2 * scale, 2 * scale}, within(1e-12));
  }

  @Test
  void areClippedByValue() {
    expect(thirteen().clipValue(3.5), 3, 3.5, 3.5);
    expect(thirteen().scale(-1).clipValue(3.5), -3, -3.5, -3.5);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN})
  void limitsArePositive(double limit) {
    assertThatThrownBy(() -> thirteen().clipNorm(limit))
        .isInstanceOf(TensorException.class)
        .hasMessage("clipNorm: the largest norm must be above 0, got " + limit);
    assertThatThrownBy(() -> thirteen().clipValue(limit))
        .hasMessage("clipValue: the limit must be above 0, got " + limit);
  }
}
