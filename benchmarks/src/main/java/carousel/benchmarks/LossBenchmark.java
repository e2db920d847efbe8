package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.loss.Loss;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Cross entropy over a large vocabulary, beside what bounds it: reading the logits (for the maximum of a
 * row), an exponential of each, and, for the gradient, writing as much.
 */
public class LossBenchmark extends Measured {

  /** T·N. */
  @Param("400")
  public int rows;

  /** V. */
  @Param("10000")
  public int classes;

  private TensorScope run;
  private Tensor logits;
  private Tensor targets;
  private Tensor other;

  /** Makes logits and targets. */
  @Setup
  public void open() {
    run = TensorScope.openUnwatched();
    var random = Philox.of(1);
    logits = random.normal(DType.F32, 0, 1, rows, classes);
    other = logits.copy();
    targets = random.uniform(DType.F32, 0, classes - 1, rows).cast(DType.I32);
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  /** The loss alone. */
  @Benchmark
  public Tensor forward() {
    try (var step = TensorScope.openUnwatched()) {
      return Loss.crossEntropy(logits, targets);
    }
  }

  /** The loss and its gradient. */
  @Benchmark
  public Gradients gradient() {
    try (var step = TensorScope.openUnwatched()) {
      return Grad.of(() -> Loss.crossEntropy(logits, targets), logits);
    }
  }

  /** Reads the logits: their greatest, row by row. */
  @Benchmark
  public Tensor max() {
    try (var step = TensorScope.openUnwatched()) {
      return logits.max(1);
    }
  }

  /** Reads the logits: their sum. */
  @Benchmark
  public Tensor sum() {
    try (var step = TensorScope.openUnwatched()) {
      return logits.sum();
    }
  }

  /** Reads the logits and writes as much, into memory that is there. */
  @Benchmark
  public Tensor copy() {
    return other.assign(logits);
  }

  /** Reads the logits and writes their exponentials. */
  @Benchmark
  public Tensor exp() {
    try (var step = TensorScope.openUnwatched()) {
      return logits.exp();
    }
  }
}
