package carousel.tensor.cpu.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.op.Scan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
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
   * that threads share columns; large weights, which they share, too.
   */
  @ParameterizedTest
  @CsvSource({
    "40, 25, 30, 65, F32",
    "3, 1, 70, 90, F32",
    "2, 4, 300, 470, F32",
    "3, 2, 20, 1100, F32",
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
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(1);
      Tensor x = rng.normal(type, 0, 1, steps, rows, inputs);
      Tensor wx = rng.normal(type, 0, 0.3, inputs, 4 * units + 1);
      Tensor b = rng.normal(type, 0, 0.3, 4 * units + 1);
      List<Tensor> states = new ArrayList<>();
      for (int width : new int[] {units, units, 1}) {
        states.add(rng.normal(type, 0, 1, rows, width));
      }
      Tensor wh = rng.normal(type, 0, 0.3, units, 4 * units + 1);
      Tensor peephole = rng.normal(type, 0, 1, units);
      Scan.Step step =
          (in, state) -> {
            Tensor sum = in[0].add(state[0].matmul(wh));
            List<Tensor> a = sum.narrow(1, 0, 4 * units).chunk(4, Tensor.LAST);
            Tensor i = a.get(0).add(peephole.mul(state[1])).sigmoid();
            Tensor next = a.get(1).sigmoid().mul(state[1]).add(i.mul(a.get(2).tanh()));
            Tensor centred = next.sub(next.mean(-1, true));
            Tensor scale = centred.square().mean(-1, true).add(1).rsqrt();
            Tensor out = a.get(3).sigmoid().mul(centred.mul(scale).tanh());
            Tensor gate = sum.narrow(1, 4 * units, 1).sigmoid();
            Tensor best = out.max(-1, true).mul(gate).add(state[2]);
            return new Tensor[] {out.mul(gate), out, next, best};
          };
      var kernel = Kernel.of(step, new Scan.Affine(x, wx, b), states, steps, null);
      var result = kernel.fused().forward(kernel.inputs());
      Tensor dy = rng.normal(type, 0, 1, steps, rows, units);
      boolean[] wanted = new boolean[kernel.inputs().length];
      Arrays.fill(wanted, true);
      List<double[]> all = new ArrayList<>();
      for (Tensor y : result.outputs()) {
        all.add(y.toDoubleArray());
      }
      @Nullable Tensor[] cotangents = {dy, null, null, null};
      for (Tensor g : kernel.fused().backward(kernel.inputs(), result, cotangents, wanted)) {
        all.add(Objects.requireNonNull(g).toDoubleArray());
      }
      return all;
    }
  }
}
