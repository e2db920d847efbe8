package carousel.nn.random;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Judges some programs of a species, one seed after the other, and makes those that fail small.
 *
 * @param species what is made
 * @param shrunk how many of those that fail are made small; this takes seconds
 * @param report gets progress and failures, line by line
 * @param before gets every seed before its program runs, in case that brings the JVM down
 */
record Campaign<P>(Species<P> species, int shrunk, Consumer<String> report, LongConsumer before) {
  private static final long SECOND = 1_000_000_000;

  /**
   * What came of it.
   *
   * @param tally of all programs
   * @param failures a text for each that failed; among those alike after shrinking one has the source
   */
  record Result(Tally tally, List<String> failures) {}

  /** Judges {@code count} programs from a seed on. */
  Result run(long seed, int count) {
    var tally = new Tally();
    List<String> failures = new ArrayList<>();
    Map<String, Long> known = new HashMap<>();
    long said = System.nanoTime();
    for (int i = 0; i < count; i++) {
      before.accept(seed + i);
      long start = System.nanoTime();
      P program = species.maker().apply(seed + i);
      Verdict verdict = species.judge(program);
      tally.add(verdict, species.traits().apply(program), System.nanoTime() - start);
      if (verdict.isFailure()) {
        boolean shrink = failures.size() < shrunk;
        String text = shrink ? shrunk(program, verdict, seed + i, known) : verdict.message();
        failures.add(species.name() + ", seed " + (seed + i) + ": " + verdict.kind() + " " + text);
        report.accept(failures.getLast());
      }
      if (System.nanoTime() - said > 10 * SECOND) {
        said = System.nanoTime();
        report.accept(species.name() + ": " + tally.summary());
      }
    }
    return new Result(tally, failures);
  }

  private String shrunk(P program, Verdict verdict, long seed, Map<String, Long> known) {
    P least =
        Shrinker.shrink(species, program, candidate -> species.fails(candidate, verdict.kind()));
    Verdict of = species.judge(least);
    // One that shrank comes out differently once in a while: what memory held may matter.
    String message = of.isFailure() ? of.message() : "sometimes: " + verdict.message();
    Long like = known.putIfAbsent(verdict.kind() + " " + likeness(least), seed);
    return message
        + (like == null
            ? "\n" + species.source().apply(least)
            : ", shrinks to the like of " + like);
  }

  /** What programs that fail for one reason have in common: which rows and which cuts hardly matters. */
  private Set<String> likeness(P program) {
    Set<String> some = new TreeSet<>();
    for (String trait : species.traits().apply(program)) {
      String plain = trait.replaceAll("row .*", "row").replaceAll("Chunk|Split|Narrow", "cut");
      if (!plain.startsWith("type ") && !plain.startsWith("view ") && !plain.equals("row")) {
        some.add(plain);
      }
    }
    return some;
  }
}
