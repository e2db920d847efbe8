package carousel.benchmarks.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A process of one library in one setting, told what to do; see {@link Server}. */
final class Child implements AutoCloseable {
  private static final Duration LONGEST_SPIN = Duration.ofSeconds(3);
  private static final long TICK_MS = 30;

  private final Process process;
  private final long patience;
  private final Path log;
  private final BufferedReader answers;
  private final Writer commands;

  /** A command that could not be carried out. */
  static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refusal(String message) {
      super(message);
    }
  }

  /** Starts a process, which may take so many seconds for an answer. */
  Child(Library library, Setting setting, Path target, int threads, long patience) {
    this.patience = patience;
    try {
      Path logs = Files.createDirectories(target.resolve("compare"));
      log = logs.resolve((library.option() + "-" + setting).replace(' ', '-') + ".log");
      var builder = new ProcessBuilder(library.command(target, threads));
      builder.environment().putAll(library.environment(target, threads));
      builder.environment().putAll(setting.environment);
      builder.redirectError(log.toFile());
      process = builder.start();
      answers = process.inputReader(StandardCharsets.UTF_8);
      commands = process.outputWriter(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What a task gave while it got ready.
   *
   * @param norm of its result
   * @param last how long the last run took, in milliseconds
   */
  record Warmth(double norm, double last) {}

  /** Makes a task ready and does it for so long. */
  Warmth warm(Task task, Pass pass, double seconds) {
    double[] numbers = ask(String.format(Locale.ROOT, "%s %.3f %s", pass.warm, seconds, task));
    return new Warmth(numbers[0], numbers[1]);
  }

  /**
   * Does a task for so long.
   *
   * @return the median of its times, in milliseconds
   */
  double time(Task task, Pass pass, double seconds) {
    return ask(String.format(Locale.ROOT, "%s %.3f %s", pass.time, seconds, task))[0];
  }

  /** The result of a task that is ready. */
  List<Digest> digests(Task task) {
    return Digest.read(answer("digests " + task));
  }

  /** Lets go of all tasks. */
  void drop() {
    answer("drop");
  }

  private double[] ask(String command) {
    String[] numbers = answer(command).split(" ");
    settle();
    return Arrays.stream(numbers).mapToDouble(Double::parseDouble).toArray();
  }

  private String answer(String command) {
    try {
      commands.write(command + "\n");
      commands.flush();
      String line = CompletableFuture.supplyAsync(this::line).get(patience, TimeUnit.SECONDS);
      if (!line.startsWith("ok")) {
        throw new Refusal(line.replaceFirst("^error ", ""));
      }
      return line.substring(2).trim();
    } catch (IOException | ExecutionException e) {
      throw new Refusal("the process ended, see " + log);
    } catch (TimeoutException e) {
      process.destroyForcibly();
      throw new Refusal("no answer to '" + command + "' within " + patience + " s, see " + log);
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while waiting for " + log, e);
    }
  }

  private String line() {
    try {
      String line = answers.readLine();
      if (line == null) {
        throw new IOException("end of answers");
      }
      return line;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until the process uses no more time: threads may spin, and compilers compile, for a while. */
  private void settle() {
    Duration spent = spent();
    for (Duration waited = Duration.ZERO; waited.compareTo(LONGEST_SPIN) < 0; ) {
      try {
        Thread.sleep(TICK_MS);
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted while waiting for " + log, e);
      }
      waited = waited.plusMillis(TICK_MS);
      Duration now = spent();
      if (now.equals(spent)) {
        return;
      }
      spent = now;
    }
    System.err.println(
        "compare: " + log.getFileName() + ": still busy though idle; timings of others may suffer");
  }

  private Duration spent() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** The most memory that was ever resident, in MiB. */
  double peakMemory() {
    try (var lines = Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      return lines
              .filter(line -> line.startsWith("VmHWM:"))
              .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElse(Double.NaN)
          / 1024;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the process: its input ends. */
  @Override
  public void close() {
    try {
      commands.close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
