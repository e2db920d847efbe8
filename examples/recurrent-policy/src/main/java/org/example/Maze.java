package org.example;

import carousel.tensor.Philox;

/** Where one row of the batch is; a new episode follows the last. */
final class Maze {
  static final int FORWARD = 0, LEFT = 1, RIGHT = 2, ACTIONS = 3;
  static final double BUMP = -0.1;
  static final int SEEN = 4; // signs to the left and to the right, corridor, junction
  private final Philox rng;
  private int sign, place, length;
  boolean begins;

  Maze(Philox rng) {
    this.rng = rng;
    enter();
  }

  private void enter() {
    sign = LEFT + rng.nextInt(2);
    place = 0;
    length = 4 + rng.nextInt(9);
    begins = true;
  }

  void see(float[] into, int at) {
    into[at + (place == length ? 3 : 2)] = 1;
    if (place == 0) {
      into[at + sign - LEFT] = 1;
    }
  }

  /**
   * Returns the reward: 1 for the turn that the sign said, 0 for the other, less than that for a bump into a
   * wall.
   */
  double act(int action) {
    begins = false;
    boolean atEnd = place == length;
    if (atEnd == (action == FORWARD)) {
      return BUMP;
    }
    if (!atEnd) {
      place++;
      return 0;
    }
    double reward = action == sign ? 1 : 0;
    enter();
    return reward;
  }
}
