package carousel.benchmarks.memory;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.jmh.TensorMemoryProfiler;
import carousel.tensor.Device;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** What {@code -prof carousel.jmh.TensorMemoryProfiler} adds to JMH's results, on two threads. */
class TensorMemoryTest {
  private static final double KIB = 1024;

  @SuppressWarnings("rawtypes") // as JMH has them
  private static Map<String, Double> measure(String closes) throws RunnerException {
    var options =
        new OptionsBuilder()
            .include(LeakyBenchmark.class.getName())
            .param("closes", closes)
            .threads(2)
            .forks(0)
            .warmupIterations(1)
            .warmupTime(TimeValue.milliseconds(20))
            .measurementIterations(3)
            .measurementTime(TimeValue.milliseconds(20))
            .addProfiler(TensorMemoryProfiler.class, "cpu")
            .verbosity(VerboseMode.SILENT)
            .build();
    Collection<RunResult> results = new Runner(options).run();
    assertThat(results).hasSize(1);
    return results.iterator().next().getSecondaryResults().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().getScore()));
  }

  private static double figure(Map<String, Double> figures, String name) {
    return Objects.requireNonNull(figures.get(name), name);
  }

  @Test
  void peakLiveAndLeft() throws RunnerException {
    double before = Device.cpu().backend().memory().inUse();
    var tidy = measure("true");
    assertThat(tidy).containsOnlyKeys("tensor.peak", "tensor.live", "tensor.left");
    // Weights, and a step of each thread; a sum is less than a KiB.
    assertThat(figure(tidy, "tensor.peak") - before).isBetween(4 * KIB + 64 * KIB, 134 * KIB);
    assertThat(figure(tidy, "tensor.live") - before).isEqualTo(4 * KIB);
    assertThat(figure(tidy, "tensor.left") - before).isZero();

    var leaky = measure("false");
    LeakyBenchmark.left.close();
    assertThat(figure(leaky, "tensor.peak") - before).isGreaterThan(1024 * KIB);
    assertThat(figure(leaky, "tensor.live") - before).isEqualTo(1028 * KIB);
    assertThat(figure(leaky, "tensor.left") - before).isEqualTo(1024 * KIB);
  }
}
