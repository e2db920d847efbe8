package carousel.nn.optim;

/**
 * A learning rate that falls when a measurement no longer improves: after more than {@code patience}
 * measurements in a row that are not better than the best, {@code rate ← max(rate · factor, least)}.
 *
 * <pre>{@code
 * plateau = plateau.after(validationLoss);
 * optimizer.learningRate(plateau.rate());
 * }</pre>
 *
 * <p>Immutable: what it remembers are its components, so a checkpoint holds {@code rate}, {@code
 * best}, {@code waited} and {@code resting}. A measurement that is not a number is not better.
 *
 * <p>A threshold is a share of the magnitude of the best, or an absolute difference: either way a measure
 * may be negative, as a log likelihood is.
 *
 * <p>Source: PyTorch's {@code ReduceLROnPlateau}, which also leaves a change below 10⁻⁸ undone, but takes a
 * share of a negative best in the wrong direction, so that anything counts as better.
 *
 * @param settings when and by how much
 * @param rate the learning rate now
 * @param best the best measurement so far
 * @param waited how many measurements in a row were not better
 * @param resting how many more measurements do not count after a fall
 */
public record Plateau(Settings settings, double rate, double best, int waited, int resting) {
  private static final double LEAST_CHANGE = 1e-8;

  /**
   * When the rate falls, and by how much.
   *
   * @param factor by what it is multiplied, below 1
   * @param patience how many measurements that are not better are borne
   * @param threshold by what a measurement must be better than the best
   * @param relative whether the threshold is a share of |best|, or a difference
   * @param maximize whether greater is better
   * @param cooldown how many measurements after a fall do not count
   * @param least what the rate never falls below
   */
  public record Settings(
      double factor,
      int patience,
      double threshold,
      boolean relative,
      boolean maximize,
      int cooldown,
      double least) {
    /** Checks the factor, the threshold and the least rate. */
    public Settings {
      Bounds.decay("plateau: factor", factor);
      Bounds.notNegative("plateau: threshold", threshold);
      Bounds.notNegative("plateau: least rate", least);
    }
  }

  /**
   * Smaller is better, by a share of 10⁻⁴; no cooldown.
   *
   * @param rate the first learning rate
   * @param factor by what it is multiplied at a fall, below 1
   * @param patience how many measurements that are not better are borne
   * @return the schedule at its start
   */
  public static Plateau of(double rate, double factor, int patience) {
    return of(rate, new Settings(factor, patience, 1e-4, true, false, 0, 0));
  }

  /**
   * A schedule at its start.
   *
   * @param rate the first learning rate
   * @param settings when it falls, and by how much
   * @return the schedule
   */
  public static Plateau of(double rate, Settings settings) {
    double worst = settings.maximize ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    return new Plateau(settings, rate, worst, 0, 0);
  }

  /**
   * The schedule after one more measurement.
   *
   * @param measured e.g. the loss on the validation set
   * @return the schedule, whose {@link #rate} is the next one
   */
  public Plateau after(double measured) {
    boolean better = isBetter(measured);
    int bad = better || resting > 0 ? 0 : waited + 1;
    double top = better ? measured : best;
    int rest = Math.max(0, resting - 1);
    if (bad <= settings.patience) {
      return new Plateau(settings, rate, top, bad, rest);
    }
    double lower = Math.max(rate * settings.factor, settings.least);
    double next = rate - lower > LEAST_CHANGE ? lower : rate;
    return new Plateau(settings, next, top, 0, settings.cooldown);
  }

  private boolean isBetter(double measured) {
    if (Double.isInfinite(best)) {
      return settings.maximize ? measured > best : measured < best;
    }
    double sign = settings.maximize ? 1 : -1;
    // A share of |best|: times 1 + threshold, a mark below a negative best would lie above it.
    double mark =
        settings.relative
            ? best * (1 + sign * Math.signum(best) * settings.threshold)
            : best + sign * settings.threshold;
    return settings.maximize ? measured > mark : measured < mark;
  }
}
