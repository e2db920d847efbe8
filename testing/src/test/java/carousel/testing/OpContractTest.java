package carousel.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Ops that keep the contract, and faults in ops, each of which it finds and names. */
class OpContractTest {
  private static final Vjp OF_SOFTSIGN = Vjp.fromInput((g, x) -> g.div(x.abs().add(1).square()));

  private static final CustomOp SOFTSIGN =
      CustomOp.of("softsign", x -> x.div(x.abs().add(1)), OF_SOFTSIGN);

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

  /** {@code y = W·x, s = Σy} of integers, masks and floating numbers. */
  private static final CustomOp PICK =
      CustomOp.ofAll(
          "pick",
          in -> {
            Tensor rows = in[0].indexSelect(in[1], 0);
            Tensor y = Tensor.where(in[2], rows, rows.scalarLike(0));
            return new Tensor[] {y, in[1].neg(), y.square().sum()};
          },
          Vjp.joint(c -> {
            Tensor y = c.g(0).add(c.g(2).mul(c.out(0)).mul(2));
            Tensor kept = Tensor.where(c.in(2), y, y.scalarLike(0));
            return new Tensor[] {c.in(0).zerosLike().indexAdd(c.in(1), kept, 0), null, null};
          }));

  private static CustomOp host(Vjp rule) {
    return CustomOp.of("hostSpike", v -> v.gt(0).cast(v.dtype()), rule);
  }

  private static Vjp onHost() {
    return Vjp.fromInput((g, v) -> {
      double[] x = v.toDoubleArray();
      double[] of = g.toDoubleArray();
      for (int i = 0; i < x.length; i++) {
        of[i] /= 1 + x[i] * x[i];
      }
      return Tensor.of(v.shape(), of).to(v.device()).cast(v.dtype());
    });
  }

  static Stream<Arguments> right() {
    return Stream.of(
        Arguments.of("softsign", OpContract.of(SOFTSIGN).input("n h")),
        Arguments.of("of a scalar", OpContract.of(SOFTSIGN).input("")),
        Arguments.of(
            "several inputs of blocks",
            OpContract.of(
                    CustomOp.ofAll(
                        "gate",
                        in -> {
                          var parts = in[0].chunk(2, Tensor.LAST);
                          return new Tensor[] {
                            parts.get(0).sigmoid().mul(in[1]), parts.get(1).exp()
                          };
                        },
                        Vjp.joint(c -> {
                          Tensor s = c.in(0).chunk(2, Tensor.LAST).get(0).sigmoid();
                          Tensor z =
                              Tensor.concat(
                                  java.util.List.of(
                                      c.g(0).mul(c.in(1)).mul(s).mul(s.neg().add(1)),
                                      c.g(1).mul(c.out(1))),
                                  -1);
                          return new Tensor[] {z, c.g(0).mul(s)};
                        })))
                .input("n 2h")
                .input("n h", -1, 2)),
        Arguments.of(
            "integers and masks", OpContract.of(PICK).input("4 h").indices("n", 4).mask("n 1")),
        Arguments.of(
            "a constant input",
            OpContract.of(
                    CustomOp.of(
                        "scaled",
                        (x, s) -> x.mul(s.sign()),
                        Vjp.of(Vjp.Rule.reading(1, (g, s) -> g.mul(s.sign())), Vjp.Rule.none())))
                .input("n h")
                .input("h")
                .withTypes(DType.F64)),
        Arguments.of("a spike", OpContract.of(new Spike(3)).input("n h").surrogate()),
        Arguments.of(
            "straight through",
            OpContract.of(CustomOp.of("round", x -> x.mul(4).round().div(4), Vjp.linear(g -> g)))
                .input("n h")
                .surrogate()),
        Arguments.of(
            "by its output",
            OpContract.of(
                    CustomOp.of(
                        "binary",
                        x -> x.gt(0).cast(x.dtype()).mul(0.5).add(0.25),
                        Vjp.fromOutput((g, y) -> g.mul(y).mul(y.neg().add(1)))))
                .input("n h")
                .surrogate()),
        Arguments.of(
            "reversal",
            OpContract.of(CustomOp.of("reversal", x -> x, Vjp.linear(Tensor::neg)))
                .input("n h")
                .surrogate()),
        Arguments.of(
            "clipping",
            OpContract.of(CustomOp.of("clip", x -> x, Vjp.linear(g -> g.clamp(-0.5, 0.5))))
                .input("n h")
                .nonlinear()),
        Arguments.of(
            "once, on the host",
            OpContract.of(host(Vjp.once(onHost()))).input("n h").surrogate().once()),
        Arguments.of(
            "a reduction",
            OpContract.of(
                    CustomOp.of(
                        "logSum",
                        x -> x.exp().sum(-1).log(),
                        Vjp.of(
                            Vjp.Rule.from(
                                java.util.List.of(0),
                                true,
                                c ->
                                    c.g()
                                        .unsqueeze(-1)
                                        .mul(c.in(0).sub(c.out(0).unsqueeze(-1)).exp())))))
                .input("n h")
                .withSizes(3, 1, 5, 33)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("right")
  void opsThatKeepIt(String name, OpContract contract) {
    ContractReport report = contract.check();
    assertThat(report.checks()).isGreaterThan(50);
    assertThat(report.toString()).contains("keeps its contract", "in a composite");
  }

  private static AbstractThrowableAssert<?, ?> broken(Supplier<ContractReport> check) {
    return assertThatThrownBy(check::get).isInstanceOf(AssertionError.class);
  }

  private static OpContract softsign(java.util.function.UnaryOperator<Tensor> forward, Vjp rule) {
    return OpContract.of(CustomOp.of("mine", forward::apply, rule)).input("n h");
  }

  private static Tensor softsign(Tensor x) {
    return x.div(x.abs().add(1));
  }

  @Test
  void aWrongRule() {
    broken(() ->
            softsign(OpContractTest::softsign, Vjp.fromInput((g, x) -> g.div(x.abs().add(1))))
                .check())
        .hasMessageContaining("mine breaks its contract")
        .hasMessageContaining("F64 [5,3]")
        .hasMessageContaining("gradient, order 1, input 0")
        .hasMessageContaining("the gradient says")
        .hasMessageContaining("differences say");
  }

  /** The first order is right, the second is not: the rule reads a number on the host. */
  @Test
  void aRuleThatCannotBeDifferentiated() {
    var square =
        CustomOp.of(
            "mine",
            Tensor::square,
            Vjp.fromInput((g, x) ->
                g.mul(Tensor.of(x.shape(), x.toDoubleArray()).to(x.device()).cast(x.dtype()))
                    .mul(2)));
    broken(() -> OpContract.of(square).input("n h").check())
        .hasMessageContaining("order 2, input 0");
    broken(() -> OpContract.of(host(onHost())).input("n h").surrogate().check())
        .hasMessageContaining("hostSpike breaks its contract")
        .hasMessageContaining("the rule of hostSpike")
        .hasMessageContaining("Vjp.once");
    broken(() -> OpContract.of(host(Vjp.once(onHost()))).input("n h").surrogate().check())
        .hasMessageContaining("say once()");
    broken(() -> OpContract.of(new Spike(2)).input("n h").surrogate().once().check())
        .hasMessageContaining("declared once()")
        .hasMessageContaining("not wrapped in Vjp.once");
  }

  @Test
  void aRuleThatIsWrongForOneColumn() {
    var centred =
        CustomOp.of(
            "centred",
            x -> x.sub(x.mean(-1, true)),
            Vjp.shaped(c -> c.shape(0).dim(-1) == 1 ? c.g() : c.g().sub(c.g().mean(-1, true))));
    broken(() -> OpContract.of(centred).input("n h").withSizes(5, 3, 1).check())
        .hasMessageContaining("centred breaks its contract")
        .hasMessageContaining("F64 [5,1]: gradient of centred of F64 [5,1]: WRONG");
  }

  @Test
  void stridesThatAreNotRead() {
    broken(() ->
            softsign(x -> softsign(Engine.over(x, Layout.contiguous(x.shape()))), OF_SOFTSIGN)
                .check())
        .hasMessageContaining("mine breaks its contract")
        .hasMessageContaining("input 0 transposed in memory: output 0 F64 [5,3], element ")
        .hasMessageContaining("read elements by the layout");
    // In the rule alone.
    broken(() ->
            softsign(
                    OpContractTest::softsign,
                    Vjp.fromInput((g, x) ->
                        g.div(Engine.over(x, Layout.contiguous(x.shape())).abs().add(1).square())))
                .check())
        .hasMessageContaining("input 0 transposed in memory: gradient of input 0");
  }

  @Test
  void anInputThatIsWrittenTo() {
    broken(() -> softsign(x -> x.assign(softsign(x)), OF_SOFTSIGN).check())
        .hasMessageContaining("mine: forward wrote to its input 0");
    // By address, which no version tells.
    broken(() ->
            softsign(
                    x -> {
                      if (x.size() > 0 && x.dtype() == DType.F64) {
                        MemorySegment.ofAddress(Engine.storage(x).address())
                            .reinterpret(8)
                            .set(ValueLayout.JAVA_DOUBLE, 0, 7.5);
                      }
                      return softsign(x);
                    },
                    OF_SOFTSIGN)
                .check())
        .hasMessageContaining("input 0 after the call F64 [5,3], element 0: 7.5, wanted ")
        .hasMessageContaining("write to a copy()");
  }

  @Test
  void anotherResultOnAnotherDevice() {
    broken(() ->
            softsign(
                    x -> softsign(x).mul(x.device() == Device.reference() ? 1 : 1.001), OF_SOFTSIGN)
                .check())
        .hasMessageContaining("F64 [5,3] on cpu: output 0")
        .hasMessageContaining("wanted is what the reference device gives");
    // In the rule alone, and beyond what the tolerance hides.
    broken(() ->
            softsign(
                    OpContractTest::softsign,
                    Vjp.fromInput((g, x) ->
                        g.div(x.abs().add(1).square())
                            .mul(x.device() == Device.reference() ? 1 + 1e-12 : 1)))
                .check())
        .hasMessageContaining("on cpu: gradient of input 0");
  }

  @Test
  void lessPrecisionThanItsTypeHas() {
    broken(() ->
            softsign(x -> softsign(x).add(x.dtype() == DType.F32 ? 0.01 : 0), OF_SOFTSIGN).check())
        .hasMessageContaining("F32 [5,3] on reference: output 0")
        .hasMessageContaining("wanted is what F64 gives of the same numbers");
  }

  @Test
  void anOpThatIsAnotherEachTime() {
    int[] calls = {0};
    broken(() -> softsign(x -> softsign(x).add(1e-9 * calls[0]++), OF_SOFTSIGN).check())
        .hasMessageContaining("second call: output 0")
        .hasMessageContaining("the op has state, or draws random numbers");
  }

  @Test
  void aSurrogateThatIsNotDeclared() {
    broken(() -> OpContract.of(new Spike(3)).input("n h").check())
        .hasMessageContaining("spike breaks its contract")
        .hasMessageContaining("gradient, order 1, input 0")
        .hasMessageContaining("say surrogate()");
    broken(() ->
            OpContract.of(CustomOp.of("clip", x -> x, Vjp.linear(g -> g.clamp(-0.5, 0.5))))
                .input("n h")
                .surrogate()
                .check())
        .hasMessageContaining("clip breaks its contract")
        .hasMessageContaining(
            "it is not linear in what arrives; if that is meant, say nonlinear()");
  }

  @Test
  void rulesOfAWrongForm() {
    broken(() ->
            OpContract.of(CustomOp.of("mine", x -> x.mul(2), Vjp.linear(Tensor::sum)))
                .input("n h")
                .surrogate()
                .check())
        .hasMessageContaining("mine: its rule gives F64 []")
        .hasMessageContaining("cotangent of input 0");
    broken(() ->
            OpContract.of(CustomOp.of("mine", x -> x, Vjp.linear(g -> g.add(0.125))))
                .input("n h")
                .nonlinear()
                .check())
        .hasMessageContaining("the rule, given zeros, F64 [5,3], element 0: 0.125, wanted 0.0");
    // Nothing flows where something should.
    broken(() ->
            OpContract.of(
                    CustomOp.of(
                        "mine",
                        (a, b) -> a.mul(b),
                        Vjp.of(Vjp.Rule.reading(1, (g, b) -> g.mul(b)))))
                .input("n h")
                .input("n h")
                .check())
        .hasMessageContaining("input 1");
  }

  @Test
  void anOpThatIsAnotherInsideOfAKernel() {
    // What it is given by a kernel's trace has no values.
    var op =
        CustomOp.of(
            "mine",
            x ->
                x.size() > 0 && Double.isNaN(x.detach().flatten().select(0, 0).item())
                    ? x
                    : x.mul(2),
            Vjp.linear(g -> g.mul(2)));
    assertThat(OpContract.of(op).input("n h").check().notes())
        .anyMatch(note -> note.contains("no kernel"));
  }

  @Test
  void aSizeThatFailsIsNamed() {
    broken(() ->
            OpContract.of(CustomOp.of("mine", x -> x.sub(x.max(-1, true)), Vjp.linear(g -> g)))
                .input("n h")
                .surrogate()
                .check())
        .hasMessageContaining("mine breaks its contract")
        .hasMessageContaining("[5,0]")
        .hasMessageContaining("it fails: ");
  }

  @Test
  void settingsThatMakeNoSense() {
    assertThatThrownBy(() -> OpContract.of(SOFTSIGN).check())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("softsign has no inputs");
    assertThatThrownBy(() -> OpContract.of(SOFTSIGN).input("n, h"))
        .hasMessageContaining("got 'n, h'");
    assertThatThrownBy(() -> OpContract.of(SOFTSIGN).withTypes(DType.I32))
        .hasMessageContaining("wants floating types");
  }
}
