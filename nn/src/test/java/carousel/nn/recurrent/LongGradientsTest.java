package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients in F32 that are sums over very many steps and rows, nearly all alike, so that a chain of them would round to one side
 * for long. They are what is summed over the rows of all steps (matrices and biases), and what steps add up (peepholes, gains).
 *
 * <p>Beside those in F64 they show what a step is off by, which is more than what the sum may add. So they are compared with themselves
 * too: a state fed with one number comes to rest, and from there on every step adds the same, to the bit. With n, 2n and 3n steps
 * the gradient then lies on a line, {@code g(3n) − 2g(2n) + g(n) = 0}, whatever a step is off by.
 */
@Tag("cpu") // of others, products are what their libraries make of them
class LongGradientsTest {
  /** More than are summed without totals, as rows and as steps. */
  private static final int STEPS = 1100;

  private static final int ROWS = 32;

  /** What steps are off by, of the largest element. */
  private static final double STEP = 1.5e-5;

  /** What sums are, of the largest element: without totals more than 1e-5, with them at most 4e-7. */
  private static final double SUM = 2e-6;

  static Stream<String> cells() {
    return FusedContract.chosen(Cells.names().stream());
  }

  @ParameterizedTest
  @MethodSource("cells")
  void roundNoMoreThanShortOnes(String name) {
    try (var scope = TensorScope.open()) {
      List<Tensor> narrow = gradients(name, DType.F32, STEPS, ROWS);
      List<Tensor> wide = gradients(name, DType.F64, STEPS, ROWS);
      for (int i = 0; i < wide.size(); i++) {
        assertSmall(narrow.get(i).sub(wide.get(i)), STEP, wide.get(i), name + ", parameter " + i);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cells")
  void growWithTheStepsAlongALine(String name) {
    assertLine(name, STEPS, ROWS);
  }

  @Test
  void growWithTheRowsAlongALine() {
    assertLine("elman", 600, 512);
  }

  private static void assertLine(String name, int steps, int rows) {
    try (var scope = TensorScope.open()) {
      List<Tensor> once = gradients(name, DType.F32, steps, rows);
      List<Tensor> twice = gradients(name, DType.F32, 2 * steps, rows);
      List<Tensor> thrice = gradients(name, DType.F32, 3 * steps, rows);
      for (int i = 0; i < once.size(); i++) {
        Tensor bend = thrice.get(i).sub(twice.get(i).mul(2)).add(once.get(i));
        assertSmall(bend, SUM, thrice.get(i), name + ", parameter " + i);
      }
    }
  }

  private static void assertSmall(Tensor error, double bound, Tensor value, String what) {
    double largest = value.abs().max().item();
    assertThat(error.abs().max().item()).as(what).isLessThanOrEqualTo(bound * largest);
  }

  /** In F64. */
  private static List<Tensor> gradients(String name, DType type, int steps, int rows) {
    Cell<?> cell = Cells.of(name, 1, 2, Init.uniform(0.5).as(type), Philox.of(1));
    var rng = Philox.of(5);
    for (var named : cell.parameters()) {
      Tensor value = rng.uniform(DType.F32, 0.05, 0.4, named.value().shape().toArray());
      named.value().assign(value.cast(type));
    }
    Tensor[] leaves = cell.parameters().stream().map(p -> p.value()).toArray(Tensor[]::new);
    Tensor x = Tensor.full(type, 0.3, steps, rows, 1);
    var layer = Recurrent.of(cell);
    var gradients = Grad.orZero(() -> layer.run(x, List.of(), null).y().mul(0.1).sum(), leaves);
    return Stream.iterate(0, i -> i + 1)
        .limit(leaves.length)
        .map(i -> gradients.get(i).cast(DType.F64))
        .toList();
  }
}
