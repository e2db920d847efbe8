package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.optim.AdamW;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.RmsProp;
import carousel.nn.optim.Rule;
import carousel.nn.optim.Sgd;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Replay;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A replay gives what its code gives, on a device that records and on one that runs it each time. */
class ReplayTest {
  private static final int RUNS = 5;

  /** More than a batch has tokens, so that the gradient of the table is rows. */
  private static final int V = 20;

  record Model(Embedding embedding, Recurrent<?> lstm, Linear head) implements Layer {
    static Model of() {
      var init = Init.uniform(0.3);
      var rng = Philox.of(3);
      return new Model(
          Embedding.of(V, 4, init, rng),
          Recurrent.of(Lstm.of(4, 5, init, rng)),
          Linear.of(5, V, init, rng));
    }

    Tensor loss(Tensor tokens, Tensor next, double dropout) {
      Tensor x = new Dropout(dropout).apply(embedding.apply(tokens));
      Tensor logits = head.apply(new Dropout(dropout).apply(lstm.run(x).y()));
      return Loss.crossEntropy(logits, next);
    }
  }

  /** All that a training leaves behind. */
  record Trained(List<Double> losses, List<float[]> weights, long drawn, int steps) {}

  private static Trained train(Rule rule, boolean replayed) {
    try (var run = TensorScope.open()) {
      var model = Model.of();
      Optimizer optimizer = rule.over(model.parameters(), 0.1);
      var noise = Philox.of(11);
      Tensor tokens = Tensor.zeros(DType.I32, 6, 2);
      Tensor next = Tensor.zeros(DType.I32, 6, 2);
      var data = Philox.of(5);
      List<Double> losses = new ArrayList<>();
      try (var step =
          Replay.of(() -> {
            var gradients =
                Grad.of(
                    () -> Training.with(noise, () -> model.loss(tokens, next, 0.3)),
                    model.parameters());
            optimizer.step(gradients.clipNorm(0.5));
            return gradients.value();
          })) {
        for (int i = 0; i < RUNS; i++) {
          // The numbers that change: the batch, the rate, the position of the noise.
          tokens.assign(data.uniform(DType.F32, 0, V, 6, 2).cast(DType.I32));
          next.assign(data.uniform(DType.F32, 0, V, 6, 2).cast(DType.I32));
          optimizer.learningRate(0.1 / (i + 1));
          if (i == 3) {
            Tensor unused = noise.uniform(DType.F32, 0, 1, 3);
          }
          if (replayed) {
            losses.add(step.run().item());
          } else {
            try (var each = TensorScope.open()) {
              var gradients =
                  Grad.of(
                      () -> Training.with(noise, () -> model.loss(tokens, next, 0.3)),
                      model.parameters());
              optimizer.step(gradients.clipNorm(0.5));
              losses.add(gradients.value().item());
            }
          }
        }
      }
      List<float[]> weights = new ArrayList<>();
      model.parameters().forEach(p -> weights.add(p.value().toFloatArray()));
      return new Trained(losses, weights, noise.counter(), optimizer.steps());
    }
  }

  @TestFactory
  Stream<DynamicTest> trainsAsItsCodeDoes() {
    return Stream.of(
            Adam.rule(),
            Adam.rule().withAmsgrad(),
            AdamW.rule(),
            RmsProp.rule(),
            Sgd.rule().withMomentum(0.9),
            Sgd.rule())
        .map(rule ->
            DynamicTest.dynamicTest(
                rule.toString(),
                () -> {
                  Trained wanted = train(rule, false);
                  Trained actual = train(rule, true);
                  assertThat(actual.losses()).isEqualTo(wanted.losses());
                  assertThat(actual.losses()).doesNotHaveDuplicates();
                  assertThat(actual.drawn()).isEqualTo(wanted.drawn());
                  assertThat(actual.steps()).isEqualTo(RUNS);
                  for (int i = 0; i < wanted.weights().size(); i++) {
                    assertThat(actual.weights().get(i)).isEqualTo(wanted.weights().get(i));
                  }
                }));
  }

  @Test
  void drawsTheSameNumbersAgainInACheckpointedSegment() {
    try (var run = TensorScope.open()) {
      Tensor weight = Tensor.of(1f, 2, 3);
      List<float[]> wanted = new ArrayList<>();
      var plain = Philox.of(2);
      for (int i = 0; i < RUNS; i++) {
        wanted.add(gradient(weight, plain).toFloatArray());
      }
      var noise = Philox.of(2);
      try (var gradient = Replay.of(() -> gradient(weight, noise))) {
        for (int i = 0; i < RUNS; i++) {
          assertThat(gradient.run().toFloatArray()).isEqualTo(wanted.get(i));
        }
      }
      assertThat(wanted.get(0)).isNotEqualTo(wanted.get(1));
    }
  }

  private static Tensor gradient(Tensor weight, Philox noise) {
    return Grad.of(
            () ->
                Grad.checkpoint(() -> weight.mul(noise.uniform(DType.F32, 1, 2, 3)).square()).sum(),
            weight)
        .get(0);
  }

  @Test
  void isNotDifferentiated() {
    try (var run = TensorScope.open();
        var twice = Replay.of(() -> Tensor.full(DType.F32, 1).mul(2))) {
      Tensor weight = Tensor.of(1f);
      assertThatThrownBy(() -> Grad.of(() -> weight.mul(twice.run()).sum(), weight))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("within its code");
    }
  }

  @Test
  void isOfNoUseOnceClosed() {
    try (var run = TensorScope.open()) {
      var twice = Replay.of(() -> Tensor.full(DType.F32, 1).mul(2));
      Tensor result = twice.run();
      twice.close();
      twice.close();
      assertThat(result.item()).isEqualTo(2);
      assertThatThrownBy(twice::run).hasMessage("replay: it is closed");
    }
  }
}
