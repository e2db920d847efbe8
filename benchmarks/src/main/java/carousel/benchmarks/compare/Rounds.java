package carousel.benchmarks.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures rows: every contender gets ready, then in each round each does a slice of the work, one
 * after the other; so whatever else the machine does meets all alike. Processes stay alive from row
 * to row.
 */
final class Rounds implements AutoCloseable {
  /** A setting this much slower than the best of its library after a round is not asked again. */
  private static final double HOPELESS = 1.3;

  /** Nor is one that was this much slower while they got ready. */
  private static final double HOPELESS_AT_FIRST = 3;

  /** Norms over everything, of equal work, differ by rounding alone. */
  private static final double TOLERANCE = 1e-3;

  private final Options options;
  private final Path target;
  private final Map<Key, Child> children = new LinkedHashMap<>();

  private record Key(Library library, Setting setting) {}

  /** An entry in one setting. */
  private static final class Runner {
    final Entry entry;
    final Setting setting;
    final List<Double> times = new ArrayList<>();
    double norm = Double.NaN;
    List<Digest> digests = List.of();
    double warm = Double.POSITIVE_INFINITY;
    String trouble = "";

    Runner(Entry entry, Setting setting) {
      this.entry = entry;
      this.setting = setting;
    }

    double median() {
      return times.isEmpty()
          ? Double.POSITIVE_INFINITY
          : Sample.median(times.stream().mapToDouble(t -> t).toArray());
    }
  }

  Rounds(Options options, Path target) {
    this.options = options;
    this.target = target;
  }

  /** Measures a row. */
  Result measure(Table table, Row row) {
    List<List<Runner>> entries = new ArrayList<>();
    for (Entry entry : row.entries()) {
      if (options.wants(entry.library())) {
        entries.add(
            (table.unit.isPerProcess() ? List.of(Setting.DEFAULT) : settings(entry.library()))
                .stream().map(setting -> new Runner(entry, setting)).toList());
      }
    }
    if (table.unit.isPerProcess()) {
      freshProcesses(table.unit, entries);
    } else {
      slices(entries, table.pass);
    }
    Runner ours = entries.getFirst().getFirst();
    return new Result(table, row, entries.stream().map(runners -> line(runners, ours)).toList());
  }

  /** With one thread nobody waits for another. */
  private List<Setting> settings(Library library) {
    return options.threads() == 1 ? List.of(Setting.DEFAULT) : library.settings;
  }

  private void slices(List<List<Runner>> entries, Pass pass) {
    List<Runner> runners = new ArrayList<>(entries.stream().flatMap(List::stream).toList());
    for (Runner runner : runners) {
      attempt(
          runner,
          () -> {
            double seconds = options.warmUp(runner.entry.library());
            Child.Warmth warmth = child(runner).warm(runner.entry.task(), pass, seconds);
            runner.digests = child(runner).digests(runner.entry.task());
            runner.norm = warmth.norm();
            runner.warm = warmth.last();
          });
    }
    for (int round = 0; round < options.rounds(); round++) {
      for (Runner runner : round % 2 == 0 ? runners : runners.reversed()) {
        if (runner.trouble.isEmpty() && !isHopeless(runner, entries)) {
          attempt(
              runner,
              () ->
                  runner.times.add(child(runner).time(runner.entry.task(), pass, options.slice())));
        }
      }
    }
    for (Runner runner : runners) {
      attempt(runner, () -> child(runner).drop());
    }
  }

  private static boolean isHopeless(Runner runner, List<List<Runner>> entries) {
    return entries.stream()
        .filter(runners -> runners.contains(runner))
        .flatMap(List::stream)
        .anyMatch(rival ->
            runner.times.isEmpty()
                ? rival.warm * HOPELESS_AT_FIRST < runner.warm
                : rival.median() * HOPELESS < runner.median());
  }

  private void freshProcesses(Unit unit, List<List<Runner>> entries) {
    for (int round = -1; round < options.rounds(); round++) { // the first fills the caches of files
      for (List<Runner> runners : entries) {
        Runner runner = runners.getFirst();
        boolean counts = round >= 0;
        attempt(
            runner,
            () -> {
              long start = System.nanoTime();
              try (var child = start(runner)) {
                runner.norm = child.warm(runner.entry.task(), Pass.WHOLE, 0).norm();
                double first = (System.nanoTime() - start) * 1e-9;
                if (unit == Unit.MEBIBYTES && counts) {
                  child.time(runner.entry.task(), Pass.WHOLE, options.memorySlice());
                  runner.times.add(child.peakMemory());
                } else if (counts) {
                  runner.times.add(first);
                }
              }
            });
      }
    }
  }

  /** A process that fails once is not trusted again: the next row gets a new one. */
  private void attempt(Runner runner, Runnable step) {
    if (runner.trouble.isEmpty()) {
      try {
        step.run();
      } catch (Child.Refusal e) {
        runner.trouble = String.valueOf(e.getMessage());
        Child failed = children.remove(new Key(runner.entry.library(), runner.setting));
        if (failed != null) {
          failed.close();
        }
      }
    }
  }

  private Child child(Runner runner) {
    return children.computeIfAbsent(
        new Key(runner.entry.library(), runner.setting), key -> start(runner));
  }

  private Child start(Runner runner) {
    return new Child(
        runner.entry.library(), runner.setting, target, options.threads(), options.patience());
  }

  private static Result.Line line(List<Runner> runners, Runner ours) {
    Runner best = runners.getFirst();
    for (Runner runner : runners) {
      best = runner.median() < best.median() ? runner : best;
    }
    String trouble = best.trouble;
    if (trouble.isEmpty() && best.entry.task().isSameWorkAs(ours.entry.task())) {
      trouble = Digest.difference(best.digests, ours.digests);
      if (Math.abs(best.norm - ours.norm) > TOLERANCE * Math.abs(ours.norm)) {
        trouble = "the results differ: their norm is " + best.norm + ", ours " + ours.norm;
      }
    }
    return new Result.Line(
        best.entry, best.setting, best.times.isEmpty() ? null : new Sample(best.times), trouble);
  }

  @Override
  public void close() {
    children.values().forEach(Child::close);
  }
}
