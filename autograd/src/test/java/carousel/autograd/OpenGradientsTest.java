package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.SharedScope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gradients that users make, change, sum, keep and hand on. */
class OpenGradientsTest {
  private record Named(String name, Tensor value) implements Leaf {}

  private TensorScope run;
  private List<Named> leaves;

  @BeforeEach
  void open() {
    run = TensorScope.open();
    leaves = List.of(new Named("a", Tensor.of(1.0, 2)), new Named("b", Tensor.of(3.0)));
  }

  @AfterEach
  void close() {
    run.close();
  }

  /** {@code k (Σ a²) b}. */
  private Gradients gradients(double k) {
    return Grad.of(
        () -> leaves.get(0).value().square().sum().mul(leaves.get(1).value()).mul(k).sum(), leaves);
  }

  @Test
  void gradientsOfOnesOwnAreLikeAnyOthers() {
    var g = Gradients.of(Tensor.of(5.0).sum(), leaves, List.of(Tensor.of(3.0, 0), Tensor.of(4.0)));
    assertThat(g.norm()).isEqualTo(5);
    assertThat(g.get(leaves.get(1)).get(0)).isEqualTo(4);
    assertThat(g.plus(g).clipNorm(5).get(0).get(0)).isCloseTo(3, within(1e-5));
    assertThat(g.map(Tensor::neg).get(0).toDoubleArray()).containsExactly(-3, -0.0);
  }

  @Test
  void whatIsNotAsItsLeafIsRefused() {
    Tensor loss = Tensor.of(5.0).sum();
    assertThatThrownBy(() -> Gradients.of(loss, leaves, List.of(Tensor.of(1.0, 2))))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("2 leaves and 1 tensors");
    assertThatThrownBy(
            () -> Gradients.of(loss, leaves, List.of(Tensor.of(1.0, 2), Tensor.of(1.0, 2))))
        .hasMessageContaining("'b' must be F64 [1]")
        .hasMessageContaining("F64 [2]");
    assertThatThrownBy(() -> gradients(1).map(g -> g.cast(DType.F32)))
        .hasMessageContaining("'a' must be F64 [2]");
  }

  @Test
  void sumsOfPartsAreThoseOfPlus() {
    Gradients plus = gradients(1).plus(gradients(2)).plus(gradients(-4));
    var sum = new GradientSum(leaves);
    assertThatThrownBy(sum::sum).hasMessageContaining("no gradients were added");
    for (int round = 0; round < 2; round++) {
      for (double k : new double[] {1, 2, -4}) {
        try (var scope = TensorScope.open()) {
          sum.add(gradients(k).scale(2).scale(0.5));
        }
      }
      assertThat(sum.parts()).isEqualTo(3);
      assertThat(sum.sum().value().item()).isEqualTo(plus.value().item());
      for (int i = 0; i < 2; i++) {
        assertThat(sum.sum().get(i).toDoubleArray()).isEqualTo(plus.get(i).toDoubleArray());
        assertThat(sum.mean().get(i).get(0)).isCloseTo(plus.get(i).get(0) / 3, within(1e-12));
      }
      assertThat(sum.mean().value().item()).isCloseTo(plus.value().item() / 3, within(1e-12));
      sum.clear();
    }
  }

  /** A table that is looked up in few rows: they alone are added. */
  @Test
  void sumsOfRows() {
    var table = new Named("table", Tensor.arange(DType.F64, 0, 100, 1).reshape(50, 2));
    var sum = new GradientSum(List.of(table));
    Tensor index = Tensor.of(3, 7, 3);
    for (int part = 0; part < 2; part++) {
      Gradients g =
          Grad.of(() -> table.value().indexSelect(index, 0).sum(), List.of(table)).scale(0.5);
      assertThat(g.unscaledRows(table)).isNotNull();
      sum.add(g);
    }
    Tensor all = sum.sum().get(0);
    assertThat(all.sum(1).toDoubleArray()[3]).isEqualTo(4);
    assertThat(all.sum(1).toDoubleArray()[7]).isEqualTo(2);
    assertThat(all.sum().item()).isEqualTo(6);
  }

  @Test
  void aSumTakesNoMoreMemoryTheMoreIsAdded() {
    var sum = new GradientSum(leaves);
    sum.add(gradients(1));
    long before = run.bytes();
    for (int part = 0; part < 20; part++) {
      try (var scope = TensorScope.open()) {
        sum.add(gradients(1));
      }
    }
    assertThat(run.bytes()).isEqualTo(before);
  }

  @Test
  void gradientsOutliveTheirScope() {
    Gradients kept;
    try (var scope = TensorScope.open()) {
      kept = gradients(1).clipNorm(1e6).adoptedBy(run);
    }
    assertThat(kept.value().item()).isEqualTo(15);
    assertThat(kept.get(0).toDoubleArray()).containsExactly(6, 12);
  }

  @Test
  void gradientsGoToAnotherThread() throws InterruptedException {
    try (var shared = SharedScope.open()) {
      Gradients copy = shared.make(() -> gradients(1).copy());
      double[] norm = new double[1];
      var thread =
          Thread.ofPlatform()
              .start(() -> {
                try (var scope = TensorScope.open()) {
                  norm[0] = copy.norm();
                }
              });
      thread.join();
      assertThat(norm[0]).isCloseTo(Math.sqrt(36 + 144 + 25), within(1e-12));
    }
  }

  @Test
  void aProgramMayGiveMoreThanItsLoss() {
    var result =
        Grad.withAux(
            () -> {
              Tensor y = leaves.get(0).value().mul(2);
              return new Grad.Outcome<>(y.sum().add(leaves.get(1).value().sum()), y);
            },
            leaves);
    assertThat(result.aux().toDoubleArray()).containsExactly(2, 4);
    assertThat(result.gradients().get(0).toDoubleArray()).containsExactly(2, 2);
  }

  /** Of {@code (Σ a²) b}: {@code H v = (2b v_a + 2a v_b, 2a·v_a)}. */
  @Test
  void hessianVectorProductsByName() {
    Gradients hv =
        Grad.hvp(
            () -> leaves.get(0).value().square().sum().mul(leaves.get(1).value()).sum(),
            leaves,
            List.of(Tensor.of(1.0, -1), Tensor.of(0.5)));
    assertThat(hv.value().item()).isEqualTo(15);
    assertThat(hv.get(leaves.get(0)).toDoubleArray()).containsExactly(7, -4);
    assertThat(hv.get(leaves.get(1)).toDoubleArray()).containsExactly(-2);
  }
}
