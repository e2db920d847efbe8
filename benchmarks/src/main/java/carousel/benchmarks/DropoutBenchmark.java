package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Training;
import carousel.nn.layer.Dropout;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Dropout of a layer's outputs, beside what bounds it: the random numbers of its mask, and a copy.
 */
public class DropoutBenchmark extends Measured {

  /** T·N·H. */
  @Param({"80000", "455000"})
  public int size;

  private final Dropout dropout = new Dropout(0.5);
  private TensorScope run;
  private Philox random;
  private Tensor x;
  private Tensor other;

  /** Makes the outputs of a layer. */
  @Setup
  public void open() {
    run = TensorScope.openUnwatched();
    random = Philox.of(1);
    x = random.normal(DType.F32, 0, 1, size);
    other = x.copy();
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  /** A fresh mask, and what it lets through. */
  @Benchmark
  public Tensor forward() {
    try (var step = TensorScope.openUnwatched()) {
      return Training.with(random, () -> dropout.apply(x));
    }
  }

  /** The same and its gradient; the sum between them is a copy's reading, and a filling, more. */
  @Benchmark
  public Gradients gradient() {
    try (var step = TensorScope.openUnwatched()) {
      return Grad.of(() -> Training.with(random, () -> dropout.apply(x)).sum(), x);
    }
  }

  /** The mask alone. */
  @Benchmark
  public Tensor mask() {
    try (var step = TensorScope.openUnwatched()) {
      return random.bernoulli(0.5, size);
    }
  }

  /** Reads x and writes as much, into memory that is there. */
  @Benchmark
  public Tensor copy() {
    return other.assign(x);
  }
}
