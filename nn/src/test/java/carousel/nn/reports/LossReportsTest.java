package carousel.nn.reports;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.layer.LayerNorm;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.loss.Loss;
import carousel.nn.loss.Reduction;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of losses and of normalisation, tried here. */
class LossReportsTest {
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
      "PyTorch 69339, 91383, 72056, 73205: class weights, smoothing and ignored targets at once")
  void weightsSmoothingAndIgnored() {
    double[][] x = {{1, 2}, {3, 0.4}, {-0.5, 0.25}};
    double[] w = {0.2, 0.3};
    double e = 0.1;
    int[] targets = {-100, 1, 0};
    Tensor logits = Tensor.of(Shape.of(3, 2), 1, 2, 3, 0.4, -0.5, 0.25);
    for (double smoothing : new double[] {0, e, 1}) {
      double sum = 0;
      double count = 0;
      for (int n = 1; n < 3; n++) {
        double norm = Math.log(Math.exp(x[n][0]) + Math.exp(x[n][1]));
        double spread = 0;
        for (int c = 0; c < 2; c++) {
          spread -= w[c] * (x[n][c] - norm) / 2;
        }
        int t = targets[n];
        sum += (1 - smoothing) * -w[t] * (x[n][t] - norm) + smoothing * spread;
        count += w[t];
      }
      var loss =
          CrossEntropy.of()
              .withWeights(Tensor.of(w))
              .withSmoothing(smoothing)
              .withReduction(Reduction.SUM);
      assertThat(loss.apply(logits, Tensor.of(targets)).item()).isCloseTo(sum, within(1e-14));
      assertThat(loss.withReduction(Reduction.MEAN).apply(logits, Tensor.of(targets)).item())
          .isCloseTo(sum / count, within(1e-14));
      double[] each =
          loss.withReduction(Reduction.NONE).apply(logits, Tensor.of(targets)).toDoubleArray();
      assertThat(each[0]).isZero();
      assertThat(each[1] + each[2]).isCloseTo(sum, within(1e-14));
      Gradients g = Grad.of(() -> loss.apply(logits, Tensor.of(targets)), logits);
      assertThat(g.get(0).select(0, 0).toDoubleArray()).containsOnly(0);
      assertThat(g.get(0).sum().item()).isCloseTo(0, within(1e-15));
    }
  }

  @Tag("cpu")
  @Test
  @DisplayName(
      "PyTorch 12670: a target that is neither a class nor the ignored one is refused, with its place")
  void targetsOutOfRange() {
    Tensor logits = Tensor.zeros(F32, 3, 5);
    for (int wrong : new int[] {-4, 5, -100, Integer.MIN_VALUE}) {
      assertThatThrownBy(
              () -> CrossEntropy.of().withIgnored(-1).apply(logits, Tensor.of(1, -1, wrong)))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("target " + wrong + " at [2]")
          .hasMessageContaining("-1, which is ignored");
    }
  }

  @Test
  @DisplayName("DL4J 4507: a window in which every target is masked")
  void nothingToLearn() {
    Tensor logits = Tensor.of(Shape.of(2, 3), 1.0, 2, 3, 4, 5, 6);
    Tensor none = Tensor.of(-100, -100);
    for (double smoothing : new double[] {0, 0.1}) {
      var sum = CrossEntropy.of().withSmoothing(smoothing).withReduction(Reduction.SUM);
      Gradients g = Grad.of(() -> sum.apply(logits, none), logits);
      assertThat(g.value().item()).isZero();
      assertThat(g.get(0).toDoubleArray()).containsOnly(0);
      assertThat(sum.withReduction(Reduction.MEAN).apply(logits, none).item())
          .isNaN(); // 0/0, as documented
    }
  }

  @Test
  @DisplayName("burn 5373: logits that are sure and wrong cost what they are, with a gradient")
  void sureAndWrong() {
    for (DType type : new DType[] {F32, F64}) {
      Tensor logits = Tensor.of(1000.0, -1000, 100, -100).cast(type);
      Tensor targets = Tensor.of(0.0, 1, 0, 1).cast(type);
      Gradients g = Grad.of(() -> Loss.bceWithLogits(logits, targets, Reduction.SUM), logits);
      assertThat(g.value().item()).isEqualTo(2200);
      assertThat(g.get(0).toDoubleArray()).containsExactly(1, -1, 1, -1);
      Tensor rows = Tensor.of(Shape.of(2, 2), 1000.0, 0, 0, 1e30).cast(type);
      Gradients c = Grad.of(() -> CrossEntropy.of().apply(rows, Tensor.of(1, 1)), rows);
      assertThat(c.value().item()).isEqualTo(500);
      assertThat(c.get(0).toDoubleArray())
          .containsExactly(new double[] {0.5, -0.5, 0, 0}, within(0.0));
    }
  }

  @Test
  @DisplayName("PyTorch 51102, ONNX Runtime 28463, 21935: rows far from 0, and of one value")
  void normalisedRows() {
    double epsilon = 1e-5;
    double[][] rows = {
      {40000, 40001, 40002, 40003}, {2000.25, 1999.5, 2001, 1998.75},
      {1e15, -1e15, 3e15, 2e15}, {-7, -7, -7, -7}
    };
    for (double[] row : rows) {
      float[] f = new float[4];
      double mean = 0;
      for (int i = 0; i < 4; i++) {
        f[i] = (float) row[i];
        mean += f[i] / 4.0;
      }
      double variance = 0;
      for (float v : f) {
        variance += (v - mean) * (v - mean) / 4;
      }
      Tensor y = LayerNorm.of(F32, 4).apply(Tensor.of(Shape.of(1, 4), f));
      for (int i = 0; i < 4; i++) {
        double wanted = (f[i] - mean) / Math.sqrt(variance + epsilon);
        assertThat(y.toDoubleArray()[i]).isCloseTo(wanted, within(2e-6));
      }
    }
    float[] constant = new float[256];
    Arrays.fill(constant, 1234);
    Tensor same = Tensor.of(Shape.of(1, 256), constant);
    assertThat(LayerNorm.of(F32, 256).apply(same).toDoubleArray()).containsOnly(0);
    var g = Grad.of(() -> LayerNorm.of(F32, 256).apply(same).square().sum(), same);
    assertThat(g.get(0).toDoubleArray()).containsOnly(0);
  }
}
