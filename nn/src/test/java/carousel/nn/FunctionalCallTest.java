package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.autograd.Gradients;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that run with other tensors in place of their weights. */
class FunctionalCallTest {
  private final Philox rng = Philox.of(4);
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private Recurrent<?> layer(String cell) {
    return Recurrent.of(Cells.of(cell, 2, 3, Init.uniform(0.5).as(DType.F64), rng));
  }

  private static Tensor loss(Recurrent<?> layer, Tensor x) {
    return layer.run(x).y().square().mean();
  }

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "gru-after", "peephole", "elman"})
  void standInsAreWhatAssignedWeightsAre(String cell) {
    var layer = layer(cell);
    Parameters parameters = layer.parameters();
    Tensor x = rng.normal(DType.F64, 0, 1, 5, 2, 2);
    List<Tensor> before = parameters.tensors().stream().map(Tensor::copy).toList();
    List<Tensor> others = before.stream().map(w -> w.mul(-0.7).add(0.1)).toList();
    double first = loss(layer, x).item();
    double functional = parameters.with(others, () -> loss(layer, x)).item();
    assertThat(loss(layer, x).item()).isEqualTo(first);
    Gradients by = parameters.with(others, () -> Grad.of(() -> loss(layer, x), parameters));
    for (int i = 0; i < others.size(); i++) {
      parameters.get(parameters.names().get(i)).assign(others.get(i));
    }
    assertThat(loss(layer, x).item()).isEqualTo(functional).isNotEqualTo(first);
    Gradients assigned = Grad.of(() -> loss(layer, x), parameters);
    for (int i = 0; i < others.size(); i++) {
      assertThat(by.get(i).toDoubleArray()).isEqualTo(assigned.get(i).toDoubleArray());
    }
  }

  /** The gradient through a step of learning, by differences. */
  @ParameterizedTest
  @ValueSource(strings = {"lstm", "gru"})
  void metaLearningDifferentiatesThroughAStep(String cell) {
    var layer = layer(cell);
    Parameters parameters = layer.parameters();
    Tensor support = rng.normal(DType.F64, 0, 1, 4, 2, 2);
    Tensor query = rng.normal(DType.F64, 0, 1, 4, 2, 2);
    GradCheck.of(
            () -> {
              Gradients g = Grad.of(() -> loss(layer, support), parameters);
              List<Tensor> adapted =
                  parameters.stream().map(p -> p.value().sub(g.get(p).mul(0.5))).toList();
              return parameters.with(adapted, () -> loss(layer, query));
            },
            parameters)
        .require();
  }

  /** A checkpointed segment runs again at backward, outside of the call: with the same stand-ins. */
  @Test
  void aCheckpointedSegmentSeesTheStandInsAgain() {
    var layer = layer("lstm");
    Parameters parameters = layer.parameters();
    Tensor x = rng.normal(DType.F64, 0, 1, 4, 2, 2);
    var plain = adapted(parameters, () -> loss(layer, x));
    var again = adapted(parameters, () -> Grad.checkpoint(() -> loss(layer, x)));
    for (int i = 0; i < plain.size(); i++) {
      assertThat(again.get(i).sub(plain.get(i)).abs().max().item()).isLessThan(1e-14);
      assertThat(plain.get(i).abs().max().item()).isPositive();
    }
    // Of stand-ins that are leaves, and of the parameters where others stand for them: 0.
    List<Tensor> others =
        parameters.tensors().stream().map(w -> w.mul(0.5).add(0.1).copy()).toList();
    var of =
        Grad.of(() -> parameters.with(others, () -> loss(layer, x)), others.toArray(Tensor[]::new));
    var by =
        Grad.of(
            () -> parameters.with(others, () -> Grad.checkpoint(() -> loss(layer, x))),
            others.toArray(Tensor[]::new));
    for (int i = 0; i < of.size(); i++) {
      assertThat(by.get(i).sub(of.get(i)).abs().max().item()).isLessThan(1e-14);
    }
  }

  private static Gradients adapted(Parameters parameters, Supplier<Tensor> loss) {
    return Grad.of(
        () -> {
          List<Tensor> moved = parameters.stream().map(p -> p.value().add(0.3).square()).toList();
          return parameters.with(moved, loss);
        },
        parameters);
  }

  @Test
  void someMayBeReplacedAndCallsNest() {
    var layer = layer("elman");
    Parameters parameters = layer.parameters();
    var first = parameters.iterator().next();
    Tensor zero = first.value().zerosLike();
    Tensor one = first.value().onesLike();
    parameters.with(
        Map.of(first, zero),
        () -> {
          assertThat(first.value()).isSameAs(zero);
          parameters.with(Map.of(first, one), () -> assertThat(first.value()).isSameAs(one));
          return assertThat(first.value()).isSameAs(zero);
        });
    assertThat(first.value()).isNotSameAs(zero);
  }

  @Test
  void aHypernetworkLearns() {
    var layer = layer("elman");
    Tensor x = rng.normal(DType.F64, 0, 1, 4, 2, 2);
    var first = layer.parameters().iterator().next();
    Tensor code = Tensor.of(0.3);
    Gradients g =
        Grad.of(
            () ->
                layer
                    .parameters()
                    .with(Map.of(first, code.mul(first.value())), () -> loss(layer, x)),
            code);
    double h = 1e-6;
    double up =
        layer
            .parameters()
            .with(Map.of(first, first.value().mul(0.3 + h)), () -> loss(layer, x))
            .item();
    double down =
        layer
            .parameters()
            .with(Map.of(first, first.value().mul(0.3 - h)), () -> loss(layer, x))
            .item();
    assertThat(g.get(0).get(0)).isCloseTo((up - down) / (2 * h), within(1e-7));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Parameters parameters = layer("elman").parameters();
    var first = parameters.iterator().next();
    assertThatThrownBy(() -> parameters.with(List.of(), () -> 0))
        .hasMessageContaining("parameters and 0 tensors");
    assertThatThrownBy(() -> parameters.with(Map.of(first, Tensor.of(1.0)), () -> 0))
        .hasMessageContaining("in place of '" + first.name() + "'")
        .hasMessageContaining("F64 [1]");
    var other = layer("elman").parameters().iterator().next();
    assertThatThrownBy(() -> parameters.with(Map.of(other, other.value().zerosLike()), () -> 0))
        .hasMessageContaining("another model's");
  }
}
