package carousel.benchmarks;

import carousel.benchmarks.compare.Layers;
import carousel.benchmarks.compare.Task;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Recurrent layers, forward and backward: with composites fused where there is a kernel, and as graphs
 * of single operations. With {@code -prof gc}: the garbage of a step.
 */
public class LayerBenchmark extends Measured {

  /** The cell. */
  @Param({"elman", "lstm", "peephole", "matrix_peephole", "gru", "gru_after"})
  public String cell = "";

  /** T×B×I×H×L. */
  @Param({"35x20x64x64x1", "20x20x200x200x2"})
  public String shape = "";

  private Layers layers;

  /** Makes weights and inputs. */
  @Setup
  public void open() {
    layers = new Layers(Task.parse(cell + " f32 " + shape));
  }

  /** Frees them. */
  @TearDown
  public void close() {
    layers.close();
  }

  /** As it comes. */
  @Benchmark
  public void fused() {
    layers.run();
  }

  /** Every composite by its body. */
  @Benchmark
  @Fork(value = 1, jvmArgsAppend = "-Dcarousel.fused=off")
  public void graph() {
    layers.run();
  }
}
