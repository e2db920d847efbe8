package carousel.zoo.control;

import carousel.zoo.data.Known;
import java.util.Locale;

/**
 * A grid with a cliff along its lower edge: every step costs 1, one over the cliff costs 100 and leads back to the start,
 * which is at the lower left; the lower right is the goal. Steps against the wall stay where they are.
 *
 * <p>Source: R. S. Sutton and A. G. Barto, Reinforcement Learning, 2nd edition (2018), example 6.6.
 *
 * @param width columns, 3 or more
 * @param height rows, 2 or more
 */
public record GridWorld(int width, int height) {
  /** Up, right, down, left. */
  public static final int ACTIONS = 4;

  private static final int[] RIGHT = {0, 1, 0, -1};
  private static final int[] DOWN = {-1, 0, 1, 0};
  private static final double FALL = -100;

  /** Checks the size. */
  public GridWorld {
    if (width < 3 || height < 2) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "no cliff fits into %d × %d", width, height));
    }
  }

  /**
   * What a step gives.
   *
   * @param state the next
   * @param reward for getting there
   */
  public record Step(int state, double reward) {}

  /**
   * How many states there are, row by row from the upper left.
   *
   * @return width × height
   */
  public int states() {
    return width * height;
  }

  /**
   * Where every episode begins.
   *
   * @return the lower left
   */
  public int start() {
    return (height - 1) * width;
  }

  /**
   * Where every episode ends.
   *
   * @return the lower right
   */
  public int goal() {
    return states() - 1;
  }

  /**
   * Whether nobody ever stands there.
   *
   * @param state a state
   * @return whether it is the cliff
   */
  public boolean isCliff(int state) {
    return state > start() && state < goal();
  }

  /**
   * One step.
   *
   * @param state where from
   * @param action which way
   * @return where to, and what that gives
   */
  public Step step(int state, int action) {
    int x = Math.clamp(state % width + RIGHT[action], 0, width - 1);
    int y = Math.clamp(state / width + DOWN[action], 0, height - 1);
    int next = y * width + x;
    return isCliff(next) ? new Step(start(), FALL) : new Step(next, -1);
  }

  /**
   * The value of every action in every state under the best policy, {@code Q*(s, a) = r + max Q*(s', ·)}, by value
   * iteration until nothing changes.
   *
   * @return {@code [states · ACTIONS]}; 0 at the goal
   */
  public double[] best() {
    var q = new double[states() * ACTIONS];
    for (boolean changed = true; changed; ) {
      changed = false;
      for (int state = 0; state < states(); state++) {
        if (state == goal() || isCliff(state)) {
          continue;
        }
        for (int action = 0; action < ACTIONS; action++) {
          var step = step(state, action);
          double value = step.reward() + QTable.max(q, step.state());
          if (value != q[state * ACTIONS + action]) {
            q[state * ACTIONS + action] = value;
            changed = true;
          }
        }
      }
    }
    return q;
  }

  /**
   * The world with the best return there is from its start.
   *
   * @return known by value iteration
   */
  public Known<GridWorld> known() {
    return new Known<>(
        this, QTable.max(best(), start()), "return of an episode", "value iteration, to its end");
  }
}
