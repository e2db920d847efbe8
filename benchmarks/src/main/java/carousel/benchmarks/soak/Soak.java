package carousel.benchmarks.soak;

import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.spi.Memory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Trains random models one after the other, sometimes two at once, and watches what grows. */
final class Soak {
  private static final int SAMPLES_AT_LEAST = 8;
  private static final double MINUTE = 60e9;

  private final Philox random;
  private final Path folder;
  private final Consumer<String> out;
  private final List<Sample> samples = new ArrayList<>();
  private int trials;

  /**
   * A soak that has not begun.
   *
   * @param seed of the trials
   * @param folder for the files of trials
   * @param out told of every sample
   */
  Soak(long seed, Path folder, Consumer<String> out) {
    this.random = Philox.of(seed);
    this.folder = folder;
    this.out = out;
  }

  /**
   * Runs for a time, and takes a sample every minute; more often if it is short.
   *
   * @param minutes how long
   * @return the samples
   * @throws IllegalArgumentException unless {@code minutes > 0}
   * @throws IOException if files of a trial cannot be written or read
   * @throws InterruptedException if this thread is interrupted
   */
  List<Sample> run(double minutes) throws IOException, InterruptedException {
    if (!(minutes > 0)) {
      throw new IllegalArgumentException("a soak lasts more than 0 minutes, not " + minutes);
    }
    out.accept(Sample.HEADER);
    double every = Math.min(1, minutes / SAMPLES_AT_LEAST);
    long start = System.nanoTime();
    try (var leaks = new Leaks();
        var reference = new Reference()) {
      reference.microseconds(); // compiles it
      for (double now = 0, next = every; next <= minutes + every / 2; ) {
        round();
        now = (System.nanoTime() - start) / MINUTE;
        if (now >= next) {
          samples.add(sample(now, leaks, reference));
          out.accept(samples.getLast().toString());
          next += every;
        }
      }
    }
    return samples;
  }

  /** One trial, or two on two threads. */
  private void round() throws IOException, InterruptedException {
    int threads = random.nextInt(5) == 0 ? 2 : 1;
    trials += threads;
    if (threads == 1) {
      Trial.draw(random).run(folder.resolve("alone"));
      return;
    }
    try (var pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        var trial = Trial.draw(random);
        Path own = folder.resolve("thread-" + i);
        running.add(
            pool.submit(() -> {
              trial.run(own);
              return trial;
            }));
      }
      for (Future<?> trial : running) {
        trial.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a trial failed on a thread of its own", e);
    }
  }

  private Sample sample(double now, Leaks leaks, Reference reference) throws IOException {
    double microseconds = reference.microseconds();
    System.gc();
    Memory memory = Device.cpu().backend().memory();
    return new Sample(
        now,
        trials,
        memory.inUse(),
        memory.peak(),
        memory.reserved(),
        Sample.residentNow(),
        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
        Sample.metaspaceNow(),
        ManagementFactory.getClassLoadingMXBean().getLoadedClassCount(),
        leaks.count(),
        microseconds);
  }
}
