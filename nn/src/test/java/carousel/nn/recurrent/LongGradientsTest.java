package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients in F32 that are sums over very many steps and rows, nearly all alike, so that a chain of them would round to one side
 * for long: against those in F64. They are what is summed over the rows of all steps (matrices and biases), and what steps add
 * up (peepholes, gains).
 */
@Tag("cpu") // of others, products are what their libraries make of them
class LongGradientsTest {
  /** More than are summed without totals, as rows and as steps. */
  private static final int STEPS = 1100;

  private static final int ROWS = 64;

  /** Of the largest element. */
  private static final double BOUND = 1.5e-5;

  static Stream<String> cells() {
    return FusedContract.chosen(Cells.names().stream());
  }

  @ParameterizedTest
  @MethodSource("cells")
  void roundNoMoreThanShortOnes(String name) {
    try (var scope = Scope.open()) {
      List<Tensor> narrow = gradients(name, DType.F32);
      List<Tensor> wide = gradients(name, DType.F64);
      for (int i = 0; i < wide.size(); i++) {
        double largest = wide.get(i).abs().max().item();
        double error = narrow.get(i).cast(DType.F64).sub(wide.get(i)).abs().max().item();
        assertThat(error).as("%s, parameter %d", name, i).isLessThanOrEqualTo(BOUND * largest);
      }
    }
  }

  private static List<Tensor> gradients(String name, DType type) {
    Cell<?> cell = Cells.of(name, 1, 2, Init.uniform(0.5).as(type), Philox.of(1));
    var rng = Philox.of(5);
    for (var named : cell.parameters()) {
      Tensor value = rng.uniform(DType.F32, 0.05, 0.4, named.value().shape().toArray());
      named.value().assign(value.cast(type));
    }
    Tensor[] leaves = cell.parameters().stream().map(p -> p.value()).toArray(Tensor[]::new);
    Tensor x = Tensor.full(type, 0.3, STEPS, ROWS, 1);
    var layer = Recurrent.of(cell);
    var gradients = Grad.orZero(() -> layer.run(x, List.of(), null).y().mul(0.1).sum(), leaves);
    return Stream.iterate(0, i -> i + 1).limit(leaves.length).map(gradients::get).toList();
  }
}
