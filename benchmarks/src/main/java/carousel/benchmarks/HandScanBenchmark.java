package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A scan written by hand, forward and backward: 35 steps of 20 rows from 64 inputs to 64 units, with
 * gates in one pass, and op by op.
 */
public class HandScanBenchmark extends Measured {

  /** The cell. */
  @Param({"lstm", "peephole", "gru", "gru_after"})
  public String cell = "";

  private TensorScope run;
  private Cell<?> made;
  private Tensor x;
  private Tensor[] leaves;

  /** Makes weights and inputs. */
  @Setup
  public void open() {
    run = TensorScope.open();
    var random = Philox.of(1);
    made = Cells.of(cell.replace('_', '-'), 64, 64, Init.uniform(0.1), random);
    x = random.normal(DType.F32, 0, 1, 35, 20, 64);
    List<Tensor> all = new ArrayList<>(List.of(x));
    made.parameters().forEach(named -> all.add(named.value()));
    leaves = all.toArray(Tensor[]::new);
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  private double gradient() {
    try (var step = TensorScope.openUnwatched()) {
      return Grad.of(() -> HandScan.run(made, x).square().sum(), leaves).value().item();
    }
  }

  /** Gates in one pass each way. */
  @Benchmark
  public double fused() {
    return gradient();
  }

  /** Gates op by op. */
  @Benchmark
  @Fork(value = 1, jvmArgsAppend = "-Dcarousel.fused=off")
  public double graph() {
    return gradient();
  }
}
