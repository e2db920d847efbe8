package carousel.jmh;

import carousel.tensor.Device;
import carousel.tensor.spi.Memory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.profile.ProfilerException;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;
import org.openjdk.jmh.runner.IterationType;

/**
 * Reports the memory of tensors, which lies outside of the heap: {@code -prof gc} does not see it.
 *
 * <pre>{@literal
 * java -jar benchmarks.jar -prof carousel.jmh.TensorMemoryProfiler
 * java -jar benchmarks.jar -prof "carousel.jmh.TensorMemoryProfiler:cuda:0"
 * }</pre>
 *
 * <p>Of every measured iteration, of all threads together, in bytes as the pool of the device rounds them:
 *
 * <ul>
 *   <li>{@code tensor.peak}: the most that was in use at once, with what was there before;
 *   <li>{@code tensor.live}: what is in use when it is over. What a {@code @Setup} made counts until its
 *       {@code @TearDown}; a benchmark that leaks has more after each iteration;
 *   <li>{@code tensor.left}, of the last iteration alone: what is in use when every {@code @TearDown} ran. It is 0
 *       unless something was not closed.
 * </ul>
 *
 * <p>The last column of JMH's table is the largest of all iterations and forks. The device is the {@linkplain
 * Device#standard standard one} of the fork unless one is named after the colon.
 */
public final class TensorMemoryProfiler implements InternalProfiler {
  private static final String PEAK = "tensor.peak";
  private static final String LIVE = "tensor.live";
  private static final String LEFT = "tensor.left";

  private final String device;
  private int measured;

  /** Of the standard device. */
  public TensorMemoryProfiler() {
    this.device = "";
  }

  /**
   * Of a device.
   *
   * @param device its name, as {@link Device#of(String)} takes it; that of the standard device if blank
   * @throws ProfilerException never; JMH looks for a constructor that declares it
   */
  public TensorMemoryProfiler(String device) throws ProfilerException {
    this.device = device.strip();
  }

  @Override
  public String getDescription() {
    return "Memory of tensors on a device: peak, live, and left after the last iteration";
  }

  // Looked up at each use: JMH makes a profiler in the parent, too, which need not open a device.
  private Memory memory() {
    return (device.isEmpty() ? Device.standard() : Device.of(device)).backend().memory();
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    memory().resetPeak();
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    Memory memory = memory();
    long live = memory.inUse();
    List<Result<?>> results = new ArrayList<>();
    results.add(bytes(PEAK, memory.peak()));
    results.add(bytes(LIVE, live));
    if (iteration.getType() == IterationType.MEASUREMENT && ++measured == iteration.getCount()) {
      results.add(bytes(LEFT, live));
    }
    return results;
  }

  private static ScalarResult bytes(String label, long bytes) {
    return new ScalarResult(label, bytes, "B", AggregationPolicy.MAX);
  }
}
