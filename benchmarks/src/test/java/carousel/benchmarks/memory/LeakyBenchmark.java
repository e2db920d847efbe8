package carousel.benchmarks.memory;

import carousel.tensor.SharedScope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A program whose memory is known: weights of 4 KiB, steps of 64 KiB, and 1 MiB that a leak leaves. */
@State(Scope.Benchmark)
public class LeakyBenchmark {
  /** Whether it frees what it made. */
  @Param({"true", "false"})
  public boolean closes;

  /** What was not freed, for the test to free it. */
  static SharedScope left = SharedScope.open();

  private SharedScope owner = SharedScope.open();
  private Tensor weights = owner.make(() -> Tensor.ones(1024));

  /** On one thread. */
  @Setup
  public void open() {
    if (!closes) {
      left.make(() -> Tensor.zeros(1 << 18));
    }
  }

  /** On any. */
  @TearDown
  public void close() {
    owner.close();
  }

  /** Reads the weights, and makes a tensor. */
  @Benchmark
  public double step() {
    try (var step = TensorScope.open()) {
      return Tensor.zeros(1 << 14).sum().item() + weights.sum().item();
    }
  }
}
