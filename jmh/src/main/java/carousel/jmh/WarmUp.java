package carousel.jmh;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * Runs work until the compiler has done with it.
 *
 * <p>Kernels of tensor programs are compiled while they run. How long that takes depends on the program and on
 * the machine: next to nothing for a sum, many seconds for the scan of a cell, during which a step may take a
 * hundred times as long. A number of warm-up iterations that is right for one is wrong for the other, so this
 * asks the compiler instead:
 *
 * <pre>{@code
 * WarmUp.standard().run(() -> {
 *   try (var step = TensorScope.open()) {
 *     Grad.of(() -> model.loss(x, y), model.parameters());
 *   }
 * });
 * }</pre>
 *
 * <p>At the end of a {@code @Setup} of the state whose benchmark it runs; JMH's own warm-up, which compiles the
 * loop around it, may then be short.
 *
 * @param quiet how long the compiler has had next to nothing to do when the work is warm
 * @param most when to stop waiting for that
 */
public record WarmUp(Duration quiet, Duration most) {
  private static final System.Logger LOG = System.getLogger("carousel.jmh");
  private static final long POLL_NANOS = 50_000_000;

  /** At least so many times is the work run, and so many runs are quiet. */
  private static final int FEWEST = 10;

  /** What the compiler may do while it counts as quiet: one of so many polls, one of so many milliseconds. */
  private static final int BUSY_POLLS = 10;

  private static final int BUSY_TIME = 20;

  /**
   * How it went.
   *
   * @param runs how often the work was run
   * @param took how long
   * @param steady whether the compiler came to rest
   */
  public record Outcome(long runs, Duration took, boolean steady) {}

  /** Checks the times. */
  public WarmUp {
    if (quiet.isNegative() || quiet.compareTo(most) > 0) {
      throw new IllegalArgumentException(
          "warm-up: " + quiet + " of quiet do not fit into at most " + most);
    }
  }

  /**
   * Two quiet seconds, after at most two minutes.
   *
   * @return a warm-up
   */
  public static WarmUp standard() {
    return new WarmUp(Duration.ofSeconds(2), Duration.ofMinutes(2));
  }

  /** What was seen at a moment. */
  private record Poll(long nanos, long run, long compiled, boolean busy) {}

  /**
   * Runs work over and over until it is warm. If it does not become so in time, one line is logged.
   *
   * @param work what to run; it frees what it makes
   * @return how it went
   */
  public Outcome run(Runnable work) {
    return run(work, new CompilerActivity());
  }

  private Outcome run(Runnable work, CompilerActivity compiler) {
    long start = System.nanoTime();
    Deque<Poll> polls = new ArrayDeque<>();
    long runs = 0;
    boolean steady = false;
    long now = start;
    while (!steady && (now - start < most.toNanos() || runs < FEWEST)) {
      work.run();
      runs++;
      now = System.nanoTime();
      if (polls.isEmpty() || now - polls.getLast().nanos() >= POLL_NANOS) {
        polls.add(new Poll(now, runs, compiler.milliseconds(), compiler.isBusy()));
        steady = isQuiet(polls);
      }
    }
    var outcome = new Outcome(runs, Duration.ofNanos(now - start), steady);
    if (!steady) {
      LOG.log(
          Level.WARNING,
          String.format(
              Locale.ROOT,
              "warm-up: the compiler still works after %,d runs in %.0f s; what is measured now gets"
                  + " faster meanwhile",
              runs,
              (now - start) / 1e9));
    }
    return outcome;
  }

  /** Whether the last polls cover enough time and work, and the compiler did next to nothing; drops older ones. */
  private boolean isQuiet(Deque<Poll> polls) {
    Poll last = polls.getLast();
    while (polls.size() > 2 && covers(second(polls), last)) {
      polls.removeFirst();
    }
    Poll first = polls.getFirst();
    long busy = polls.stream().filter(Poll::busy).count();
    long milliseconds = (last.nanos() - first.nanos()) / 1_000_000;
    return covers(first, last)
        && BUSY_POLLS * busy <= polls.size()
        && BUSY_TIME * (last.compiled() - first.compiled()) <= milliseconds;
  }

  private boolean covers(Poll from, Poll to) {
    return to.nanos() - from.nanos() >= quiet.toNanos() && to.run() - from.run() >= FEWEST;
  }

  private static Poll second(Deque<Poll> polls) {
    var all = polls.iterator();
    all.next();
    return all.next();
  }
}
