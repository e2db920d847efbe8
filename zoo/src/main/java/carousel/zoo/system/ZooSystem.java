package carousel.zoo.system;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A system of the literature, declared in one file: what it is, which options it takes, how it runs, what it reports, and
 * which of its figures must be how good for it to count as reproduced. It is in the zoo by a line in {@code
 * carousel.zoo.Systems}; from there on it is listed, run, tested, and has its rows in {@code docs/results.md}.
 *
 * @param <O> the record of its options
 */
public interface ZooSystem<O extends Record & Seeded> {
  /**
   * What it is.
   *
   * @return name, line and source
   */
  About about();

  /**
   * The record of its options, every component with an {@link Option}.
   *
   * @return its class
   */
  Class<O> options();

  /**
   * What it reports, and what of that must be how good; at least one figure has a bound.
   *
   * @param options those of the run: another size, another bound
   * @return in the order of the table
   */
  List<Figure> figures(O options);

  /**
   * Checks what can be checked before anything is written, beyond what the record's {@link Option}s and its constructor
   * say.
   *
   * @param options what is asked for
   * @throws carousel.zoo.run.Failure of usage, if that cannot be
   */
  default void require(O options) {}

  /**
   * Runs it, on {@code options.device()} where it has one, else on the CPU: all that makes its result comes from the
   * options, so that the same options give the same bits.
   *
   * @param options what is asked for
   * @param run shows progress, keeps the history, and writes checkpoints
   * @return the figures it declares, and its plots
   * @throws IOException if data cannot be read
   */
  Outcome run(O options, Run run) throws IOException;

  /**
   * The values of a preset; those of the record's {@link Option}s if the system does not say otherwise.
   *
   * @param preset which
   * @return by the names of the options
   */
  default Map<String, String> preset(Preset preset) {
    return Options.of(options()).preset(preset);
  }

  /**
   * Its loss, small, for {@code GradCheck}.
   *
   * @return empty where it learns without gradients
   */
  default Optional<Differentiable> loss() {
    return Optional.empty();
  }
}
