package carousel.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A small model learns a table by heart, with every optimiser, in memory that stays what it is. */
class DescentTest {

  private record Model(Embedding embed, LayerNorm norm, Dropout dropout, Linear hidden, Linear head)
      implements Layer {

    static Model of(long seed) {
      var rng = Philox.of(seed);
      return new Model(
          Embedding.of(8, 6, Init.normal(1), rng),
          LayerNorm.of(12),
          new Dropout(0.05),
          Linear.of(12, 16, Init.xavierUniform(5.0 / 3), rng),
          Linear.of(16, 8, Init.xavierUniform(), rng));
    }

    /** tokens [N,2], targets [N] → mean cross-entropy in nats. */
    Tensor loss(Tensor tokens, Tensor targets) {
      Tensor pair = embed.apply(tokens).reshape(tokens.dim(0), 12);
      return Loss.crossEntropy(
          head.apply(dropout.apply(hidden.apply(norm.apply(pair)).tanh())), targets);
    }
  }

  private static final Map<Rule, Double> RATES =
      Map.of(
          Sgd.rule(), 0.5,
          Sgd.rule().withNesterov(0.9), 0.1,
          AdaGrad.rule(), 0.1,
          Adadelta.rule().withEpsilon(1e-3), 1.0,
          RmsProp.rule(), 0.003,
          Adam.rule(), 0.01,
          AdamW.rule(), 0.01,
          NAdam.rule(), 0.01,
          RAdam.rule(), 0.02);

  private record Result(double first, double last, long before, long after) {}

  private static Result train(Rule rule, double rate) {
    try (var run = TensorScope.open()) {
      var model = Model.of(1);
      var optimizer = rule.over(model.parameters(), rate);
      var noise = Philox.of(2);
      Tensor tokens = Tensor.of(Shape.of(8, 2), 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 0);
      Tensor targets = Tensor.of(5, 2, 7, 1, 0, 3, 6, 4);
      double first = model.loss(tokens, targets).item();
      long before = run.bytes();
      for (int k = 0; k < 150; k++) {
        try (var step = TensorScope.open()) {
          optimizer.step(
              Grad.of(
                      () -> Training.with(noise, () -> model.loss(tokens, targets)),
                      model.parameters())
                  .clipNorm(5));
        }
      }
      long after = run.bytes();
      return new Result(first, model.loss(tokens, targets).item(), before, after);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyRuleLearns() {
    return RATES.entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey().toString(),
                () -> {
                  var result = train(entry.getKey(), entry.getValue());
                  assertThat(result.first).isGreaterThan(1.5);
                  assertThat(result.last).isLessThan(0.2);
                  assertThat(result.after).isEqualTo(result.before);
                }));
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertThat(train(Adam.rule(), 0.01)).isEqualTo(train(Adam.rule(), 0.01));
  }
}
