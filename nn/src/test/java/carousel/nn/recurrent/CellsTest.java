package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.flat;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.Layers.weighted;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What ties the cells to each other, and how they start. */
class CellsTest {
  private static final Init INIT = Init.normal(0.6).as(F64);

  private static Tensor run(Cell<?> cell, Tensor x) {
    return flat(Recurrent.of(cell).run(x));
  }

  private static Gradients gradients(Cell<?> cell, Tensor x) {
    return Grad.of(() -> weighted(run(cell, x), 9), Layers.inputs(cell, x, List.of()));
  }

  private static void same(Tensor a, Tensor b) {
    assertThat(a.shape()).isEqualTo(b.shape());
    assertThat(a.sub(b).abs().max().item()).isLessThan(1e-12);
  }

  private static Parameter diagonal(Parameter p) {
    return Parameter.of(Tensor.eye(F64, H).mul(p.value()));
  }

  @Test
  void matrixPeepholesWithDiagonalMatricesAreDiagonalPeepholes() {
    try (var scope = TensorScope.open()) {
      var diagonal = Layers.fillZeros(PeepholeLstm.of(D, H, INIT, Philox.of(1)), Philox.of(2));
      var matrix =
          new MatrixPeepholeLstm(
              diagonal.wx(),
              diagonal.wh(),
              diagonal.b(),
              diagonal(diagonal.pi()),
              diagonal(diagonal.pf()),
              diagonal(diagonal.po()));
      Tensor x = random(3, 4, 2, D);
      same(run(matrix, x), run(diagonal, x));
      var g = gradients(matrix, x);
      var expected = gradients(diagonal, x);
      for (int i = 0; i < g.size(); i++) {
        boolean peephole = i > 3; // after x, wx, wh, b
        same(peephole ? g.get(i).mul(Tensor.eye(F64, H)).sum(0) : g.get(i), expected.get(i));
        assertThat(expected.get(i).abs().min().item()).isPositive();
      }
    }
  }

  @Test
  void peepholesOfZeroAreThePlainLstm() {
    try (var scope = TensorScope.open()) {
      var plain = Layers.fillZeros(Lstm.of(D, H, INIT, Philox.of(1)), Philox.of(2));
      var none = Parameter.of(Tensor.zeros(F64, H));
      var peephole = new PeepholeLstm(plain.wx(), plain.wh(), plain.b(), none, none, none);
      Tensor x = random(3, 4, 2, D);
      same(run(peephole, x), run(plain, x));
    }
  }

  @Test
  void coupledGatesAreAnLstmWhoseForgetGateIsOneMinusItsInputGate() {
    try (var scope = TensorScope.open()) {
      var coupled = Layers.fillZeros(Cifg.of(D, H, INIT, Philox.of(1)), Philox.of(2));
      // σ(−a) = 1 − σ(a).
      var lstm =
          new Lstm(
              withForget(coupled.wx()),
              withForget(coupled.wh()),
              withForget(requireNonNull(coupled.b())));
      Tensor x = random(3, 4, 2, D);
      same(run(coupled, x), run(lstm, x));
    }
  }

  private static Parameter withForget(Parameter igo) {
    Tensor forget = GateOrder.CIFG.block(igo.value(), Tensor.LAST, "i").neg();
    Tensor all = Tensor.concat(List.of(igo.value(), forget), Tensor.LAST);
    return Parameter.of(GateOrder.LSTM.from(GateOrder.CIFG.with("f"), all, Tensor.LAST));
  }

  @Test
  void theTwoGrusDifferOnTheSameWeightsButNotWhileTheResetGateIsOpen() {
    try (var scope = TensorScope.open()) {
      var before = Layers.fillZeros(GruResetBefore.of(D, H, INIT, Philox.of(1)), Philox.of(2));
      Tensor x = random(3, 4, 2, D);
      assertThat(run(before, x).sub(run(after(before), x)).abs().max().item()).isGreaterThan(1e-3);
      before.gates().block(requireNonNull(before.b()).value(), 0, "r").fill(1e3);
      same(run(before, x), run(after(before), x));
    }
  }

  private static GruResetAfter after(GruResetBefore cell) {
    Tensor wh = Tensor.concat(List.of(cell.wh().value(), cell.wn().value()), 1);
    return new GruResetAfter(
        cell.wx(),
        Parameter.of(GateOrder.GRU.from(cell.products().with("n"), wh, 1)),
        cell.b(),
        Parameter.of(Tensor.zeros(F64, H)));
  }

  @Tag("cpu") // whose kernels are made from both cells alike
  @ParameterizedTest
  @MethodSource("activations")
  void aLeakyUnitWithTauOneIsExactlyElman(Activation f) {
    try (var scope = TensorScope.open()) {
      var elman = Layers.fillZeros(Elman.of(f, D, H, INIT, Philox.of(1)), Philox.of(2));
      var leaky = new Leaky(f, 1, elman.wx(), elman.wh(), elman.b());
      Tensor x = random(3, 4, 2, D);
      assertThat(run(leaky, x).eq(run(elman, x)).all().item()).isEqualTo(1);
      var g = gradients(leaky, x);
      var expected = gradients(elman, x);
      for (int i = 0; i < g.size(); i++) {
        assertThat(g.get(i).eq(expected.get(i)).all().item()).as("gradient %d", i).isEqualTo(1);
      }
      assertThat(
              run(new Leaky(f, 2, elman.wx(), elman.wh(), elman.b()), x)
                  .sub(run(elman, x))
                  .abs()
                  .max()
                  .item())
          .isGreaterThan(1e-3);
    }
  }

  static Stream<Activation> activations() {
    return Stream.of(Activation.values());
  }

  @Test
  void jordanDiffersFromElmanOnTheSameWeightsAndFeedsItsOutputBack() {
    try (var scope = TensorScope.open()) {
      var jordan = Layers.fillZeros(Jordan.of(D, H, H, INIT, Philox.of(1)), Philox.of(2));
      var elman = new Elman(Activation.TANH, jordan.wx(), jordan.wy(), jordan.b());
      Tensor x = random(3, 4, 2, D);
      // Elman's hidden state read out as Jordan reads his: equal at the first step, then not.
      Tensor read =
          Recurrent.of(elman)
              .apply(x)
              .matmul(jordan.wo().value())
              .add(requireNonNull(jordan.c()).value())
              .tanh();
      Tensor y = Recurrent.of(jordan).apply(x);
      same(y.select(0, 0), read.select(0, 0));
      assertThat(y.sub(read).select(0, 1).abs().min().item()).isGreaterThan(1e-4);
      // What it feeds back is its output: with an identity readout that is H, and it is Elman.
      var through =
          new Jordan(
              Activation.TANH,
              Activation.IDENTITY,
              elman.wx(),
              elman.wh(),
              elman.b(),
              Parameter.of(Tensor.eye(F64, H)),
              Parameter.of(Tensor.zeros(F64, H)));
      same(run(through, x), run(elman, x));
    }
  }

  @Test
  void jordanMayGiveFewerFeaturesThanItHides() {
    try (var scope = TensorScope.open()) {
      var cell = Jordan.of(D, 5, 2, INIT, Philox.of(1));
      assertThat(cell.inputs()).isEqualTo(D);
      assertThat(cell.outputs()).isEqualTo(2);
      assertThat(Recurrent.of(cell).apply(random(3, 4, 2, D)).shape().toArray())
          .containsExactly(4, 2, 2);
    }
  }

  @Test
  void theForgetBiasFillsOneBlockAndLeavesTheOriginal() {
    try (var scope = TensorScope.open()) {
      var lstm = Lstm.of(D, H, INIT, Philox.of(1));
      var peephole = PeepholeLstm.of(D, H, INIT, Philox.of(1));
      var matrix = MatrixPeepholeLstm.of(D, H, INIT, Philox.of(1));
      for (var b :
          List.of(
              lstm.withForgetBias(1.5).b(),
              peephole.withForgetBias(1.5).b(),
              matrix.withForgetBias(1.5).b())) {
        assertThat(GateOrder.LSTM.block(requireNonNull(b).value(), 0, "f").toDoubleArray())
            .containsOnly(1.5);
        assertThat(requireNonNull(b).value().sum().item())
            .as("all others are 0")
            .isEqualTo(1.5 * H);
      }
      assertThat(requireNonNull(lstm.b()).value().abs().max().item()).isZero();
      assertThat(lstm.withForgetBias(1).wx()).isSameAs(lstm.wx());
      // The block is that of the forget gate: open, it keeps C.
      Tensor c = random(4, 2, H);
      Tensor h = random(5, 2, H);
      var open = lstm.withForgetBias(100);
      var closed = lstm.withForgetBias(-100);
      Tensor z = open.project(random(6, 1, 2, D)).select(0, 0);
      Tensor zClosed = closed.project(random(6, 1, 2, D)).select(0, 0);
      same(
          open.step(z, new LstmState(h, c)).c().sub(closed.step(zClosed, new LstmState(h, c)).c()),
          c);
    }
  }

  @Test
  void theIdentityRnnStartsAsTheIdentity() {
    try (var scope = TensorScope.open()) {
      var cell = Elman.irnn(D, H, 0.5, INIT, Philox.of(1));
      same(cell.wh().value(), Tensor.eye(F64, H).mul(0.5));
      assertThat(cell.activation()).isEqualTo(Activation.RELU);
      Tensor x = random(2, 1, 2, D).abs();
      // h = relu(x·wx + h'/2): without input, the state halves.
      var none =
          cell.step(
              cell.project(x.zerosLike()).select(0, 0), new HiddenState(Tensor.ones(F64, 2, H)));
      same(none.h(), Tensor.full(F64, 0.5, 2, H));
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void sizesAndTypesComeFromTheWeights(String name) {
    try (var scope = TensorScope.open()) {
      Cell<?> cell = Layers.cell(name, 5, 1);
      assertThat(cell.inputs()).isEqualTo(5);
      assertThat(cell.outputs()).isEqualTo(H);
      assertThat(cell.zero(4).tensors())
          .allSatisfy(t -> {
            assertThat(t.shape().toArray()).containsExactly(4, H);
            assertThat(t.dtype()).isEqualTo(F64);
          });
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void cellsOfF32RunInF32AndAreNearThoseOfF64(String name) {
    try (var scope = TensorScope.open()) {
      Cell<?> single = Cells.of(name, D, H, Init.normal(0.6), Philox.of(1));
      Cell<?> twice = Cells.of(name, D, H, INIT, Philox.of(1));
      copy(single, twice);
      Tensor x = random(3, 4, 2, D);
      Tensor y = run(single, x.cast(F32));
      assertThat(y.dtype()).isEqualTo(F32);
      assertThat(y.cast(F64).allClose(run(twice, x), 1e-5, 1e-5)).isTrue();
    }
  }

  static List<String> names() {
    return Cells.names();
  }

  private static void copy(Layer from, Layer to) {
    var target = to.parameters();
    from.parameters().forEach(p -> target.get(p.name()).assign(p.value().cast(F64)));
  }

  @Test
  void parametersAreNamedByTheEquations() {
    try (var scope = TensorScope.open()) {
      var layer =
          Stacked.of(
              Bidirectional.of(Layers.cell("gru"), Layers.cell("gru-after")),
              Recurrent.of(Layers.cell("lstm", 2 * H, 1)).withLearnedStart());
      assertThat(layer.parameters().names())
          .containsExactly(
              "layers.0.forward.cell.wx",
              "layers.0.forward.cell.wh",
              "layers.0.forward.cell.wn",
              "layers.0.forward.cell.b",
              "layers.0.backward.cell.wx",
              "layers.0.backward.cell.wh",
              "layers.0.backward.cell.b",
              "layers.0.backward.cell.bh",
              "layers.1.cell.wx",
              "layers.1.cell.wh",
              "layers.1.cell.b",
              "layers.1.start.0",
              "layers.1.start.1");
    }
  }
}
