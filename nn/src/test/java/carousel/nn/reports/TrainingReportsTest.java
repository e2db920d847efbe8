package carousel.nn.reports;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.Embedding;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Schedule;
import carousel.nn.optim.Sgd;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of optimisers, schedules and clipping, tried here. */
class TrainingReportsTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  /** One weight. */
  record One(Parameter w) implements Layer {}

  @Test
  @DisplayName(
      "PyTorch 41477, TensorFlow 35102, optax 1389: Adam's ε beside the corrected moment; AMSGrad")
  void adam() {
    // As small as ε, then large, then small again: what is biased, and what AMSGrad remembers,
    // shows.
    double[] gradients = {1e-10, 3e-9, -2e-8, 1, 1e-9, -1e-10, 5e-9, 0, 2e-8};
    for (boolean amsgrad : new boolean[] {false, true}) {
      for (DType type : new DType[] {F32, F64}) {
        var model = new One(Parameter.of(Tensor.zeros(type, 1)));
        var rule = amsgrad ? Adam.rule().withAmsgrad() : Adam.rule();
        var adam = rule.over(model.parameters(), 0.5);
        double m = 0;
        double v = 0;
        double greatest = 0;
        double w = 0;
        for (int t = 1; t <= gradients.length; t++) {
          double g = gradients[t - 1];
          adam.step(Grad.of(() -> model.w().value().mul(g).sum(), model.parameters()));
          m = 0.9 * m + 0.1 * g;
          v = 0.999 * v + 0.001 * g * g;
          greatest = amsgrad ? Math.max(greatest, v) : v;
          double first = m / (1 - Math.pow(0.9, t));
          double second = greatest / (1 - Math.pow(0.999, t));
          w -= 0.5 * first / (Math.sqrt(second) + 1e-8);
          double bound = type == F32 ? 1e-5 : 1e-12;
          assertThat(model.w().value().item()).isCloseTo(w, within(bound * Math.abs(w)));
        }
      }
    }
  }

  @Test
  @DisplayName("Lightning 1772, 4655, PyTorch 60265: a schedule that goes on is where it was")
  void schedulesThatGoOn() {
    Supplier<Schedule> fresh =
        () ->
            Schedule.multiStep(100, 0.1, 4, 9)
                .warmedUp(3)
                .then(12, Schedule.cosine(1, 0.1, 7).until(7));
    var whole = fresh.get();
    for (int resumed = 0; resumed < 25; resumed++) {
      var model = new One(Parameter.of(Tensor.ones(F64, 1)));
      var before = Sgd.of(model.parameters(), whole.rate(resumed));
      var after = Sgd.of(model.parameters(), 123);
      after.restore(before.state());
      assertThat(after.learningRate()).isEqualTo(whole.rate(resumed));
      for (int k = resumed; k < 25; k++) {
        assertThat(fresh.get().rate(k)).isEqualTo(whole.rate(k));
      }
    }
    assertThat(Schedule.multiStep(100, 0.1, 4).rate(3)).isEqualTo(100);
    assertThat(Schedule.multiStep(100, 0.1, 4).rate(4)).isEqualTo(10);
  }

  @Test
  @DisplayName("PyTorch 185872, DeepSpec 32, catalyst 851: schedules at their seams")
  void schedulesAtTheirSeams() {
    var warm = Schedule.linear(1, 0.1, 1, 5);
    var main = Schedule.cosine(1, 0, 10);
    for (int k = 0; k < 12; k++) {
      assertThat(warm.then(0, main).rate(k)).isEqualTo(main.rate(k)); // no warm-up at all
    }
    Schedule both = warm.then(5, main);
    assertThat(both.rate(0)).isEqualTo(0.1);
    assertThat(both.rate(4)).isCloseTo(0.82, within(1e-15));
    assertThat(both.rate(5)).isEqualTo(1);
    assertThat(both.rate(15)).isCloseTo(0, within(1e-16));
    for (int k = 0; k < 40; k++) {
      assertThat(both.rate(k)).isBetween(0.0, 1.0);
      assertThat(main.until(10).rate(10 + k)).isEqualTo(main.rate(10));
    }
  }

  @Test
  @DisplayName(
      "PyTorch 46849, 31367, deepmd-kit 5519: clipping where the norm, or a square, is not finite; to a negative norm")
  void clipping() {
    Tensor x = Tensor.of(3.0, 4);
    var big = Grad.of(() -> x.square().sum(), x);
    assertThatThrownBy(() -> big.clipNorm(-1))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> big.clipNorm(Double.NaN)).isInstanceOf(TensorException.class);
    assertThat(big.clipNorm(5).get(0).toDoubleArray())
        .containsExactly(new double[] {3, 4}, within(1e-5));
    for (double bad : new double[] {Double.POSITIVE_INFINITY, Double.NaN}) {
      Gradients g = Grad.of(() -> x.mul(Tensor.of(1, bad)).sum(), x);
      assertThat(g.norm()).isNotFinite();
      assertThat(g.clipNorm(1).get(0).toDoubleArray()[1]).isNaN(); // it is seen
    }
    float[] many = new float[100];
    Arrays.fill(many, 1e37f);
    Tensor f = Tensor.of(many);
    Gradients huge = Grad.of(() -> f.mul(f.detach()).sum(), f); // whose squares no float holds
    assertThat(huge.norm()).isCloseTo(1e38, within(1e32));
  }

  /** A language model that reads and writes with one table. */
  record Tied(Embedding table) implements Layer {
    Tensor loss(Tensor tokens, Tensor next) {
      Tensor h = table.apply(tokens).tanh();
      return CrossEntropy.of().apply(h.matmul(table.weight().value().transpose(0, 1)), next);
    }
  }

  /** The same with two tables. */
  record Apart(Embedding in, Embedding out) implements Layer {
    Tensor loss(Tensor tokens, Tensor next) {
      Tensor h = in.apply(tokens).tanh();
      return CrossEntropy.of().apply(h.matmul(out.weight().value().transpose(0, 1)), next);
    }
  }

  @Test
  @DisplayName(
      "entrenar 314, torch7 156: a table that is read and written with has one gradient, counted once")
  void tiedWeights() {
    var init = Init.normal(1).as(F64);
    var tied = new Tied(Embedding.of(6, 3, init, Philox.of(1)));
    var apart =
        new Apart(Embedding.of(6, 3, init, Philox.of(1)), Embedding.of(6, 3, init, Philox.of(1)));
    Tensor tokens = Tensor.of(0, 1, 1, 5);
    Tensor next = Tensor.of(1, 1, 5, 2);
    assertThat(tied.parameters().size()).isEqualTo(1);
    Gradients one = Grad.of(() -> tied.loss(tokens, next), tied.parameters());
    Gradients two = Grad.of(() -> apart.loss(tokens, next), apart.parameters());
    Tensor sum = two.get(0).add(two.get(1));
    assertThat(one.get(0).toDoubleArray()).containsExactly(sum.toDoubleArray(), within(1e-15));
    assertThat(one.norm()).isCloseTo(sum.norm().item(), within(1e-14));
    Tensor wanted = tied.table().weight().value().sub(sum.mul(0.1));
    Sgd.of(tied.parameters(), 0.1).step(one);
    assertThat(tied.table().weight().value().toDoubleArray())
        .containsExactly(wanted.toDoubleArray(), within(1e-15));
    assertThat(tied.table().weight().value().shape()).isEqualTo(Shape.of(6, 3));
  }
}
