package carousel.nn.recurrent;

import static carousel.nn.recurrent.KernelAndBody.areMade;
import static carousel.nn.recurrent.KernelAndBody.requireKernel;
import static carousel.nn.recurrent.KernelAndBody.sameToSecondOrder;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Ops of a user's own in a cell's step: its kernel gives what its body gives, outputs, gradients by the
 * ops' rules, and second derivatives, which are the rules' too.
 */
class CustomOpCellTest {
  private static final int H = 8;
  private static final int D = 3;

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  private static final CustomOp CLIP =
      CustomOp.of("clip", x -> x, Vjp.linear(g -> g.clamp(-0.05, 0.05)));

  /** One step of a cell of this test. */
  @FunctionalInterface
  interface StepOf {
    Tensor apply(Own cell, Tensor z, Tensor h);
  }

  /** A cell whose step is given; v is what it reads beside its weights. */
  record Own(Parameter wx, Parameter b, Parameter u, Parameter v, StepOf code)
      implements AffineCell<HiddenState> {
    static Own of(DType type, StepOf code) {
      var init = Init.uniform(0.6).as(type);
      var rng = Philox.of(3);
      return new Own(
          init.parameter(rng, D, 2 * H),
          init.parameter(rng, 2 * H),
          init.parameter(rng, H, H),
          init.parameter(rng, H),
          code);
    }

    @Override
    public Parameters parameters() {
      return Parameters.of(
          List.of(
              new Parameters.Named("wx", wx),
              new Parameters.Named("b", b),
              new Parameters.Named("u", u),
              new Parameters.Named("v", v)));
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(code.apply(this, z, state.h()));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(u.value().zerosLike(Shape.of(batch, H)));
    }
  }

  private static Tensor x(DType type) {
    return Philox.of(5).normal(type, 0, 1, 6, 4, D);
  }

  private static String explained(Cell<?> cell, DType type) {
    return Recurrent.of(cell).explain(x(type));
  }

  /** That there is a kernel, and that it gives what the body gives; returns the gradients. */
  private static List<double[]> same(Cell<?> cell, DType type) {
    Tensor x = x(type);
    requireKernel(cell, x);
    return sameToSecondOrder(cell, x);
  }

  /** A cell of an op of z's first half and the state. */
  private static Own twin(Vjp rule) {
    var op = CustomOp.of("twin", Tensor::tanh, rule);
    return Own.of(
        DType.F64,
        (c, z, h) ->
            op.apply(z.narrow(1, 0, H).add(h.matmul(c.u().value()))).mul(z.narrow(1, H, H)));
  }

  @Test
  void opsOfOneForwardAndDifferentRulesAreDifferent() {
    double[] one = same(twin(Vjp.linear(g -> g)), DType.F64).getFirst();
    double[] two = same(twin(Vjp.linear(g -> g.mul(0.5))), DType.F64).getFirst();
    double[] none = same(twin(Vjp.none()), DType.F64).getFirst();
    double[] own = same(twin(Vjp.fromOutput((g, y) -> g.mul(y))), DType.F64).getFirst();
    assertThat(List.of(one, two, none, own)).doesNotHaveDuplicates();
    assertThat(one).isNotEqualTo(two);
    assertThat(none).isNotEqualTo(own);
  }

  @Test
  void outputsAndInputsMayBeOfManyWidths() {
    var op =
        CustomOp.ofAll(
            "widths",
            in -> new Tensor[] {in[0].mul(in[1]), in[0].mean(-1, true), in[0].add(in[2])},
            Vjp.joint(c ->
                new Tensor[] {
                  c.g(0).mul(c.in(1)).add(c.g(1)).add(c.g(2)),
                  c.g(0).mul(c.in(0)).mul(0.5),
                  c.g(2).mul(c.out(1))
                }));
    StepOf code =
        (c, z, h) -> {
          Tensor[] y = op.applyAll(z.narrow(1, 0, H).add(h), h.mean(-1, true), c.v().value());
          Tensor cut = Tensor.concat(List.of(y[2].narrow(1, 3, H - 3), y[2].narrow(1, 0, 3)), 1);
          return y[0].add(y[1]).add(cut).tanh();
        };
    same(Own.of(DType.F64, code), DType.F64);
  }

  @Test
  void aForwardMayIgnoreWhatItsRuleReads() {
    var op =
        CustomOp.of(
            "ignoring",
            (a, b) -> a.tanh(),
            Vjp.of(
                Vjp.Rule.reading(1, (g, b) -> g.mul(b.sigmoid())),
                Vjp.Rule.reading(0, 1, (g, a, b) -> g.mul(a).add(g.mul(b)))));
    // Of the input, of what is computed of the state, and of what the cell holds.
    same(
        Own.of(DType.F64, (c, z, h) -> op.apply(h.matmul(c.u().value()), z.narrow(1, 0, H))),
        DType.F64);
    same(
        Own.of(
            DType.F64,
            (c, z, h) -> op.apply(z.narrow(1, 0, H).add(h.matmul(c.u().value())), h.sigmoid())),
        DType.F64);
    same(
        Own.of(
            DType.F64,
            (c, z, h) ->
                op.apply(z.narrow(1, 0, H).add(h.matmul(c.u().value())), c.v().value()).mul(0.9)),
        DType.F64);
    String product =
        explained(
            Own.of(
                DType.F64,
                (c, z, h) -> op.apply(z.narrow(1, 0, H).add(h), h.matmul(c.u().value()))),
            DType.F64);
    assertThat(product).contains("no kernel");
    if (areMade()) {
      assertThat(product).contains("a product that its forward does not read");
    }
  }

  /** What is given to a sum of products and to an op, too: the sum does not begin with it. */
  @Test
  void whatAlsoBeginsASumGetsItsGradient() {
    var op =
        CustomOp.of(
            "passing",
            (a, b) -> a.tanh(),
            Vjp.of(Vjp.Rule.linear(g -> g), Vjp.Rule.linear(g -> g.mul(3))));
    StepOf code =
        (c, z, h) -> {
          Tensor half = z.narrow(1, 0, H);
          return op.apply(half.add(h.matmul(c.u().value())), half);
        };
    same(Own.of(DType.F64, code), DType.F64);
    // Nothing but the rule knows of h.sigmoid().
    StepOf computed =
        (c, z, h) -> {
          Tensor half = z.narrow(1, 0, H);
          return op.apply(half.add(h.matmul(c.u().value())), h.sigmoid());
        };
    same(Own.of(DType.F64, computed), DType.F64);
  }

  /** The sum is not one that the step computes; the product and the input stay apart. */
  @Test
  void aRuleMayAddToAProduct() {
    var op =
        CustomOp.of(
            "adding",
            (a, b) -> a.tanh().mul(b),
            Vjp.of(
                Vjp.Rule.reading(0, 1, (g, a, b) -> g.mul(a.add(b))),
                Vjp.Rule.reading(0, (g, a) -> g.mul(a))));
    same(
        Own.of(DType.F64, (c, z, h) -> op.apply(h.matmul(c.u().value()), z.narrow(1, 0, H)).tanh()),
        DType.F64);
  }

  /** A single column in as many goes in, and comes out, and is cut. */
  @Test
  void expandedColumnsMayGoInAndOut() {
    var op =
        CustomOp.of(
            "even",
            x -> x.max(-1, true).expand(x.shape()),
            Vjp.linear(g -> g.clamp(-0.3, 0.3).mul(0.5)));
    StepOf code =
        (c, z, h) -> {
          Tensor y = op.apply(h.mean(-1, true).expand(h.shape()));
          Tensor cut = Tensor.concat(List.of(y.narrow(1, 2, H - 2), y.narrow(1, 0, 2)), 1);
          return cut.mul(z.narrow(1, 0, H)).add(op.apply(h).mul(z.narrow(1, H, H))).tanh();
        };
    same(Own.of(DType.F64, code), DType.F64);
  }

  /** What arrives through products arrives when both outputs are passed. */
  @Test
  void bothOutputsMayBeMultiplied() {
    var op =
        CustomOp.ofAll(
            "both",
            in -> new Tensor[] {in[0].tanh(), in[0].sigmoid()},
            Vjp.joint(c -> new Tensor[] {c.g(0).mul(c.g(1)).add(c.g(1)).mul(c.out(0))}));
    StepOf code =
        (c, z, h) -> {
          Tensor[] y = op.applyAll(z.narrow(1, 0, H).add(h));
          Tensor first = y[0].matmul(c.u().value()).tanh();
          return first.mul(y[1].matmul(c.u().value())).add(h.mul(0.5));
        };
    same(Own.of(DType.F64, code), DType.F64);
  }

  /** What depends on the input alone: the product leaves the steps elsewhere, but not past such an op. */
  @Test
  void anOpOfTheInputAloneKeepsItsRule() {
    StepOf code =
        (c, z, h) -> {
          Tensor clipped = CLIP.apply(z.narrow(1, 0, H));
          return clipped.matmul(c.u().value()).add(clipped).add(h.mul(0.5)).tanh();
        };
    same(Own.of(DType.F64, code), DType.F64);
  }

  @Test
  void anOpOfWeightsAloneIsAppliedOnceIfThatIsTheSame() {
    var rounded = CustomOp.of("rounded", w -> w.mul(4).round().div(4), Vjp.linear(g -> g));
    StepOf code = (c, z, h) -> z.narrow(1, 0, H).add(h.matmul(rounded.apply(c.u().value()))).tanh();
    same(Own.of(DType.F64, code), DType.F64);
    StepOf clipping =
        (c, z, h) -> z.narrow(1, 0, H).add(h.matmul(CLIP.apply(c.u().value()))).tanh();
    var cell = Own.of(DType.F64, clipping);
    assertThat(explained(cell, DType.F64)).contains("no kernel");
    if (areMade()) {
      assertThat(explained(cell, DType.F64)).contains("clip of what no step changes", "not linear");
    }
    sameToSecondOrder(cell, x(DType.F64));
  }

  @Test
  void whatKeepsAnOpFromAKernelIsToldWithItsLine() {
    var host =
        CustomOp.of(
            "onHost",
            v -> {
              double[] numbers = v.toDoubleArray();
              return Tensor.of(v.shape(), numbers);
            },
            Vjp.linear(g -> g));
    var sums = CustomOp.of("sums", v -> v.tanh(), Vjp.linear(g -> g.cumsum(1)));
    var product =
        CustomOp.of(
            "turned",
            (v, w) -> v.matmul(w),
            Vjp.of(Vjp.Rule.reading(1, (g, w) -> g.matmul(w.transpose(0, 1))), Vjp.Rule.none()));
    var read = Own.of(DType.F64, (c, z, h) -> host.apply(z.narrow(1, 0, H)).add(h));
    var summed = Own.of(DType.F64, (c, z, h) -> sums.apply(z.narrow(1, 0, H)).add(h).tanh());
    var multiplied =
        Own.of(
            DType.F64, (c, z, h) -> product.apply(h, c.u().value()).add(z.narrow(1, 0, H)).tanh());
    for (Own cell : List.of(read, summed, multiplied)) {
      assertThat(explained(cell, DType.F64)).contains("no kernel");
      sameToSecondOrder(cell, x(DType.F64));
    }
    if (TensorScope.current().device() == Device.cpu()) {
      assertThat(explained(read, DType.F64))
          .contains("onHost: it reads values on the host", "CustomOpCellTest.java:");
      assertThat(explained(summed, DType.F64))
          .contains("sums: cumsum of [4,8]", "CustomOpCellTest.java:");
      assertThat(explained(multiplied, DType.F64))
          .contains("turned: a product in the rule of an op of its own");
    }
  }

  /** Its forward has a product, which the step computes; nothing flows through it but by the rule. */
  @Test
  void aForwardMayMultiply() {
    var projecting =
        CustomOp.of(
            "projecting",
            (v, w) -> v.matmul(w),
            Vjp.of(Vjp.Rule.linear(g -> g.mul(0.5)), Vjp.Rule.none()));
    same(
        Own.of(
            DType.F64,
            (c, z, h) -> projecting.apply(h, c.u().value()).add(z.narrow(1, 0, H)).tanh()),
        DType.F64);
  }

  @Test
  void aRuleForOneDerivativeHasAKernel() {
    var once =
        CustomOp.of(
            "onceOnly",
            v -> v.gt(0).cast(v.dtype()),
            Vjp.once(Vjp.fromInput((g, v) -> g.mul(v.sigmoid()))));
    var cell =
        Own.of(
            DType.F64,
            (c, z, h) -> once.apply(z.narrow(1, 0, H).add(h.matmul(c.u().value()))).mul(0.5));
    if (areMade()) {
      assertThat(explained(cell, DType.F64)).contains("one kernel");
    }
    Tensor x = x(DType.F64);
    Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).sum();
    Tensor kernel = Agreement.trusting(() -> Grad.of(loss, cell.u().value()).get(0));
    Tensor body = FusedContract.BODIES.run(() -> Grad.of(loss, cell.u().value()).get(0));
    KernelAndBody.close("gradient", kernel, body, 1e-12);
  }
}
