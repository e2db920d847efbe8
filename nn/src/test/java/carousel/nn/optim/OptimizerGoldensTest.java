package carousel.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.Parameters.Named;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every rule walks as PyTorch's does; the settings of each case are in the golden's metadata. */
class OptimizerGoldensTest {
  private static final Golden GOLDEN = Golden.load("optimisers");

  private record Case(Rule rule, double rate) {}

  private static final Map<String, Case> CASES =
      Map.ofEntries(
          Map.entry("sgd", new Case(Sgd.rule(), 0.1)),
          Map.entry("sgd.momentum", new Case(Sgd.rule().withMomentum(0.9), 0.1)),
          Map.entry(
              "sgd.dampening", new Case(Sgd.rule().withMomentum(0.9).withDampening(0.4), 0.1)),
          Map.entry("sgd.nesterov", new Case(Sgd.rule().withNesterov(0.9), 0.1)),
          Map.entry("sgd.weightDecay", new Case(Sgd.rule().withWeightDecay(0.05), 0.1)),
          Map.entry(
              "sgd.momentum.weightDecay",
              new Case(Sgd.rule().withMomentum(0.9).withWeightDecay(0.05), 0.1)),
          Map.entry("adagrad", new Case(AdaGrad.rule(), 0.1)),
          Map.entry(
              "adagrad.all",
              new Case(
                  AdaGrad.rule()
                      .withRateDecay(0.2)
                      .withWeightDecay(0.05)
                      .withInitial(0.3)
                      .withEpsilon(1e-6),
                  0.1)),
          Map.entry("adadelta", new Case(Adadelta.rule(), 1)),
          Map.entry(
              "adadelta.weightDecay",
              new Case(Adadelta.rule().withRho(0.8).withEpsilon(1e-4).withWeightDecay(0.05), 0.5)),
          Map.entry("rmsprop", new Case(RmsProp.rule(), 0.01)),
          Map.entry(
              "rmsprop.centered", new Case(RmsProp.rule().withAlpha(0.9).withCentering(), 0.01)),
          Map.entry(
              "rmsprop.momentum", new Case(RmsProp.rule().withAlpha(0.9).withMomentum(0.8), 0.01)),
          Map.entry(
              "rmsprop.all",
              new Case(
                  RmsProp.rule()
                      .withAlpha(0.9)
                      .withMomentum(0.8)
                      .withCentering()
                      .withWeightDecay(0.05),
                  0.01)),
          Map.entry("adam", new Case(Adam.rule(), 0.01)),
          Map.entry("adam.amsgrad", new Case(Adam.rule().withBetas(0.8, 0.6).withAmsgrad(), 0.01)),
          Map.entry("adam.weightDecay", new Case(Adam.rule().withWeightDecay(0.05), 0.01)),
          Map.entry("adamw", new Case(AdamW.rule().withWeightDecay(0.1), 0.01)),
          Map.entry(
              "adamw.amsgrad",
              new Case(AdamW.rule().withBetas(0.8, 0.6).withWeightDecay(0.1).withAmsgrad(), 0.01)),
          Map.entry("nadam", new Case(NAdam.rule(), 0.01)),
          Map.entry("nadam.weightDecay", new Case(NAdam.rule().withWeightDecay(0.05), 0.01)),
          Map.entry("radam", new Case(RAdam.rule(), 0.01)),
          Map.entry(
              "radam.weightDecay",
              new Case(RAdam.rule().withBetas(0.9, 0.9).withWeightDecay(0.05), 0.01)));

  @TestFactory
  Stream<DynamicTest> agreeWithPyTorch() {
    return CASES.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(),
                () -> GOLDEN.expect(entry.getKey(), walk(entry.getValue()), 1e-12)));
  }

  @Test
  void leaveNoGoldenOut() {
    var goldens = new HashSet<>(GOLDEN.tensors().keySet());
    goldens.removeAll(Set.of("start", "gradients"));
    assertThat(CASES.keySet()).isEqualTo(goldens);
  }

  private static double[] walk(Case settings) {
    int steps = GOLDEN.shape("gradients")[0];
    int size = 12;
    var result = new double[steps * size];
    try (var run = TensorScope.open()) {
      var parameter = Parameter.of(Tensor.of(Shape.of(3, 4), GOLDEN.values("start")));
      var parameters = Parameters.of(List.of(new Named("p", parameter)));
      var optimizer = settings.rule().over(parameters, settings.rate());
      Tensor gradients = Tensor.of(Shape.of(steps, 3, 4), GOLDEN.values("gradients"));
      for (int k = 0; k < steps; k++) {
        try (var step = TensorScope.open()) {
          Tensor gradient = gradients.select(0, k);
          optimizer.step(leaf -> gradient);
          System.arraycopy(parameter.value().toDoubleArray(), 0, result, k * size, size);
        }
      }
    }
    return result;
  }
}
