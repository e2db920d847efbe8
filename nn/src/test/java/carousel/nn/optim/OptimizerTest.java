package carousel.nn.optim;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.autograd.Leaf;
import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizerTest {
  private TensorScope run;

  private static final List<Rule> RULES =
      List.of(
          Sgd.rule().withMomentum(0.9),
          AdaGrad.rule(),
          Adadelta.rule(),
          RmsProp.rule().withCentering().withMomentum(0.5),
          Adam.rule().withAmsgrad(),
          AdamW.rule(),
          NAdam.rule(),
          RAdam.rule());

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Linear model() {
    return Linear.of(3, 2, Init.normal(1), Philox.of(1));
  }

  /** In F32, whose numbers end earlier: squares that are 0, an ε beside nothing. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-45, 1e-38, 1e-30, 1e-23, 1e-4, 1, 1e18})
  void noGradientMakesAParameterNoNumber(double size) {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (Rule rule : RULES) {
        var p = Parameter.of(() -> Tensor.ones(type, 4));
        var holder = new Linear(Parameter.of(() -> Tensor.ones(type, 4, 4)), p);
        var optimizer = Optimizer.of(holder.parameters(), rule, 1e-3);
        for (int k = 0; k < 8; k++) {
          double sign = k % 3 == 2 ? -1 : 1;
          optimizer.step(leaf -> leaf.value().fullLike(leaf.value().shape(), sign * size));
        }
        double[] after = p.value().cast(DType.F64).toDoubleArray();
        assertThat(Arrays.stream(after).allMatch(Double::isFinite))
            .as("%s, %s: %s", rule, type, Arrays.toString(after))
            .isTrue();
        if (size == 0 && !(rule instanceof AdamW)) {
          assertThat(after).as("%s without a gradient", rule).containsOnly(1);
        }
      }
    }
  }

  /** A step with gradients that depend on the parameters, in a scope of its own. */
  private static void step(Optimizer optimizer, int k) {
    try (var step = TensorScope.open()) {
      Function<Leaf, Tensor> gradients = leaf -> leaf.value().mul(k % 3 - 0.5).add(0.1 * k);
      optimizer.step(gradients);
    }
  }

  private static Tensor slot(Optimizer optimizer, String name) {
    return Objects.requireNonNull(optimizer.state().get(name));
  }

  @TestFactory
  Stream<DynamicTest> goOnFromACheckpointBitByBit() {
    return RULES.stream()
        .map(rule ->
            DynamicTest.dynamicTest(
                rule.toString(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    var one = model();
                    var first = rule.over(one.parameters(), 0.1);
                    for (int k = 0; k < 5; k++) {
                      step(first, k);
                    }
                    first.learningRate(0.05);
                    var saved = new HashMap<String, Tensor>();
                    first.state().forEach((name, tensor) -> saved.put(name, tensor.copy()));

                    var two = model();
                    two.parameters()
                        .forEach(named ->
                            named.parameter().assign(one.parameters().get(named.name()).value()));
                    var second = rule.over(two.parameters(), 0.3);
                    second.restore(saved);
                    assertThat(second.steps()).isEqualTo(5);
                    assertThat(second.learningRate()).isEqualTo(0.05);
                    for (int k = 5; k < 9; k++) {
                      step(first, k);
                      step(second, k);
                    }
                    two.parameters()
                        .forEach(named ->
                            assertThat(
                                    named
                                        .value()
                                        .sameValues(one.parameters().get(named.name()).value()))
                                .as(named.name())
                                .isTrue());
                  }
                }));
  }

  @TestFactory
  Stream<DynamicTest> leaveNothingBehindInTheScopeOfAStep() {
    return RULES.stream()
        .map(rule ->
            DynamicTest.dynamicTest(
                rule.toString(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    var optimizer = rule.over(model().parameters(), 0.1);
                    long before = scope.bytes();
                    try (var inner = TensorScope.open()) {
                      optimizer.step(Leaf::value);
                      assertThat(inner.bytes()).isZero();
                    }
                    assertThat(scope.bytes()).isEqualTo(before);
                  }
                }));
  }

  @Test
  void namesItsStateByParameterAndSlot() {
    var adam = Adam.of(model().parameters(), 1e-3);
    assertThat(adam.state().keySet())
        .containsExactly("weight.m", "weight.v", "bias.m", "bias.v", "step", "rate");
    assertThat(slot(adam, "weight.v").shape()).hasToString("[3,2]");
    assertThat(Sgd.of(model().parameters(), 1).state().keySet()).containsExactly("step", "rate");
    assertThat(adam)
        .hasToString(
            "Adam[beta1=0.9, beta2=0.999, epsilon=1.0E-8, weightDecay=0.0, amsgrad=false] at 0.001"
                + " of 2 parameters");
  }

  @Test
  void refusesAStateOfSomethingElse() {
    var adam = Adam.of(model().parameters(), 1e-3);
    var state = new HashMap<String, Tensor>(adam.state());
    state.remove("bias.v");
    state.put("head.v", Tensor.zeros(1));
    assertThatThrownBy(() -> adam.restore(state))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("no state of Adam[")
        .hasMessageContaining("missing [bias.v], unknown [head.v]");

    var misshapen = new HashMap<String, Tensor>(adam.state());
    misshapen.put("bias.v", Tensor.zeros(F64, 2));
    misshapen.put("weight.m", Tensor.ones(3, 2));
    assertThatThrownBy(() -> adam.restore(misshapen))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("state 'bias.v' must be F32 [2], got F64 [2]");
    assertThat(slot(adam, "weight.m").sum().item()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "step, -1, must be a number of steps",
    "step, 1.5, must be a number of steps",
    "step, NaN, must be a number of steps",
    "step, 2147483648, must be a number of steps",
    "rate, -1, must be finite and not negative",
    "rate, NaN, must be finite and not negative",
    "rate, Infinity, must be finite and not negative",
  })
  void refusesAPlaceThatIsNone(String name, double value, String message) {
    var adam = Adam.of(model().parameters(), 1e-3);
    var state = new HashMap<String, Tensor>(adam.state());
    state.put("weight.m", Tensor.ones(3, 2));
    state.put(name, Tensor.full(F64, value));
    assertThatThrownBy(() -> adam.restore(state))
        .isInstanceOf(TensorException.class)
        .hasMessage(String.format(Locale.ROOT, "optimizer: '%s' %s, got %s", name, message, value));
    assertThat(slot(adam, "weight.m").sum().item()).isZero();
    assertThat(adam.steps()).isZero();
  }

  @Test
  void changesOnlyItsOwnParameters() {
    record Two(Linear body, Linear head) implements Layer {}
    var two = new Two(model(), model());
    Parameters heads = two.parameters().where(named -> named.name().startsWith("head"));
    Tensor before = two.body().weight().value().copy();
    Sgd.of(heads, 0.5).step(Leaf::value);
    assertThat(two.body().weight().value().sameValues(before)).isTrue();
    assertThat(two.head().weight().value().sameValues(before.mul(0.5))).isTrue();
  }

  @Test
  void changesNothingWhereAGradientIsMissing() {
    var linear = model();
    var sgd = Sgd.of(linear.parameters(), 0.5);
    Tensor before = linear.weight().value().copy();
    Tensor w = linear.weight().value();
    var gradients = Grad.of(() -> w.square().sum(), w);
    assertThatThrownBy(() -> sgd.step(gradients))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("'bias'");
    assertThat(w.sameValues(before)).isTrue();
    assertThat(sgd.steps()).isZero();
  }

  @Test
  void takesItsRateFromASchedule() {
    var sgd = Sgd.of(model().parameters(), 1);
    sgd.learningRate(Schedule.exponential(1, 0.5).rate(2));
    assertThat(sgd.learningRate()).isEqualTo(0.25);
    for (double rate : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> sgd.learningRate(rate))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("learning rate must be finite and not negative");
    }
  }

  @Test
  void aRuleOfOnesOwnIsOneMethod() {
    record SignSgd() implements Rule {
      @Override
      public List<Slot> slots() {
        return List.of();
      }

      @Override
      public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
        return gradient.sign().fma(-memory.rate(), parameter);
      }
    }
    var linear = model();
    new SignSgd().over(linear.parameters(), 0.5).step(leaf -> leaf.value().onesLike());
    assertThat(linear.parameters().get("bias").value().toFloatArray())
        .containsExactly(-0.5f, -0.5f);
  }

  @Test
  void refusesSettingsThatMakeNoSense() {
    Map<String, Runnable> wrong =
        Map.of(
            "sgd: momentum must be in [0, 1), got 1.0",
            () -> Sgd.rule().withMomentum(1),
            "no dampening",
            () -> Sgd.rule().withNesterov(0.9).withDampening(0.1),
            "momentum above 0",
            () -> Sgd.rule().withNesterov(0),
            "adam: beta2 must be in [0, 1), got 1.5",
            () -> Adam.rule().withBetas(0.9, 1.5),
            "adamW: epsilon must be finite and not negative, got -1.0",
            () -> AdamW.rule().withEpsilon(-1),
            "rmsProp: alpha",
            () -> RmsProp.rule().withAlpha(Double.NaN),
            "nAdam: momentum decay",
            () -> NAdam.rule().withMomentumDecay(-1),
            "rAdam: epsilon",
            () -> RAdam.rule().withEpsilon(-1),
            "adadelta: rho",
            () -> Adadelta.rule().withRho(2));
    wrong.forEach((message, make) ->
        assertThatThrownBy(make::run)
            .isInstanceOf(TensorException.class)
            .hasMessageContaining(message));
  }

  @Test
  void everyRuleHasAShortForm() {
    var parameters = model().parameters();
    assertThat(
            Stream.of(
                Sgd.of(parameters, 1),
                AdaGrad.of(parameters, 1),
                Adadelta.of(parameters, 1),
                RmsProp.of(parameters, 1),
                Adam.of(parameters, 1),
                AdamW.of(parameters, 1),
                NAdam.of(parameters, 1),
                RAdam.of(parameters, 1)))
        .extracting(Optimizer::learningRate)
        .containsOnly(1.0);
    assertThat(NAdam.rule().withBetas(0.5, 0.6).withEpsilon(1e-3))
        .isEqualTo(new NAdam(0.5, 0.6, 1e-3, 4e-3, 0));
    assertThat(Adam.rule().withEpsilon(1e-3)).isEqualTo(new Adam(0.9, 0.999, 1e-3, 0, false));
    assertThat(RmsProp.rule().withEpsilon(1e-3)).isEqualTo(new RmsProp(0.99, 1e-3, 0, false, 0));
  }
}
