package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.flat;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.Layers.weighted;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.nn.Training;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Cells without biases are those whose biases are 0, and have no weights for them. */
class WithoutBiasTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  static List<String> names() {
    return Cells.names();
  }

  /** Every cell of the library has the method, which none can forget: it is called by its name. */
  private static Cell<?> without(Cell<?> cell) {
    try {
      return (Cell<?>) cell.getClass().getMethod("withoutBias").invoke(cell);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("every cell has withoutBias()", e);
    }
  }

  /** A cell with biases of 0, and the same weights. */
  private static Cell<?> zeroed(String name) {
    Cell<?> cell = Layers.cell(name);
    for (var named : cell.parameters()) {
      if (List.of("b", "bh", "c").contains(named.name())) {
        named.parameter().assign(named.value().zerosLike());
      }
    }
    return cell;
  }

  @ParameterizedTest
  @MethodSource("names")
  void areThoseWithBiasesOfZero(String name) {
    Cell<?> with = zeroed(name);
    Cell<?> without = without(with);
    assertThat(without.parameters().names())
        .isEqualTo(
            with.parameters().names().stream()
                .filter(p -> !List.of("b", "bh", "c").contains(p))
                .toList())
        .hasSizeLessThan(with.parameters().size());
    Tensor x = random(3, 4, 2, D);
    Tensor lengths = Tensor.of(4, 2);
    var leaves = without.parameters();
    for (Sequence[] pair :
        new Sequence[][] {
          {Recurrent.of(without), Recurrent.of(with)},
          {Recurrent.reverse(without), Recurrent.reverse(with)}
        }) {
      var a = Grad.of(() -> weighted(flat(pair[0].run(x, lengths)), 9), leaves);
      var b = Grad.of(() -> weighted(flat(pair[1].run(x, lengths)), 9), leaves);
      assertThat(a.value().item()).isEqualTo(b.value().item());
      for (int i = 0; i < a.size(); i++) {
        assertThat(a.get(i).sub(b.get(i)).abs().max().item()).as("%d", i).isLessThan(1e-14);
        assertThat(a.get(i).abs().max().item()).isPositive();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void haveGradientsToSecondOrder(String name) {
    Cell<?> cell = without(Layers.cell(name));
    var layer = Recurrent.of(cell);
    Tensor x = random(3, 2, 2, D);
    Tensor lengths = Tensor.of(2, 1);
    GradCheck.standard()
        .run(name, in -> flat(layer.run(in[0], lengths)), Layers.inputs(layer, x, List.of()))
        .require();
  }

  @Tag("cpu") // what explain says of its kernels
  @ParameterizedTest
  @MethodSource("names")
  void haveAKernelThatAgreesWithTheirSteps(String name) {
    var layer = Recurrent.of(without(Layers.cell(name)));
    Tensor x = random(3, 5, 3, D);
    assertThat(layer.explain(x)).contains("one kernel for all steps");
    Supplier<Tensor> loss = () -> weighted(flat(layer.run(x)), 9);
    var kernel = Grad.of(loss, layer.parameters());
    var steps = FusedContract.BODIES.run(() -> Grad.of(loss, layer.parameters()));
    for (int i = 0; i < kernel.size(); i++) {
      assertThat(kernel.get(i).sub(steps.get(i)).abs().max().item()).isLessThan(1e-12);
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void stepByHandAndWithNoise(String name) {
    stepByHand(zeroed(name), without(zeroed(name)));
    if (Layers.cell(name) instanceof CandidateCell) {
      Noise noise = Noise.none().candidate(0.5, Noise.Per.SEQUENCE);
      Tensor x = random(3, 4, 2, D);
      Tensor a = dropped(zeroed(name), noise, x);
      assertThat(a.sub(dropped(without(zeroed(name)), noise, x)).abs().max().item())
          .isLessThan(1e-14);
    }
  }

  private static <S extends RecurrentState> Tensor dropped(Cell<S> cell, Noise noise, Tensor x) {
    var layer = Recurrent.of(cell).withNoise(noise);
    return Training.with(Philox.of(4), () -> layer.apply(x));
  }

  private static <S extends RecurrentState> void stepByHand(Cell<S> with, Cell<?> without) {
    @SuppressWarnings("unchecked")
    var same = (Cell<S>) without;
    Tensor x = random(3, 1, 2, D);
    S state = Layers.state(with, 2, 5);
    var a = with.step(with.project(x).select(0, 0), state).tensors();
    var b = same.step(same.project(x).select(0, 0), state).tensors();
    for (int i = 0; i < a.size(); i++) {
      assertThat(a.get(i).sub(b.get(i)).abs().max().item()).isLessThan(1e-15);
    }
  }

  @Test
  void aGruHasBothBiasesOrNone() {
    var gru = (GruResetAfter) Layers.cell("gru-after");
    assertThatThrownBy(() -> new GruResetAfter(gru.wx(), gru.wh(), gru.b(), null))
        .hasMessage("gru-after: b and bh must both be there or both be null");
    assertThatThrownBy(() -> ((Lstm) Layers.cell("lstm")).withoutBias().withForgetBias(1))
        .hasMessageContaining("the cell has no biases, so the gate f has none to start at 1.0");
    assertThat(H).isEqualTo(gru.outputs());
    assertThat(gru.withoutBias().project(random(1, 2, 2, D)).dtype()).isEqualTo(F64);
  }
}
