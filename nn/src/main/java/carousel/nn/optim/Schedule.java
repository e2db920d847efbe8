package carousel.nn.optim;

import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * A learning rate as a function of time alone: of the epoch or of the step, whichever the training
 * loop counts, from 0. Nothing is remembered, so a run that is taken up again needs only its count.
 *
 * <pre>{@code
 * var schedule = Schedule.cosine(1e-3, 1e-5, 10_000).warmedUp(500);
 * optimizer.learningRate(schedule.rate(step));
 * }</pre>
 *
 * <p>The schedules of PyTorch's {@code lr_scheduler}, in closed form; {@link Plateau} is the one that
 * depends on what was measured.
 */
@FunctionalInterface
public interface Schedule {
  /**
   * The learning rate at a time.
   *
   * @param k the epoch or step, from 0
   * @return the rate
   * @throws TensorException if k is negative, of the schedules that are made here
   */
  double rate(int k);

  private static Schedule fromZero(Schedule schedule) {
    return k -> {
      if (k < 0) {
        throw new TensorException("schedule: epochs and steps are counted from 0, got " + k);
      }
      return schedule.rate(k);
    };
  }

  /**
   * {@code base}.
   *
   * @param base the rate
   * @return the schedule
   */
  static Schedule constant(double base) {
    return fromZero(k -> base);
  }

  /**
   * {@code base · factor(k)}.
   *
   * @param base the rate where the factor is 1
   * @param factor of the time
   * @return the schedule
   */
  static Schedule lambda(double base, IntToDoubleFunction factor) {
    return fromZero(k -> base * factor.applyAsDouble(k));
  }

  /**
   * {@code base · decay^⌊k / every⌋}.
   *
   * @param base the first rate
   * @param every how long a rate holds
   * @param decay by what it is multiplied then
   * @return the schedule
   */
  static Schedule step(double base, int every, double decay) {
    Bounds.positive("schedule: the length of a step", every);
    return fromZero(k -> base * Math.pow(decay, Math.floorDiv(k, every)));
  }

  /**
   * {@code base · decay^n}, n the number of milestones reached.
   *
   * @param base the first rate
   * @param decay by what the rate is multiplied at each milestone
   * @param milestones when, in any order
   * @return the schedule
   */
  static Schedule multiStep(double base, double decay, int... milestones) {
    int[] times = milestones.clone();
    return fromZero(k -> {
      int reached = (int) Arrays.stream(times).filter(time -> time <= k).count();
      return base * Math.pow(decay, reached);
    });
  }

  /**
   * {@code base · decay^k}.
   *
   * @param base the first rate
   * @param decay by what the rate is multiplied each time
   * @return the schedule
   */
  static Schedule exponential(double base, double decay) {
    return fromZero(k -> base * Math.pow(decay, k));
  }

  /**
   * {@code base · decay^max(k + 1 − constant, 0)}: the rate holds for a number of epochs and decays
   * with each one after them (Zaremba, Sutskever and Vinyals 2014: 1, 0.5 and 4 in their small
   * setting).
   *
   * @param base the first rate
   * @param decay by what the rate is multiplied each time
   * @param constant how long the first rate holds
   * @return the schedule
   */
  static Schedule decayAfter(double base, double decay, int constant) {
    return fromZero(k -> base * Math.pow(decay, Math.max(k + 1 - constant, 0)));
  }

  /**
   * {@code low + ½ (base − low)(1 + cos(π k / length))} (Loshchilov and Hutter 2017), which rises
   * again beyond the length; {@link #until} ends it.
   *
   * @param base the first rate
   * @param low the rate at the length
   * @param length half a period
   * @return the schedule
   */
  static Schedule cosine(double base, double low, int length) {
    Bounds.positive("schedule: the length of the cosine", length);
    return fromZero(k -> low + (base - low) * (1 + Math.cos(Math.PI * k / length)) / 2);
  }

  /**
   * {@code base · (start + (end − start) · min(k, length) / length)}.
   *
   * @param base the rate where the factor is 1
   * @param start the first factor
   * @param end the factor from the length on
   * @param length how long the line is
   * @return the schedule
   */
  static Schedule linear(double base, double start, double end, int length) {
    Bounds.positive("schedule: the length of the line", length);
    return fromZero(k -> base * (start + (end - start) * Math.min(k, length) / length));
  }

  /**
   * This schedule times {@code min(1, (k + 1) / length)}: the rate grows with the first steps, of
   * which the last has it in full.
   *
   * @param length how many steps
   * @return the schedule
   */
  default Schedule warmedUp(int length) {
    Bounds.positive("schedule: the length of the warm-up", length);
    return fromZero(k -> rate(k) * Math.min(1, (k + 1.0) / length));
  }

  /**
   * This schedule up to a time, and its rate at that time from then on.
   *
   * @param end when it stops changing
   * @return the schedule
   */
  default Schedule until(int end) {
    Bounds.notNegative("schedule: when it ends", end);
    return fromZero(k -> rate(Math.min(k, end)));
  }

  /**
   * This schedule before a time, and another from it on, which counts from 0 there.
   *
   * @param start when the other one starts
   * @param next the other schedule
   * @return the schedule
   */
  default Schedule then(int start, Schedule next) {
    Bounds.notNegative("schedule: when the next one starts", start);
    return fromZero(k -> k < start ? rate(k) : next.rate(k - start));
  }
}
