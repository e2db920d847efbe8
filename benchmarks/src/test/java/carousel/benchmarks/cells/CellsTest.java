package carousel.benchmarks.cells;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.LayerNorm;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each cell against what it becomes where it is simpler. */
class CellsTest {
  private static final int STEPS = 6;
  private static final int BATCH = 3;
  private static final int INPUTS = 5;
  private static final int HIDDEN = 4;

  private final Philox rng = Philox.of(7);
  private final Init init = Init.uniform(0.8).as(DType.F64);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Parameter weight(int... dims) {
    return init.parameter(rng, dims);
  }

  private Tensor input() {
    return rng.uniform(DType.F64, -1, 1, STEPS, BATCH, INPUTS);
  }

  private static void assertClose(Tensor actual, Tensor expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(actual.sub(expected).abs().max().item()).isCloseTo(0, within(1e-12));
  }

  @Test
  void aProjectionByTheIdentityLeavesAnLstm() {
    var lstm = Lstm.of(INPUTS, HIDDEN, init, rng);
    var wp = Parameter.of(() -> Tensor.eye(DType.F64, HIDDEN));
    Tensor x = input();

    assertClose(
        Recurrent.of(new ProjectedLstm(lstm.wx(), lstm.wh(), lstm.b(), wp)).apply(x),
        Recurrent.of(lstm).apply(x));
  }

  @Test
  void givesAsManyOutputsAsItIsProjectedTo() {
    var cell =
        new ProjectedLstm(
            weight(INPUTS, 4 * HIDDEN),
            weight(2, 4 * HIDDEN),
            weight(4 * HIDDEN),
            weight(HIDDEN, 2));
    var run = Recurrent.of(cell).run(input());

    assertThat(run.y().shape().toArray()).containsExactly(STEPS, BATCH, 2);
    assertThat(run.states().getFirst().tensors().get(1).shape().toArray())
        .containsExactly(BATCH, HIDDEN);
  }

  @Test
  void theScaleOfNormalisedWeightsDoesNotMatter() {
    var wx = weight(INPUTS, 4 * HIDDEN);
    var wh = weight(HIDDEN, 4 * HIDDEN);
    Tensor x = input();

    assertClose(
        layerNorm(
            Parameter.of(() -> wx.value().mul(3)), Parameter.of(() -> wh.value().mul(0.5)), x),
        layerNorm(wx, wh, x));
  }

  private static Tensor layerNorm(Parameter wx, Parameter wh, Tensor x) {
    return Recurrent.of(new LayerNormLstm(wx, wh, norm(4 * HIDDEN), norm(4 * HIDDEN), norm(HIDDEN)))
        .apply(x);
  }

  /** With an ε that hardly makes a scale matter, but keeps the first step, of H' = 0, finite. */
  private static LayerNorm norm(int features) {
    return new LayerNorm(
        Parameter.of(() -> Tensor.ones(DType.F64, features)),
        Parameter.of(() -> Tensor.zeros(DType.F64, features)),
        1e-15);
  }

  /** {@code H = σ(o) ⊙ C / N} with {@code C = σ(f) ⊙ C' + exp(i) ⊙ tanh(z)}, {@code N = σ(f) ⊙ N' + exp(i)}. */
  @Test
  void theStabiliserCancels() {
    var cell =
        new Slstm(weight(INPUTS, 4 * HIDDEN), weight(HIDDEN, 4 * HIDDEN), weight(4 * HIDDEN));
    Tensor x = input();
    Tensor y = Recurrent.of(cell).apply(x);
    Tensor zeros = Tensor.zeros(DType.F64, BATCH, HIDDEN);
    Tensor h = zeros;
    Tensor c = zeros;
    Tensor n = zeros;
    for (int t = 0; t < STEPS; t++) {
      Tensor sum = cell.project(x).select(0, t).add(h.matmul(cell.wh().value()));
      var a = sum.chunk(4, Tensor.LAST);
      c = a.get(1).sigmoid().mul(c).add(a.get(0).exp().mul(a.get(2).tanh()));
      n = a.get(1).sigmoid().mul(n).add(a.get(0).exp());
      h = a.get(3).sigmoid().mul(c.div(n));

      assertClose(y.select(0, t), h);
    }
  }

  @Test
  void theStabiliserKeepsLargeGatesFinite() {
    var b = Parameter.of(() -> Tensor.full(DType.F64, 800, 4 * HIDDEN));
    var cell = new Slstm(weight(INPUTS, 4 * HIDDEN), weight(HIDDEN, 4 * HIDDEN), b);

    assertThat(Recurrent.of(cell).apply(input()).isFinite().all().toBooleanArray())
        .containsExactly(true);
  }
}
