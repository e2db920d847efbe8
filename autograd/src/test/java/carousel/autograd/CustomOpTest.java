package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Op;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ops as users write them: the rule is the gradient, at every order, and outputs are nobody else's. */
class CustomOpTest {
  private static final Offset<Double> SAME = within(1e-12);

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  private static void same(Tensor actual, double... expected) {
    assertThat(actual.cast(DType.F64).toDoubleArray()).containsExactly(expected, SAME);
  }

  /** Fires above 0; flows as a fast sigmoid does. */
  record Spike(double slope) implements CustomOp {
    @Override
    public Tensor[] forward(Tensor... in) {
      return new Tensor[] {in[0].gt(0).cast(in[0].dtype())};
    }

    @Override
    public Vjp vjp() {
      return Vjp.fromInput((g, v) -> g.div(v.abs().mul(slope).add(1).square()));
    }
  }

  /** Sum and product at once. */
  record SumAndProduct() implements CustomOp {
    @Override
    public Tensor[] forward(Tensor... in) {
      return new Tensor[] {in[0].add(in[1]), in[0].mul(in[1])};
    }

    @Override
    public Vjp vjp() {
      return Vjp.joint(c ->
          new Tensor[] {
            c.g(0).add(c.g(1).mul(c.in(1))), c.wanted(1) ? c.g(0).add(c.g(1).mul(c.in(0))) : null
          });
    }
  }

  /** A cube by its derivative, which GradCheck agrees with. */
  record Cube() implements CustomOp {
    @Override
    public Tensor[] forward(Tensor... in) {
      double[] x = in[0].toDoubleArray();
      return new Tensor[] {
        Tensor.of(in[0].shape(), Arrays.stream(x).map(v -> v * v * v).toArray()).to(in[0].device())
      };
    }

    @Override
    public Vjp vjp() {
      return Vjp.fromInput((g, x) -> g.mul(x.square()).mul(3));
    }
  }

  private static final CustomOp REVERSAL = CustomOp.of("reversal", x -> x, Vjp.linear(Tensor::neg));
  private static final CustomOp CLIP =
      CustomOp.of("clip", x -> x, Vjp.linear(g -> g.clamp(-0.5, 0.5)));
  private static final CustomOp STRAIGHT =
      CustomOp.of("straightRound", Tensor::round, Vjp.linear(g -> g));

  @Test
  void labelsAreTheNamesOfClassesInLowerCamelCase() {
    record LIFSpike() implements CustomOp {
      @Override
      public Tensor[] forward(Tensor... in) {
        return in;
      }

      @Override
      public Vjp vjp() {
        return Vjp.none();
      }
    }
    record STE() implements CustomOp {
      @Override
      public Tensor[] forward(Tensor... in) {
        return in;
      }

      @Override
      public Vjp vjp() {
        return Vjp.none();
      }
    }
    assertThat(
            Stream.of(new Spike(1), new SumAndProduct(), new LIFSpike(), new STE(), CLIP)
                .map(Op::label))
        .containsExactly("spike", "sumAndProduct", "lifSpike", "ste", "clip");
  }

  @Test
  void anOpIsWhatItsForwardSaysAndFlowsAsItsRuleSays() {
    Tensor v = Tensor.of(-1.0, 0.0, 0.5);
    var g = Grad.of(() -> new Spike(2).apply(v).mul(Tensor.of(1.0, 2.0, 3.0)).sum(), v);
    assertThat(g.value().item()).isEqualTo(3);
    same(g.get(0), 1.0 / 9, 2, 3.0 / 4);
    Tensor x = Tensor.of(0.4, 1.6);
    same(Grad.of(() -> STRAIGHT.apply(x.mul(3)).square().sum(), x).get(0), 6 * 1, 6 * 5);
  }

  @Test
  void aRuleThatIsTheDerivativePassesGradCheckAtEveryOrder() {
    Tensor x = Tensor.of(0.3, -1.2, 2.0);
    Tensor y = Tensor.of(1.5, 0.2, -0.7);
    var check = GradCheck.standard().withOrder(2);
    check.run("cube", in -> new Cube().apply(in[0]), x).require();
    same(
        Grad.hvp(() -> new Cube().apply(x).sum(), List.of(x), List.of(y)).getFirst(),
        6 * 0.3 * 1.5,
        6 * -1.2 * 0.2,
        6 * 2.0 * -0.7);
    check
        .run(
            "sum and product",
            in -> {
              Tensor[] both = new SumAndProduct().applyAll(in[0].tanh(), in[1]);
              return both[0].square().mul(both[1]);
            },
            x,
            y)
        .require();
  }

  /** The rule is differentiated, not the forward. */
  @Test
  void secondOrderIsThatOfTheRule() {
    Tensor v = Tensor.of(-1.0, 0.5);
    // g(v) = 1/(1+2|v|)², and its derivative is −4·sign(v)/(1+2|v|)³.
    Tensor second =
        Grad.of(() -> Grad.of(() -> new Spike(2).apply(v).sum(), v).get(0).sum(), v).get(0);
    same(second, 4.0 / 27, -4.0 / 8);
    Tensor x = Tensor.of(2.0, -3.0);
    // Reversed once for the gradient −2x, and again where that is differentiated: through x → x.
    Supplier<Tensor> loss = () -> REVERSAL.apply(x).square().sum();
    same(Grad.of(loss, x).get(0), -4, 6);
    same(Grad.of(() -> Grad.of(loss, x).get(0).sum(), x).get(0), 2, 2);
    Supplier<Tensor> clipped = () -> CLIP.apply(x).mul(Tensor.of(0.1, 7.0)).sum();
    same(Grad.of(clipped, x).get(0), 0.1, 0.5);
    // d/dx of clamp(2y), 0 where it is clipped; the 2 that arrives at y is clipped once more.
    Tensor small = Tensor.of(0.1, 5.0);
    Supplier<Tensor> square = () -> CLIP.apply(small).square().sum();
    same(Grad.of(() -> Grad.of(square, small).get(0).sum(), small).get(0), 0.5, 0);
  }

  @Test
  void jvpAndHvpAndCheckpointAndAnomalySeeTheRule() {
    Tensor v = Tensor.of(-1.0, 0.5);
    Tensor d = Tensor.of(3.0, 5.0);
    same(Grad.jvp(x -> new Spike(2).apply(x), v, d), 3.0 / 9, 5.0 / 4);
    Supplier<Tensor> loss = () -> Grad.checkpoint(() -> new Spike(2).apply(v.mul(1))).mul(d).sum();
    same(Grad.of(loss, v).get(0), 3.0 / 9, 5.0 / 4);
    same(Grad.hvp(loss, List.of(v), List.of(d)).getFirst(), 4.0 / 27 * 3 * 3, -4.0 / 8 * 5 * 5);
    same(Anomaly.detect(() -> Grad.of(loss, v)).get(0), 3.0 / 9, 5.0 / 4);
    var broken = CustomOp.of("broken", x -> x, Vjp.linear(g -> g.div(0)));
    assertThatThrownBy(() -> Anomaly.detect(() -> Grad.of(() -> broken.apply(v.mul(2)).sum(), v)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("gradient of broken");
    var born = CustomOp.of("born", x -> x.div(0), Vjp.linear(g -> g));
    assertThatThrownBy(() -> Anomaly.detect(() -> born.apply(v)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("born");
  }

  @Test
  void aRuleThatIsDifferentiatedOnceSaysSoOnlyWhereItIsDifferentiatedAgain() {
    var once =
        CustomOp.of(
            "hostSpike",
            v -> v.gt(0).cast(v.dtype()),
            Vjp.once(
                Vjp.fromInput((g, v) -> {
                  double[] x = v.toDoubleArray();
                  double[] of = g.toDoubleArray();
                  for (int i = 0; i < x.length; i++) {
                    of[i] /= 1 + x[i] * x[i];
                  }
                  return Tensor.of(v.shape(), of);
                })));
    Tensor v = Tensor.of(-1.0, 2.0);
    Tensor w = Tensor.of(3.0, 4.0);
    same(Grad.of(() -> once.apply(v).mul(w).sum(), v).get(0), 3.0 / 2, 4.0 / 5);
    // A gradient of a gradient that does not go through the rule is right, and no error.
    Tensor u = Tensor.of(1.0, 1.0);
    same(
        Grad.of(
                () -> {
                  Gradients g =
                      Grad.of(() -> once.apply(v).mul(w).sum().add(u.mul(v).square().sum()), v, u);
                  return g.get(1).sum();
                },
                u)
            .get(0),
        2,
        8);
    ThrowingCallable again =
        () -> Grad.hvp(() -> once.apply(v).mul(w).sum(), List.of(v), List.of(w));
    assertThatThrownBy(again)
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("hostSpike: its rule is declared differentiable once")
        .hasMessageContaining("without Vjp.once");
    // By the cotangent, too.
    assertThatThrownBy(() -> Grad.jvp(x -> once.apply(x), v, w)).hasMessageContaining("hostSpike");
    same(Anomaly.detect(() -> Grad.of(() -> once.apply(v).mul(w).sum(), v)).get(0), 1.5, 0.8);
  }

  @Test
  void integersAndMasksMayGoInAndOut() {
    var pick =
        CustomOp.ofAll(
            "pick",
            in -> {
              return new Tensor[] {in[1].neg(), in[0].gt(1), in[0].mul(2)};
            },
            Vjp.joint(c -> new Tensor[] {c.g(2).mul(2), null}));
    Tensor x = Tensor.of(0.5, 2.0);
    Tensor index = Tensor.of(new int[] {0, 2});
    Tensor[] out = pick.applyAll(x, index);
    assertThat(Arrays.stream(out).map(Tensor::dtype))
        .containsExactly(DType.I32, DType.BOOL, DType.F64);
    same(out[0], 0, -2);
    same(Grad.of(() -> pick.applyAll(x, index)[2].square().sum(), x).get(0), 4, 16);
    assertThatThrownBy(() -> Grad.of(() -> pick.applyAll(x, index)[1].cast(DType.F64).sum(), x))
        .hasMessageContaining("does not depend");
  }

  @Test
  void outputsThatNothingReachesHaveZerosOfTheirOwnType() {
    var two =
        CustomOp.ofAll(
            "two",
            in -> new Tensor[] {in[0].cast(DType.F32).sum(), in[0].mul(2)},
            Vjp.joint(c -> {
              assertThat(c.reached(0)).isFalse();
              assertThat(c.g(0).dtype()).isEqualTo(DType.F32);
              assertThat(c.g(0).shape()).isEqualTo(Shape.SCALAR);
              assertThat(c.outputShape(1)).isEqualTo(Shape.of(2));
              return new Tensor[] {c.g(1).mul(2)};
            }));
    Tensor x = Tensor.of(0.5, 2.0);
    same(Grad.of(() -> two.applyAll(x)[1].sum(), x).get(0), 2, 2);
  }

  @Test
  void anOpTakesAnyNumberOfInputs() {
    Tensor[] x = new Tensor[40];
    Vjp.Rule[] rules = new Vjp.Rule[40];
    for (int i = 0; i < 40; i++) {
      x[i] = Tensor.of(i + 1.0);
      int other = 39 - i;
      rules[i] = Vjp.Rule.reading(other, (g, y) -> g.mul(y));
    }
    var op =
        CustomOp.ofAll(
            "forty", in -> new Tensor[] {Tensor.concat(List.of(in), 0).sum()}, Vjp.of(rules));
    Gradients g = Grad.of(() -> op.apply(x), x[1], x[8]);
    same(g.get(0), 39);
    same(g.get(1), 32);
  }

  /** A tape knows results by their tensors: an input given back would be itself. */
  @Test
  void outputsAreTensorsThatNobodyElseHas() {
    Tensor held = Tensor.of(1.0, 2.0);
    var op =
        CustomOp.ofAll(
            "passing",
            in -> {
              Tensor y = in[0].mul(2);
              return new Tensor[] {in[0], y, y, held};
            },
            Vjp.joint(c -> new Tensor[] {c.g(0).mul(1).add(c.g(1).mul(10)).add(c.g(2).mul(100))}));
    Tensor x = Tensor.of(3.0, 4.0);
    Tensor[] out = op.applyAll(x);
    List<Tensor> all = new ArrayList<>(List.of(out));
    all.addAll(List.of(x, held));
    for (int i = 0; i < all.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertThat(all.get(i)).isNotSameAs(all.get(j));
      }
    }
    assertThat(Engine.storage(out[0])).as("no copy").isSameAs(Engine.storage(x));
    assertThat(Engine.storage(out[2])).isSameAs(Engine.storage(out[1]));
    Supplier<Tensor> loss =
        () -> {
          Tensor[] y = op.applyAll(x);
          return y[0].add(y[1]).add(y[2].mul(2)).add(y[3]).sum();
        };
    same(Grad.of(loss, x).get(0), 211, 211);
    // The other uses of x are not the op's.
    same(Grad.of(() -> op.apply(x).mul(x).sum(), x).get(0), 6, 8);
    Gradients g = Grad.orZero(() -> loss.get(), x, held);
    same(g.get(1), 0, 0);
  }

  @Test
  void whatForwardMakesOnTheWayIsFreed() {
    Tensor x = Tensor.of(1.0, 2.0);
    long before = scope.bytes();
    Tensor y = CustomOp.of("long", t -> t.exp().add(1).log().mul(t), Vjp.linear(g -> g)).apply(x);
    assertThat(scope.bytes() - before).isEqualTo(Engine.storage(y).bytes());
  }

  @Test
  void nothingIsRecordedInsideOfForward() {
    Tensor x = Tensor.of(2.0);
    Tensor w = Tensor.of(3.0);
    var op = CustomOp.of("hidden", t -> t.mul(w).exp(), Vjp.linear(g -> g));
    Gradients g = Grad.orZero(() -> op.apply(x).sum(), x, w);
    same(g.get(0), 1);
    same(g.get(1), 0);
  }

  static Stream<org.junit.jupiter.params.provider.Arguments> mistakes() {
    return Stream.of(
        wrong(g -> g.sum(), "3,2", "[] "),
        wrong(g -> Tensor.ones(DType.F64, 2), "F64 [2]", "which is F64 [3,2]"),
        wrong(g -> Tensor.ones(DType.F64, 4, 3, 2), "[4,3,2]", "of what that meets in this op"),
        wrong(g -> g.cast(DType.F32), "F32 [3,2]", "cast(DType.F64)"));
  }

  private static org.junit.jupiter.params.provider.Arguments wrong(
      java.util.function.UnaryOperator<Tensor> rule, String first, String second) {
    return org.junit.jupiter.params.provider.Arguments.of(rule, first, second);
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void aCotangentThatDoesNotFitIsNamed(
      java.util.function.UnaryOperator<Tensor> rule, String first, String second) {
    Tensor x = Philox.of(1).normal(DType.F64, 0, 1, 3, 2);
    var op = CustomOp.of("mine", t -> t.mul(2), Vjp.linear(rule::apply));
    assertThatThrownBy(() -> Grad.of(() -> op.apply(x).sum(), x))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("mine: its rule gives ")
        .hasMessageContaining("cotangent of input 0")
        .hasMessageContaining(first)
        .hasMessageContaining(second);
  }

  @Test
  void cotangentsOfBroadcastInputsAreSummed() {
    Tensor a = Philox.of(1).normal(DType.F64, 0, 1, 3, 2);
    Tensor b = Tensor.of(1.0, 2.0);
    var op =
        CustomOp.of(
            "plus",
            (x, y) -> x.add(y),
            Vjp.of(Vjp.Rule.linear(g -> g), Vjp.Rule.linear(g -> g.mul(2))));
    same(Grad.of(() -> op.apply(a, b).sum(), a, b).get(1), 6, 6);
  }

  @Test
  void mistakesOfForwardAndRuleAreNamed() {
    Tensor x = Tensor.of(1.0);
    assertThatThrownBy(() -> CustomOp.ofAll("empty", in -> new Tensor[0], Vjp.none()).apply(x))
        .hasMessage("empty: forward gives no outputs; return at least one tensor");
    assertThatThrownBy(
            () -> CustomOp.ofAll("gap", in -> new Tensor[] {in[0], null}, Vjp.none()).apply(x))
        .hasMessage("gap: forward gives null as output 1; return a tensor");
    assertThatThrownBy(
            () -> CustomOp.of("writes", t -> t.assign(t.mul(2)), Vjp.linear(g -> g)).apply(x))
        .hasMessageContaining("writes: forward wrote to its input 0 [1] in place");
    var few = CustomOp.of("few", (a, b) -> a.mul(b), Vjp.joint(c -> new Tensor[] {c.g()}));
    assertThatThrownBy(() -> Grad.of(() -> few.apply(x, x).sum(), x))
        .hasMessageContaining("few: its rule gives 1 cotangents for 2 inputs");
    var secret = CustomOp.of("secret", t -> t, Vjp.shaped(c -> c.in(0)));
    assertThatThrownBy(() -> Grad.of(() -> secret.apply(x).sum(), x))
        .hasMessageContaining("secret: its rule reads input 0 without declaring it");
  }

  @Test
  void whatARuleReadsMayNotChangeInBetween() {
    Tensor x = Tensor.of(1.0, 2.0);
    assertThatThrownBy(() ->
            Grad.of(
                () -> {
                  Tensor v = x.mul(2);
                  Tensor s = new Spike(1).apply(v);
                  Grad.off(() -> v.assign(v.mul(3)));
                  return s.sum();
                },
                x))
        .hasMessageContaining("spike: input 0 [2] was changed in place");
  }

  /** As part of a composite, by its kernel if it has one, and by its body. */
  @Test
  void aCompositeOfSuchOpsFlowsAsItsBodyDoes() {
    var rng = Philox.of(3);
    Tensor z = rng.normal(DType.F64, 0, 1, 5, 16);
    Tensor c = rng.normal(DType.F64, 0, 1, 5, 8);
    Tensor weight = rng.normal(DType.F64, 0, 1, 5, 8);
    for (double slope : new double[] {1, 2.5}) {
      Composite.Body body =
          in -> {
            var parts = in[0].chunk(2, Tensor.LAST);
            Tensor s = new Spike(slope).apply(parts.get(0).add(in[1]));
            Tensor[] both = new SumAndProduct().applyAll(s.sub(in[1]), parts.get(1).tanh());
            return new Tensor[] {CLIP.apply(both[0]).mul(both[1])};
          };
      var op = new Composite("mine", body);
      Supplier<Tensor> fast = () -> Op.apply(op, z, c).mul(weight).sum();
      Supplier<Tensor> slow = () -> body.apply(z, c)[0].mul(weight).sum();
      Gradients a = Grad.of(fast, z, c);
      Gradients b = Grad.of(slow, z, c);
      List<Tensor> second = Grad.hvp(fast, List.of(z, c), List.of(z, c));
      List<Tensor> expected = Grad.hvp(slow, List.of(z, c), List.of(z, c));
      for (int i = 0; i < 2; i++) {
        same(a.get(i), b.get(i).toDoubleArray());
        same(second.get(i), expected.get(i).toDoubleArray());
      }
    }
  }
}
