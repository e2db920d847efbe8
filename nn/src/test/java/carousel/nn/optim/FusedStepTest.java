package carousel.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A step in one pass gives the bits that the rule gives op by op. */
@Tag("cpu") // other devices have kernels of their own, or none
class FusedStepTest {
  private static final int[] SIZES = {0, 1, 15, 16, 33, 70_001};

  private static final List<Rule> RULES =
      List.of(
          Sgd.rule(),
          Sgd.rule().withWeightDecay(0.1),
          Sgd.rule().withMomentum(0.9).withDampening(0.2),
          Sgd.rule().withNesterov(0.9).withWeightDecay(0.1),
          AdaGrad.rule(),
          Adadelta.rule(),
          RmsProp.rule(),
          RmsProp.rule().withCentering().withMomentum(0.5),
          Adam.rule(),
          Adam.rule().withAmsgrad().withWeightDecay(0.1),
          AdamW.rule(),
          NAdam.rule(),
          RAdam.rule());

  /** How often a rule saw stand-ins, and how often tensors. */
  private static final class Counting implements Rule {
    private final Rule rule;
    private final boolean wholes;
    private int traced;
    private int computed;

    /** A rule that, if it looks at whole tensors, cannot be fused. */
    Counting(Rule rule, boolean wholes) {
      this.rule = rule;
      this.wholes = wholes;
    }

    @Override
    public List<Slot> slots() {
      return rule.slots();
    }

    @Override
    public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
      if (Engine.storage(parameter).isOpen()) {
        computed++;
      } else {
        traced++;
      }
      if (wholes) {
        Tensor _ = gradient.sum();
      }
      return rule.update(parameter, gradient, memory);
    }
  }

  @BeforeEach
  void fusionIsOn() {
    assumeFalse("off".equals(System.getProperty("carousel.fused")), "-Dcarousel.fused=off");
  }

  private static Parameters parameters() {
    var named = new ArrayList<Parameters.Named>();
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (int size : SIZES) {
        Tensor start = Philox.of(size).normal(type, 0, 1, size);
        named.add(new Parameters.Named(type + " " + size, Parameter.of(start)));
      }
    }
    return Parameters.of(named);
  }

  private static Gradients gradients(Parameters parameters, int k) {
    return Grad.of(
        () -> {
          Tensor sum = Tensor.zeros(DType.F64);
          for (var named : parameters) {
            sum = sum.add(named.value().square().mul(0.5 + k).sum().cast(DType.F64));
          }
          return sum;
        },
        parameters);
  }

  @TestFactory
  Stream<DynamicTest> givesTheBitsOfTheRule() {
    return RULES.stream()
        .map(rule -> DynamicTest.dynamicTest(rule.toString(), () -> compare(rule)));
  }

  private static void compare(Rule rule) {
    try (var run = TensorScope.open()) {
      var fused = new Counting(rule, false);
      var whole = new Counting(rule, true);
      var one = parameters();
      var other = parameters();
      var first = fused.over(one, 0.01);
      var second = whole.over(other, 0.01);
      // RAdam changes its form after five steps.
      for (int k = 0; k < 7; k++) {
        first.learningRate(0.01 / (1 + k));
        second.learningRate(0.01 / (1 + k));
        try (var step = TensorScope.open()) {
          first.step(gradients(one, k).clipNorm(1 + 100 * k));
          second.step(gradients(other, k).clipNorm(1 + 100 * k));
        }
      }
      for (String name : one.names()) {
        assertThat(one.get(name).value().sameValues(other.get(name).value())).as(name).isTrue();
      }
      var expected = second.state();
      first
          .state()
          .forEach((name, slot) ->
              assertThat(slot.sameValues(Objects.requireNonNull(expected.get(name))))
                  .as(name)
                  .isTrue());
      boolean vectors = !"off".equals(System.getProperty("carousel.vector"));
      assertThat(fused.computed).isEqualTo(vectors ? 0 : 7 * one.size());
      assertThat(fused.traced).isEqualTo(7 * one.size());
      assertThat(whole.computed).isEqualTo(7 * other.size());
    }
  }

  @Test
  void raisesTheVersionOfWhatItWrites() {
    try (var run = TensorScope.open()) {
      var p = Parameter.of(Tensor.ones(3));
      var parameters = Parameters.of(List.of(new Parameters.Named("p", p)));
      int before = Engine.storage(p.value()).version();
      Sgd.of(parameters, 0.1).step(gradients(parameters, 0));
      assertThat(Engine.storage(p.value()).version()).isGreaterThan(before);
    }
  }

  @Test
  void readsAGradientThatIsAParameterBeforeItChanges() {
    try (var run = TensorScope.open()) {
      var p = Parameter.of(Tensor.of(1f, 2f));
      var q = Parameter.of(Tensor.of(3f, 4f));
      var parameters =
          Parameters.of(List.of(new Parameters.Named("p", p), new Parameters.Named("q", q)));
      Sgd.of(parameters, 1).step(leaf -> leaf.value() == p.value() ? q.value() : p.value());
      assertThat(p.value().toFloatArray()).containsExactly(-2, -2);
      assertThat(q.value().toFloatArray()).containsExactly(2, 2);
    }
  }

  /** AdaGrad keeps rows without gradient, and its sums of them; it does so if it may. */
  private record Sums(boolean keepsRowsWithoutGradient) implements Rule {
    @Override
    public List<Slot> slots() {
      return AdaGrad.rule().slots();
    }

    @Override
    public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
      return AdaGrad.rule().update(parameter, gradient, memory);
    }
  }

  @Test
  void stepsOverTheRowsLookedUpAsOverAll() {
    List<List<Rule>> pairs =
        List.of(
            List.of(Sgd.rule(), new Counting(Sgd.rule(), false)),
            List.of(new Sums(true), new Sums(false)));
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (int width : new int[] {1, 16, 37}) {
        for (var pair : pairs) {
          try (var run = TensorScope.open()) {
            Tensor rows = trained(pair.getFirst(), type, width);
            Tensor all = trained(pair.getLast(), type, width);
            assertThat(rows.sameValues(all)).as(pair + " " + type + " " + width).isTrue();
          }
        }
      }
    }
  }

  private static Tensor trained(Rule rule, DType type, int width) {
    var table = Parameter.of(Philox.of(1).normal(type, 0, 1, 60, width));
    var parameters = Parameters.of(List.of(new Parameters.Named("table", table)));
    var leaf = parameters.iterator().next();
    var optimizer = rule.over(parameters, 0.1);
    for (int k = 0; k < 3; k++) {
      try (var step = TensorScope.open()) {
        Tensor tokens = Tensor.of(5 + k, 59, 5, 0);
        var g = Grad.of(() -> table.value().indexSelect(tokens, 0).square().sum(), parameters);
        assertThat(g.unscaledRows(leaf)).isNotNull();
        optimizer.step(g.clipNorm(3));
      }
    }
    return table.value();
  }
}
