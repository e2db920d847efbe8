package carousel.benchmarks;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.TrainingStep;
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

/** A whole training step of the small Zaremba language model. With {@code -prof gc}: its garbage. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TrainingStepBenchmark {

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
