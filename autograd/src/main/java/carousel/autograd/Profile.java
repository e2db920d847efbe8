package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.SharedScope;
import carousel.tensor.Tensor;
import carousel.tensor.op.Observer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where the time of a piece of code goes: a table by op, shapes and place.
 *
 * <pre>{@code
 * System.out.println(Profile.of(() -> Grad.of(() -> model.loss(batch.x(), batch.y()), parameters)));
 * }</pre>
 *
 * <p>Kernels stay on, and everything runs as it would; on a device that computes later each op is waited for. A row is an op, a
 * kernel or an update of weights, with its operands' shapes and the line of the program that asked for it; where that
 * called a layer, a loss or an optimiser, the line in there, too; in a gradient
 * it also says of what, e.g. {@code mul} in the gradient of {@code tanh}. Times are an op's own, without ops inside of it,
 * and without what watching costs, some microseconds per op. What is not in any row is Java's: the tape, allocation,
 * the program itself. Code runs slower until it is compiled: profile a step after some others.
 *
 * <p>What is measured is the code's own thread. What other threads compute is in no row, whoever started them; the time
 * that the code waits for them is {@linkplain #elsewhere in no op}. Within the code there may be another profile: its ops
 * are rows of both, and what its watching costs is in neither.
 *
 * <p>While JDK Flight Recorder records, each is an event {@code carousel.Op}, too, with the same two lines.
 *
 * @param <R> what the code returned
 */
public final class Profile<R> {
  private static final int SHOWN = 25;
  private static final ScopedValue<Watch> WATCH = ScopedValue.newInstance();

  private final R value;
  private final List<Row> rows;
  private final double seconds;

  private Profile(R value, List<Row> rows, double seconds) {
    this.value = value;
    this.rows = rows;
    this.seconds = seconds;
  }

  /**
   * One line of the table.
   *
   * @param op what ran: an op, a kernel, an update
   * @param gradientOf the op whose gradient it is part of; empty on the way there
   * @param shapes of its operands
   * @param place the line of the program that asked for it, as {@code Train.java:41}: the innermost one that is not the
   *     library's; in a gradient that which asked for the gradient
   * @param through the line of the library's layer, loss or optimiser that the program called there, in which the op is
   *     applied; empty where the program applies it itself
   * @param calls how often
   * @param seconds its own time, all calls together
   */
  public record Row(
      String op,
      String gradientOf,
      String shapes,
      String place,
      String through,
      long calls,
      double seconds) {}

  private record Key(String op, String gradientOf, String shapes, Caller caller) {}

  private static final class Sum {
    private long calls;
    private long nanos;
  }

  /**
   * Runs code and watches where its time goes.
   *
   * @param code the code, e.g. a step of training
   * @param <R> what it returns
   * @return what it returned, and the table
   */
  public static <R> Profile<R> of(Supplier<R> code) {
    var watch = new Watch(WATCH.isBound() && WATCH.get().isHere() ? WATCH.get() : null);
    long start = System.nanoTime();
    try {
      R value =
          ScopedValue.where(Tape.PULL, watch::pull)
              .where(WATCH, watch)
              .call(() -> watch.during(code));
      long nanos = System.nanoTime() - start - watch.overhead;
      return new Profile<>(value, watch.rows(), nanos * 1e-9);
    } finally {
      watch.owner.close();
    }
  }

  /** {@return what the code returned} */
  public R value() {
    return value;
  }

  /** {@return the table, what took longest first} */
  public List<Row> rows() {
    return rows;
  }

  /** {@return how long the code took, without what watching cost} */
  public double seconds() {
    return seconds;
  }

  /** {@return the part of {@link #seconds} that is in no row} */
  public double elsewhere() {
    return Math.max(0, seconds - rows.stream().mapToDouble(Row::seconds).sum());
  }

  /**
   * Time by something that rows have in common.
   *
   * @param what e.g. {@code Row::op} or {@code Row::place}
   * @return the seconds, the most first
   */
  public Map<String, Double> by(Function<Row, String> what) {
    Map<String, Double> sums =
        rows.stream().collect(Collectors.groupingBy(what, Collectors.summingDouble(Row::seconds)));
    Map<String, Double> sorted = new LinkedHashMap<>();
    sums.entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .forEach(e -> sorted.put(e.getKey(), e.getValue()));
    return sorted;
  }

  /** The table as text: what took longest. */
  @Override
  public String toString() {
    var text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%.3f ms, of which %.3f ms in no op%n%6s %10s %7s %10s  %s%n",
            seconds * 1e3,
            elsewhere() * 1e3,
            "share",
            "ms",
            "calls",
            "µs/call",
            "op"));
    for (Row row : rows.subList(0, Math.min(SHOWN, rows.size()))) {
      text.append(
          String.format(
              Locale.ROOT,
              "%5.1f%% %10.3f %7d %10.1f  %s%s %s%s%s%n",
              100 * row.seconds / seconds,
              row.seconds * 1e3,
              row.calls,
              row.seconds * 1e6 / row.calls,
              row.op,
              row.gradientOf.isEmpty() ? "" : " in the gradient of " + row.gradientOf,
              row.shapes,
              row.place.isEmpty() ? "" : " at " + row.place,
              row.through.isEmpty() ? "" : " in " + row.through));
    }
    if (rows.size() > SHOWN) {
      double rest = rows.stream().skip(SHOWN).mapToDouble(Row::seconds).sum();
      text.append(
          String.format(
              Locale.ROOT, "and %d rows more, %.3f ms%n", rows.size() - SHOWN, rest * 1e3));
    }
    return text.toString();
  }

  private static final class Watch implements Observer {
    private final @Nullable Watch outer;
    private final Thread thread = Thread.currentThread();
    private final Map<Key, Sum> sums = new HashMap<>();
    private final SharedScope owner = SharedScope.open();
    private final Map<Device, Tensor> probes = new HashMap<>();
    private @Nullable Node pulled;

    /** Whether what runs now is the watch's own. */
    private boolean waiting;

    /** What ops inside the one that runs have taken, watching included. */
    private long inside;

    /** What watching took. */
    private long overhead;

    /** What the last op took, watching by this one included. */
    private long taken;

    /**
     * A watch.
     *
     * @param outer that of a profile around this one, which sees what this one sees
     */
    Watch(@Nullable Watch outer) {
      this.outer = outer;
    }

    /** Threads that the code starts may inherit the watch, which counts for its own alone. */
    boolean isHere() {
      return Thread.currentThread() == thread;
    }

    private boolean isWaiting() {
      return waiting || (outer != null && outer.isWaiting());
    }

    void pull(Node node) {
      if (!isHere()) {
        node.pull();
        return;
      }
      Node around = pulled;
      pulled = node;
      try {
        if (outer == null) {
          node.pull();
        } else {
          outer.pull(node);
        }
      } finally {
        pulled = around;
      }
    }

    @Override
    public <R> R observe(String label, Tensor[] inputs, Supplier<R> run) {
      if (!isHere() || isWaiting()) {
        return run.get();
      }
      if (outer == null) {
        return measured(label, inputs, run);
      }
      long entered = System.nanoTime();
      try {
        return outer.observe(label, inputs, () -> measured(label, inputs, run));
      } finally {
        long cost = System.nanoTime() - entered - taken; // the outer one's
        overhead += cost;
        inside += cost;
      }
    }

    private <R> R measured(String label, Tensor[] inputs, Supplier<R> run) {
      long entered = System.nanoTime();
      String shapes =
          Stream.of(inputs).map(x -> x.shape().toString()).collect(Collectors.joining(" "));
      String of = pulled == null ? "" : pulled.label();
      var caller = Caller.here();
      Sum sum = sums.computeIfAbsent(new Key(label, of, shapes, caller), missing -> new Sum());
      long around = inside;
      inside = 0;
      var event = new OpEvent();
      long start = System.nanoTime();
      try {
        event.begin();
        R result = run.get();
        finish(inputs);
        return result;
      } finally {
        long end = System.nanoTime();
        sum.calls++;
        sum.nanos += end - start - inside;
        if (outer == null && event.shouldCommit()) { // one event, however many see it
          event.op = label;
          event.gradientOf = of;
          event.shapes = shapes;
          event.place = caller.program();
          event.through = caller.through();
          event.commit();
        }
        long left = System.nanoTime();
        long cost = (start - entered) + (left - end);
        overhead += cost;
        taken = left - entered;
        inside = around + taken;
        for (Watch w = outer; w != null; w = w.outer) {
          w.overhead += cost;
          w.inside += cost;
        }
      }
    }

    /** Waits for a device that computes later. */
    private void finish(Tensor... inputs) {
      if (inputs.length > 0 && inputs[0].device().backend().isAsynchronous()) {
        waiting = true;
        try {
          Device device = inputs[0].device();
          double unused =
              probes
                  .computeIfAbsent(device, of -> owner.make(() -> Tensor.of(DType.F32, 0).to(of)))
                  .item();
        } finally {
          waiting = false;
        }
      }
    }

    List<Row> rows() {
      List<Row> rows = new ArrayList<>();
      sums.forEach((key, sum) ->
          rows.add(
              new Row(
                  key.op,
                  key.gradientOf,
                  key.shapes,
                  key.caller.program(),
                  key.caller.through(),
                  sum.calls,
                  sum.nanos * 1e-9)));
      rows.sort(Comparator.comparingDouble(Row::seconds).reversed());
      return List.copyOf(rows);
    }
  }
}
