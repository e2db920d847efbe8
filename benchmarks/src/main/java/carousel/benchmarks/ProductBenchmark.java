package carousel.benchmarks;

import carousel.benchmarks.compare.Product;
import carousel.benchmarks.compare.Task;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** {@code C [m,n] = A [m,k]·B [k,n]} as a user calls it: checks, memory from the pool, packing, product. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ProductBenchmark {

  /** m×n×k: a step of a recurrence, and what does not fit the caches. */
  @Param({"20x800x200", "20x6000x1500", "1024x1024x1024", "700x6000x1500"})
  public String shape = "";

  /** The type of all three matrices. */
  @Param({"f32", "f64"})
  public String type = "";

  private Product product;

  /** Fills the operands. */
  @Setup
  public void open() {
    product = new Product(Task.parse("gemm " + type + " " + shape));
  }

  /** Frees them. */
  @TearDown
  public void close() {
    product.close();
  }

  /** One product. */
  @Benchmark
  public void matmul() {
    product.run();
  }
}
