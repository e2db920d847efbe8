package carousel.tensor.cpu.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A sequence gives the same bits whatever the number of threads, and however they share it. */
class ThreadsTest {
  private final int threads = Workers.threads();

  @AfterEach
  void restore() {
    Workers.threads(threads);
  }

  /**
   * Several bands, and panels of a weight's gradient, which one thread goes through in twos; one row, so
   * that threads share units; large weights, which they share, too.
   */
  @ParameterizedTest
  @CsvSource({
    "40, 25, 30, 65, F32",
    "3, 1, 70, 90, F32",
    "2, 4, 300, 470, F32",
    "5, 22, 9, 20, F64"
  })
  void theNumberOfThreadsDoesNotMatter(int steps, int rows, int inputs, int units, DType type) {
    assumeTrue(
        !"off".equals(System.getProperty("carousel.vector")),
        "no loops are made without the Vector API");
    List<double[]> one = run(1, steps, rows, inputs, units, type);
    for (int count : new int[] {2, 3}) {
      List<double[]> several = run(count, steps, rows, inputs, units, type);
      for (int i = 0; i < one.size(); i++) {
        assertThat(several.get(i)).as("%d of %d threads", i, count).isEqualTo(one.get(i));
      }
    }
  }

  private static List<double[]> run(
      int count, int steps, int rows, int inputs, int units, DType type) {
    Workers.threads(count);
    try (var scope = Scope.open()) {
      var rng = Philox.of(1);
      Tensor x = rng.normal(type, 0, 1, steps, rows, inputs);
      Tensor wx = rng.normal(type, 0, 0.3, inputs, 4 * units);
      Tensor b = rng.normal(type, 0, 0.3, 4 * units);
      Tensor h = rng.normal(type, 0, 1, rows, units);
      Tensor c = rng.normal(type, 0, 1, rows, units);
      Tensor wh = rng.normal(type, 0, 0.3, units, 4 * units);
      Tensor peephole = rng.normal(type, 0, 1, units);
      Scan.Step step =
          (z, state) -> {
            List<Tensor> a = z.add(state[0].matmul(wh)).chunk(4, Tensor.LAST);
            Tensor i = a.get(0).add(peephole.mul(state[1])).sigmoid();
            Tensor next = a.get(1).sigmoid().mul(state[1]).add(i.mul(a.get(2).tanh()));
            Tensor out = a.get(3).sigmoid().mul(next.tanh());
            return new Tensor[] {out, out, next};
          };
      Composite.Body none =
          in -> {
            throw new AssertionError("there is a kernel");
          };
      var op = new Composite("scan", new Scan(step, step, none, 2, false, false));
      Tensor[] in = {x, wx, b, h, c, wh, peephole};
      Fused fused = Objects.requireNonNull(op.fused(in));
      var result = fused.forward(in);
      Tensor dy = rng.normal(type, 0, 1, steps, rows, units);
      boolean[] wanted = new boolean[in.length];
      Arrays.fill(wanted, true);
      List<double[]> all = new ArrayList<>();
      for (Tensor y : result.outputs()) {
        all.add(y.toDoubleArray());
      }
      for (Tensor g : fused.backward(in, result, new Tensor[] {dy, null, null}, wanted)) {
        all.add(Objects.requireNonNull(g).toDoubleArray());
      }
      return all;
    }
  }
}
