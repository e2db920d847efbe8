package carousel.benchmarks.compare;

import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * What was measured in one row.
 *
 * @param table of the row
 * @param row the row
 * @param lines one per entry, in their order
 */
record Result(Table table, Row row, List<Line> lines) {

  /**
   * One entry, measured in its fastest setting.
   *
   * @param entry who and what
   * @param setting the fastest
   * @param sample of that setting; null if it could not be measured
   * @param trouble why not, or what is wrong with it; empty if nothing is
   */
  record Line(Entry entry, Setting setting, @Nullable Sample sample, String trouble) {}

  /** How many times longer, or larger, than ours, compared round by round. */
  OptionalDouble ratio(Line line) {
    Sample own = lines.getFirst().sample();
    Sample other = line.sample();
    return own == null || other == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(other.ratioTo(own));
  }

  /** The ratio of the better libtorch or BLAS: the smallest. DL4J is shown beside them. */
  OptionalDouble best() {
    return lines.stream()
        .filter(line -> line.entry().library().isPeer())
        .filter(line -> line.entry().library() != Library.DL4J)
        .map(this::ratio)
        .flatMapToDouble(OptionalDouble::stream)
        .min();
  }
}
