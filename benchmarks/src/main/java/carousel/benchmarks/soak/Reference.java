package carousel.benchmarks.soak;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.TrainingStep;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * A training step that is always the same, by which slowing down is seen. It is timed by the processor
 * time of this thread, so that other work on the machine counts little; with more than one thread
 * ({@code -Dcarousel.threads}) that leaves out the others' share.
 */
final class Reference implements AutoCloseable {
  private static final int STEPS = 100;

  private final TrainingStep step =
      new TrainingStep(Task.parse("language_model f32 20,8,64,1,200"));

  /** Returns the median time of a step, in microseconds. */
  double microseconds() {
    var threads = ManagementFactory.getThreadMXBean();
    double[] times = new double[STEPS];
    for (int i = 0; i < STEPS; i++) {
      long start = threads.getCurrentThreadCpuTime();
      step.run();
      times[i] = (threads.getCurrentThreadCpuTime() - start) / 1e3;
    }
    Arrays.sort(times);
    return times[STEPS / 2];
  }

  @Override
  public void close() {
    step.close();
  }
}
