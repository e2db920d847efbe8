package carousel.zoo.run;

/**
 * How a training is saved; the weights do not depend on it.
 *
 * @param every when, beside the end of every epoch
 * @param keep how many checkpoints stay
 * @param stopOnError whether the training ends when one cannot be written
 */
public record Saving(Every every, int keep, boolean stopOnError) {
  /** Checks the number. */
  public Saving {
    if (keep < 1) {
      throw Failure.usage("--keep must be 1 or more, got " + keep);
    }
  }
}
