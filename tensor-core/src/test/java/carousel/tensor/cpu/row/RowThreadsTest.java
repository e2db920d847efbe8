package carousel.tensor.cpu.row;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.op.Composite;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A pointwise composite gives the same bits whatever the number of threads. */
class RowThreadsTest {
  /** As the gates of an LSTM with a peephole, whose gradient is summed over rows. */
  private static final Composite GATES =
      new Composite(
          "gates",
          in -> {
            List<Tensor> a = in[0].chunk(4, Tensor.LAST);
            Tensor i = a.get(0).add(in[2].mul(in[1])).sigmoid();
            Tensor c = a.get(1).sigmoid().mul(in[1]).add(i.mul(a.get(2).tanh()));
            return new Tensor[] {a.get(3).sigmoid().mul(c.tanh()), c};
          });

  private final int threads = Workers.threads();

  @AfterEach
  void restore() {
    Workers.threads(threads);
  }

  /** Tasks of some rows, of some columns, of rows shorter than a vector. */
  @ParameterizedTest
  @CsvSource({"20, 650, F32", "700, 71, F32", "3, 20000, F32", "200, 3, F64", "333, 40, F64"})
  void theNumberOfThreadsDoesNotMatter(int rows, int units, DType type) {
    assumeTrue(
        !"off".equals(System.getProperty("carousel.vector")),
        "no loops are made without the Vector API");
    List<double[]> one = run(1, rows, units, type);
    for (int count : new int[] {2, 3}) {
      List<double[]> several = run(count, rows, units, type);
      for (int i = 0; i < one.size(); i++) {
        assertThat(several.get(i)).as("%d of %d threads", i, count).isEqualTo(one.get(i));
      }
    }
  }

  private static List<double[]> run(int count, int rows, int units, DType type) {
    Workers.threads(count);
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(1);
      Tensor[] in = {
        rng.normal(type, 0, 1, rows, 4 * units),
        rng.normal(type, 0, 1, rows, units),
        rng.normal(type, 0, 1, units)
      };
      Fused fused = Objects.requireNonNull(GATES.fused(in));
      var result = fused.forward(in);
      Tensor[] cotangents = {
        rng.normal(type, 0, 1, rows, units), rng.normal(type, 0, 1, rows, units)
      };
      boolean[] wanted = new boolean[in.length];
      Arrays.fill(wanted, true);
      List<double[]> all = new ArrayList<>();
      for (Tensor y : result.outputs()) {
        all.add(y.toDoubleArray());
      }
      for (Tensor g : fused.backward(in, result, cotangents, wanted)) {
        all.add(Objects.requireNonNull(g).toDoubleArray());
      }
      return all;
    }
  }
}
