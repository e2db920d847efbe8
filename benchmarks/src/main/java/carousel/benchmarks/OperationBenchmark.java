package carousel.benchmarks;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What one operation costs a caller: checks, dispatch, memory from the pool, and the loop. Size 1 is
 * the overhead alone; 4096 fits the first-level cache; 262144 does not fit the second.
 */
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OperationBenchmark extends Measured {

  /** Elements of every operand. */
  @Param({"1", "4096", "262144"})
  public int size;

  private TensorScope run;
  private Tensor x;
  private Tensor y;

  /** Fills the operands; they live until the end of the trial. */
  @Setup
  public void open() {
    run = TensorScope.open();
    var random = Philox.of(1);
    x = random.uniform(DType.F32, -1, 1, size);
    y = random.uniform(DType.F32, -1, 1, size);
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  /** A scope opened and closed around nothing: what the others pay for theirs. */
  @Benchmark
  public TensorScope scope() {
    try (var step = TensorScope.open()) {
      return step;
    }
  }

  /** z = x + y. */
  @Benchmark
  public Tensor add() {
    try (var step = TensorScope.open()) {
      return x.add(y);
    }
  }

  /** z = tanh x. */
  @Benchmark
  public Tensor tanh() {
    try (var step = TensorScope.open()) {
      return x.tanh();
    }
  }

  /** s = Σ x. */
  @Benchmark
  public Tensor sum() {
    try (var step = TensorScope.open()) {
      return x.sum();
    }
  }
}
