package carousel.benchmarks;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.TrainingStep;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A whole training step of the small Zaremba language model. With {@code -prof gc}: its garbage. */
public class TrainingStepBenchmark extends Measured {

  /** T×B×H×L×V. */
  @Param("20x20x200x2x10000")
  public String shape = "";

  private TrainingStep step;

  /** Makes the model. */
  @Setup
  public void open() {
    step = new TrainingStep(Task.parse("language_model f32 " + shape));
  }

  /** Frees it. */
  @TearDown
  public void close() {
    step.close();
  }

  /** Forward, backward, clipping and SGD. */
  @Benchmark
  public void step() {
    step.run();
  }
}
