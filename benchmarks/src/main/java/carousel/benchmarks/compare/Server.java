package carousel.benchmarks.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;

/**
 * The side of a contender: reads commands line by line and answers each with one line, {@code ok ...}
 * or {@code error ...}.
 *
 * <pre>
 * warm SECONDS TASK    makes the task ready, does it until it got no faster for so long   ok NORM LAST_MS
 * time SECONDS TASK    does it at least twice and for so long                             ok MEDIAN_MS
 * warm-forward ...     as warm, of the outputs alone                                      ok NORM LAST_MS
 * forward SECONDS TASK as time, of the outputs alone                                      ok MEDIAN_MS
 * digests TASK         does it once                                                       ok (NAME PROJECTION NORM)...
 * drop                 lets go of all tasks                                               ok
 * </pre>
 *
 * <p>Between commands the process waits for a line, and does nothing.
 */
public final class Server {
  /** Warming up is looked at in pieces of this length. */
  private static final double WINDOW_MS = 250;

  /** A piece that is faster by this share is progress. */
  private static final double GAIN = 0.03;

  /** Warming up ends after so many times its length, settled or not. */
  private static final double LONGEST = 8;

  private static final int LEAST_RUNS = 2;
  private static final double CACHES_MS = 50;

  private final Contestant contestant;
  private final SequencedMap<String, Work> ready = new LinkedHashMap<>();

  private Server(Contestant contestant) {
    this.contestant = contestant;
  }

  /**
   * Serves until standard input ends.
   *
   * @param contestant what does the work
   * @throws IOException if standard input cannot be read
   */
  public static void serve(Contestant contestant) throws IOException {
    // Standard output is for answers; whatever a library prints goes to the log.
    PrintStream answers = System.out;
    System.setOut(System.err);
    var server = new Server(contestant);
    try (var commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        answers.println(server.answer(line));
        answers.flush();
      }
    }
  }

  private String answer(String line) {
    try {
      String[] part = line.split(" ", 3);
      return switch (part[0]) {
        case "warm" -> warm(Double.parseDouble(part[1]), part[2], Work::run);
        case "warm-forward" -> {
          prepared(part[2]).run(); // there are gradients to measure
          yield warm(Double.parseDouble(part[1]), part[2], Work::forward);
        }
        case "time" -> time(Double.parseDouble(part[1]), ready(part[2])::run);
        case "forward" -> time(Double.parseDouble(part[1]), ready(part[2])::forward);
        case "digests" -> "ok " + Digest.write(ready(line.substring(8)).digests());
        case "drop" -> drop();
        default -> "error no such command: " + line;
      };
    } catch (RuntimeException | LinkageError e) {
      e.printStackTrace();
      return "error " + String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    }
  }

  /** Runs until it has not become faster for so many seconds. */
  private String warm(double seconds, String task, Consumer<Work> pass) {
    Work work = prepared(task);
    double last;
    double spent = 0;
    double settled = 0;
    double best = Double.POSITIVE_INFINITY;
    // A compiler at work makes it faster by and by: until that has ended, whenever that is.
    do {
      var window = DoubleStream.builder();
      double begun = spent;
      do {
        last = milliseconds(() -> pass.accept(work));
        window.add(last);
        spent += last;
      } while (spent - begun < Math.min(WINDOW_MS, seconds * 1e3));
      double median = Sample.median(window.build().toArray());
      if (median < (1 - GAIN) * best) {
        settled = spent;
      }
      best = Math.min(best, median);
    } while (spent - settled < seconds * 1e3 && spent < LONGEST * seconds * 1e3);
    return String.format(Locale.ROOT, "ok %.9g %.6g", work.norm(), last);
  }

  private Work prepared(String task) {
    return ready.computeIfAbsent(task, t -> contestant.prepare(Task.parse(t)));
  }

  private Work ready(String task) {
    Work work = ready.get(task);
    if (work == null) {
      throw new IllegalStateException("'" + task + "' is not ready; send warm first");
    }
    return work;
  }

  private static String time(double seconds, Runnable work) {
    double first = milliseconds(work);
    var times = DoubleStream.builder();
    int runs = 0;
    if (first
        > CACHES_MS) { // others have used the caches since; what takes this long hardly notices
      times.add(first);
      runs++;
    }
    for (double spent = 0; runs < LEAST_RUNS || spent < seconds * 1e3; runs++) {
      double ms = milliseconds(work);
      times.add(ms);
      spent += ms;
    }
    return String.format(Locale.ROOT, "ok %.6g", Sample.median(times.build().toArray()));
  }

  private static double milliseconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) * 1e-6;
  }

  private String drop() {
    // Scopes close from the innermost outwards.
    ready.sequencedValues().reversed().forEach(Work::close);
    ready.clear();
    return "ok";
  }
}
