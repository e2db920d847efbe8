package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.flat;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.Layers.weighted;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Simple cells take any function, with weights of its own or without. */
class ActivationFunctionsTest {
  private static final Init INIT = Init.normal(0.6).as(F64);

  /** {@code a · tanh(x)} with a learned. */
  record Scaled(Parameter a) implements Transform {
    @Override
    public Tensor apply(Tensor x) {
      return x.tanh().mul(a.value());
    }
  }

  private static List<Cell<?>> cells(Transform f) {
    var rng = Philox.of(1);
    var leaky = Leaky.of(3, D, H, INIT, rng);
    var jordan = Jordan.of(D, 3, H, INIT, rng);
    return List.of(
        Elman.of(f, D, H, INIT, rng),
        new Leaky(f, 3, leaky.wx(), leaky.wh(), leaky.b()),
        new Jordan(
            f, Activation.TANH, jordan.wx(), jordan.wy(), jordan.b(), jordan.wo(), jordan.c()),
        new Jordan(
            Activation.SIGMOID, f, jordan.wx(), jordan.wy(), jordan.b(), jordan.wo(), jordan.c()));
  }

  static Stream<Transform> functions() {
    return Stream.of(Tensor::softplus, x -> x.sin().mul(0.8)); // with a kernel, and without
  }

  @ParameterizedTest
  @MethodSource("functions")
  void gradientsToSecondOrder(Transform f) {
    try (var scope = TensorScope.open()) {
      for (Cell<?> cell : cells(f)) {
        var layer = Recurrent.of(Layers.fillZeros(cell, Philox.of(2)));
        Tensor x = random(3, 2, 2, D);
        GradCheck.standard()
            .run(
                cell.getClass().getSimpleName(),
                in -> flat(layer.run(in[0], Tensor.of(2, 1))),
                Layers.inputs(layer, x, List.of()))
            .require();
      }
    }
  }

  @Tag("cpu") // what explain says of its kernels
  @Test
  void theKernelIsMadeOfTheFunction() {
    try (var scope = TensorScope.open()) {
      for (Cell<?> cell : cells(x -> x.div(x.abs().add(1)))) {
        var layer = Recurrent.of(cell);
        Tensor x = random(3, 5, 2, D);
        assertThat(layer.explain(x)).contains("one kernel for all steps");
        Supplier<Tensor> loss = () -> weighted(flat(layer.run(x)), 9);
        var kernel = Grad.of(loss, layer.parameters());
        var steps = FusedContract.BODIES.run(() -> Grad.of(loss, layer.parameters()));
        for (int i = 0; i < kernel.size(); i++) {
          assertThat(kernel.get(i).sub(steps.get(i)).abs().max().item()).isLessThan(1e-12);
        }
        assertThat(Cells.isRegistered(cell)).as("compared with the code once").isFalse();
      }
      assertThat(Cells.isRegistered(Layers.cell("elman"))).isTrue();
      assertThat(Cells.isRegistered(Layers.cell("leaky"))).isTrue();
      assertThat(Cells.isRegistered(Layers.cell("jordan"))).isTrue();
    }
  }

  /** A function that differs from call to call differs in the kernel, too: two cells of one class share none. */
  @Test
  void functionsAreNotMistakenForEachOther() {
    try (var scope = TensorScope.open()) {
      Tensor x = random(3, 4, 2, D);
      for (double slope : new double[] {0.5, 2, 0.5}) {
        var cell = Elman.of(z -> z.mul(slope), D, H, INIT, Philox.of(1));
        var plain = Elman.of(Activation.IDENTITY, D, H, INIT, Philox.of(1));
        Tensor first = Recurrent.of(plain).apply(x).select(0, 0).mul(slope);
        assertThat(Recurrent.of(cell).apply(x).select(0, 0).allClose(first, 0, 1e-12)).isTrue();
      }
    }
  }

  @Test
  void aFunctionMayLearn() {
    try (var scope = TensorScope.open()) {
      var cell =
          Elman.of(new Scaled(Parameter.of(Tensor.full(F64, 0.7))), D, H, INIT, Philox.of(1));
      assertThat(cell.parameters().names()).containsExactly("activation.a", "wx", "wh", "b");
      var layer = Recurrent.of(cell);
      Tensor x = random(3, 3, 2, D);
      GradCheck.standard()
          .run("scaled", in -> flat(layer.run(in[0])), Layers.inputs(layer, x, List.of()))
          .require();
    }
  }
}
