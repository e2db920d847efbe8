package carousel.benchmarks;

import carousel.benchmarks.compare.Product;
import carousel.benchmarks.compare.Task;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** {@code C [m,n] = A [m,k]·B [k,n]} as a user calls it: checks, memory from the pool, packing, product. */
public class ProductBenchmark extends Measured {

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
