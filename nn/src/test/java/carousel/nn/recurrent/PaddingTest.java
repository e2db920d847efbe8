package carousel.nn.recurrent;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What lies past the end of a row is not read: not even a NaN there can be seen in any result. */
class PaddingTest {
  private static final int T = 4;
  private static final int N = 3;
  private static final int D = 2;
  private static final int[] LENGTHS = {2, 4, 0};

  static List<String> cells() {
    return Cells.names();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void isNotRead(String name) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(7);
      var init = Init.normal(0.6).as(F64);
      var there = Cells.of(name, D, 3, init, rng);
      var back = Cells.of(name, D, 3, init, rng);
      Sequence layer = Bidirectional.of(there, back);
      Tensor x = rng.normal(F64, 0, 1, T, N, D);

      var clean = gradients(layer, padded(x, 0));
      for (double junk : new double[] {1e300, Double.POSITIVE_INFINITY, Double.NaN}) {
        var dirty = gradients(layer, padded(x, junk));
        for (int i = 0; i < clean.size(); i++) {
          assertThat(dirty.get(i).toDoubleArray())
              .as("gradient %d beside padding of %s", i, junk)
              .containsExactly(clean.get(i).toDoubleArray());
        }
        assertThat(dirty.value().item()).isEqualTo(clean.value().item());
        assertThat(dirty.get(0).narrow(0, 2, 2).select(1, 0).toDoubleArray()).containsOnly(0);
        assertThat(dirty.get(0).select(1, 2).toDoubleArray()).containsOnly(0);
      }
    }
  }

  /** Of the sum of squares of all that a run gives: by x, then by every weight. */
  private static Gradients gradients(Sequence layer, Tensor x) {
    var by = new ArrayList<>(List.of(x));
    layer.parameters().forEach(named -> by.add(named.value()));
    return Grad.of(
        () -> {
          var run = layer.run(x, List.of(), Tensor.of(LENGTHS));
          Tensor sum = run.y().square().sum();
          for (RecurrentState state : run.states()) {
            for (Tensor tensor : state.tensors()) {
              sum = sum.add(tensor.square().sum());
            }
          }
          return sum;
        },
        by.toArray(Tensor[]::new));
  }

  private static Tensor padded(Tensor x, double junk) {
    double[] values = x.toDoubleArray();
    for (int t = 0; t < T; t++) {
      for (int n = 0; n < N; n++) {
        for (int d = 0; d < D && t >= LENGTHS[n]; d++) {
          values[(t * N + n) * D + d] = junk;
        }
      }
    }
    return Tensor.of(x.shape(), values);
  }
}
