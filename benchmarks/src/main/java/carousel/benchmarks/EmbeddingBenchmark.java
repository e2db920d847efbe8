package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.autograd.Rows;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.layer.Embedding;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Objects;
import java.util.OptionalInt;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Looking up the rows of a table, and the gradient of its rows, beside a copy of what was looked up.
 */
public class EmbeddingBenchmark extends Measured {

  /** T·N. */
  @Param("400")
  public int tokens;

  /** V. */
  @Param("10000")
  public int vocabulary;

  /** D. */
  @Param({"200", "650"})
  public int width;

  private TensorScope run;
  private Embedding layer;
  private Parameters parameters;
  private Tensor index;
  private Tensor found;
  private Tensor other;

  /** Makes a table and tokens, some of which come twice. */
  @Setup
  public void open() {
    run = TensorScope.openUnwatched();
    var random = Philox.of(1);
    layer =
        new Embedding(
            Parameter.of(random.normal(DType.F32, 0, 1, vocabulary, width)), OptionalInt.empty());
    parameters = Parameters.of(layer);
    index = random.uniform(DType.F32, 0, vocabulary - 1, tokens).cast(DType.I32);
    found = layer.apply(index);
    other = found.copy();
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  /** The lookup alone. */
  @Benchmark
  public Tensor gather() {
    try (var step = TensorScope.openUnwatched()) {
      return layer.apply(index);
    }
  }

  /** The lookup, its sum, which reads it, and the gradient as rows, equal ones added up. */
  @Benchmark
  public Rows gradient() {
    try (var step = TensorScope.openUnwatched()) {
      Gradients gradients = Grad.of(() -> layer.apply(index).mul(found).sum(), parameters);
      return Objects.requireNonNull(gradients.unscaledRows(parameters.iterator().next()));
    }
  }

  /** Of that, what is neither the lookup nor the rows. */
  @Benchmark
  public Gradients around() {
    try (var step = TensorScope.openUnwatched()) {
      return Grad.of(() -> other.mul(found).sum(), other);
    }
  }

  /** Reads what was looked up and writes as much, into memory that is there. */
  @Benchmark
  public Tensor copy() {
    return other.assign(found);
  }
}
