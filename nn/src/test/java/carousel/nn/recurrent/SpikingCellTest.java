package carousel.nn.recurrent;

import static carousel.nn.recurrent.KernelAndBody.requireKernel;
import static carousel.nn.recurrent.KernelAndBody.sameToSecondOrder;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Spikes, whose gradient is another than their derivative, carried from step to step. */
class SpikingCellTest {
  private static final int H = 8;
  private static final int D = 3;

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** Spikes s and potentials v. */
  record LifState(Tensor s, Tensor v) implements RecurrentState {}

  /** Leaky integrate and fire: {@code v = β·v' ⊙ (1 − s') + z + s'·u}, {@code s = spike(v − 1)}. */
  record Lif(Parameter wx, Parameter b, Parameter u, double[] slope)
      implements AffineCell<LifState> {
    @Override
    public Parameters parameters() {
      return Parameters.of(
          List.of(
              new Parameters.Named("wx", wx),
              new Parameters.Named("b", b),
              new Parameters.Named("u", u)));
    }

    @Override
    public int outputs() {
      return u.value().dim(0);
    }

    @Override
    public LifState step(Tensor z, LifState state) {
      Tensor kept = state.v().mul(0.9).mul(state.s().neg().add(1));
      Tensor v = kept.add(z).add(state.s().matmul(u.value()));
      return new LifState(new Spike(slope[0]).apply(v.sub(0.3)), v);
    }

    @Override
    public LifState zero(int batch) {
      var shape = Shape.of(batch, outputs());
      return new LifState(u.value().zerosLike(shape), u.value().zerosLike(shape));
    }
  }

  private static Lif lif(DType type, double... slope) {
    var init = Init.uniform(0.8).as(type);
    var rng = Philox.of(2);
    return new Lif(
        init.parameter(rng, D, H), init.parameter(rng, H), init.parameter(rng, H, H), slope);
  }

  /** What flows to x and to each weight, from a kernel that agrees with its body. */
  private static List<double[]> gradients(Lif cell, DType type) {
    Tensor x = Philox.of(5).normal(type, 0, 1, 6, 4, D);
    requireKernel(cell, x);
    return sameToSecondOrder(cell, x);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aSpikingCellHasAKernelThatFlowsAsItsRuleSays(DType type) {
    var gradients = gradients(lif(type, 5), type);
    assertThat(Arrays.stream(gradients.get(3)).map(Math::abs).sum())
        .as("what flows to u through spikes")
        .isGreaterThan(0.1);
  }

  @Test
  void aSlopeMayChangeFromCallToCall() {
    double[] slope = {1};
    Lif cell = lif(DType.F64, slope);
    double[] first = gradients(cell, DType.F64).getFirst();
    slope[0] = 4;
    double[] second = gradients(cell, DType.F64).getFirst();
    slope[0] = 25;
    double[] third = gradients(cell, DType.F64).getFirst();
    assertThat(first).isNotEqualTo(second);
    assertThat(second).isNotEqualTo(third);
  }
}
