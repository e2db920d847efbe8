package carousel.nn.random;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Judges some programs of a species, one seed after the other, and makes those that fail small.
 *
 * @param species what is made
 * @param report gets progress and failures, line by line
 */
record Campaign<P>(Species<P> species, Consumer<String> report) {
  private static final int MOST_SHRUNK = 12;
  private static final long SECOND = 1_000_000_000;

  /** What came of it: the tally, and a text for each failure, the first ones with their source. */
  record Result(Tally tally, List<String> failures) {}

  /** Judges {@code count} programs from a seed on. */
  Result run(long seed, int count) {
    var tally = new Tally();
    List<String> failures = new ArrayList<>();
    long said = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long start = System.nanoTime();
      P program = species.maker().apply(seed + i);
      Verdict verdict = species.judge(program);
      tally.add(verdict, species.traits().apply(program), System.nanoTime() - start);
      if (verdict.isFailure()) {
        String text = failure(program, verdict, seed + i, failures.size() < MOST_SHRUNK);
        failures.add(text);
        report.accept(text);
      }
      if (System.nanoTime() - said > 10 * SECOND) {
        said = System.nanoTime();
        report.accept(species.name() + ": " + tally.summary());
      }
    }
    return new Result(tally, failures);
  }

  private String failure(P program, Verdict verdict, long seed, boolean shrink) {
    String head = species.name() + ", seed " + seed + ": " + verdict.kind() + " ";
    if (!shrink) {
      return head + verdict.message();
    }
    P least =
        Shrinker.shrink(species, program, candidate -> species.fails(candidate, verdict.kind()));
    return head + species.judge(least).message() + "\n" + species.source().apply(least);
  }
}
