package carousel.nn.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Training;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.LayerComposites;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DropoutTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Tensor train(long seed, double p, Tensor x) {
    return Training.with(Philox.of(seed), () -> new Dropout(p).apply(x));
  }

  @Test
  void scalesWhatItKeeps() {
    float[] y = train(1, 0.25, Tensor.ones(100, 200)).toFloatArray();
    int dropped = 0;
    for (float v : y) {
      assertThat(v == 0 || v == 1 / 0.75f).isTrue();
      dropped += v == 0 ? 1 : 0;
    }
    assertThat(dropped / (double) y.length).isCloseTo(0.25, within(0.01));
  }

  @Test
  void isTheIdentityOutsideOfTraining() {
    Tensor x = Tensor.ones(10);
    assertThat(new Dropout(0.5).apply(x)).isSameAs(x);
    Tensor inside =
        Training.with(Philox.of(1), () -> Training.without(() -> new Dropout(0.5).apply(x)));
    assertThat(inside).isSameAs(x);
    assertThat(train(1, 0, x)).isSameAs(x);
  }

  @Test
  void dropsEverythingAtOne() {
    Tensor x = Tensor.of(1f, Float.POSITIVE_INFINITY, Float.NaN);
    assertThat(train(1, 1, x).toFloatArray()).containsExactly(0, 0, 0);
  }

  @Test
  void dropsInfinitiesToo() {
    Tensor x = Tensor.full(DType.F64, Double.POSITIVE_INFINITY, 1000);
    double[] y = train(1, 0.5, x).toDoubleArray();
    assertThat(Arrays.stream(y).filter(v -> v == 0).count()).isBetween(400L, 600L);
    assertThat(Arrays.stream(y).noneMatch(Double::isNaN)).isTrue();
  }

  @Test
  void letsGradientsThroughWhereItKept() {
    Tensor x = Tensor.ones(100);
    for (double p : new double[] {0.4, 1}) {
      Tensor y = train(3, p, x);
      var gradients = Grad.of(() -> train(3, p, x).sum(), x);
      assertThat(gradients.get(0).sameValues(y)).isTrue();
    }
  }

  @Test
  void drawsAnewEachTimeAndTheSameForASeed() {
    Tensor x = Tensor.ones(100);
    assertThat(train(1, 0.5, x).sameValues(train(1, 0.5, x))).isTrue();
    assertThat(train(1, 0.5, x).sameValues(train(2, 0.5, x))).isFalse();
    var dropout = new Dropout(0.5);
    boolean repeated =
        Training.with(Philox.of(1), () -> dropout.apply(x).sameValues(dropout.apply(x)));
    assertThat(repeated).isFalse();
  }

  /** The segment runs again after training ended around it. */
  @Test
  void ofACheckpointedSegmentIsTheSame() {
    Tensor x = Tensor.ones(100);
    var rng = Philox.of(3);
    var dropout = new Dropout(0.4);
    var gradients =
        Grad.of(
            () -> Training.with(rng, () -> Grad.checkpoint(() -> dropout.apply(x).square())).sum(),
            x);
    long drawn = rng.counter();
    Tensor y = train(3, 0.4, x);
    // y = x·m/(1 − p), so dy²/dx = 2·y·m/(1 − p), which is 2·y² where x is 1.
    assertThat(gradients.get(0).allClose(y.square().mul(2), 1e-6, 0)).isTrue();
    assertThat(drawn).isEqualTo(rng.counter());
  }

  @Test
  void refusesWhatIsNoProbability() {
    for (double p : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatThrownBy(() -> new Dropout(p))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("must be in [0, 1], got " + p);
    }
  }

  @Test
  void trainingIsAmbientAndNests() {
    assertThat(Training.rng()).isEmpty();
    var outer = Philox.of(1);
    var inner = Philox.of(2);
    Training.with(
        outer,
        () -> {
          assertThat(Training.rng()).containsSame(outer);
          Training.with(inner, () -> assertThat(Training.rng()).containsSame(inner));
          return assertThat(Training.rng()).containsSame(outer);
        });
    assertThat(Training.rng()).isEmpty();
    assertThat(new Dropout(0.1).parameters().size()).isZero();
  }

  @Test
  void theKernelAgreesWithTheBody() {
    for (var type : new DType[] {DType.F32, DType.F64}) {
      for (int size : new int[] {0, 1, 13, 2049, 70_001}) {
        Tensor x = Philox.of(4).normal(type, 0, 1, size);
        Tensor kept = Philox.of(5).bernoulli(0.7, size);
        FusedContract.check(LayerComposites.DROPOUT, 1e-12, x, kept, x.scalarLike(1 / 0.7));
      }
    }
  }

  @Test
  void theBodyServesWhatIsNotDense() {
    Tensor x = Philox.of(4).normal(DType.F64, 0, 1, 5, 3).transpose(0, 1);
    Tensor y = train(6, 0.5, x);
    assertThat(y.sameValues(train(6, 0.5, x.copy()))).isTrue();
  }
}
