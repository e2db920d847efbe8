package carousel.zoo.control;

import carousel.tensor.Philox;

/** A table of the value of each action in each state, one state after the other. */
final class QTable {
  private QTable() {}

  /** The value of the best action. */
  static double max(double[] q, int state) {
    return q[state * GridWorld.ACTIONS + greedy(q, state)];
  }

  /** The best action; the first of several. */
  static int greedy(double[] q, int state) {
    int from = state * GridWorld.ACTIONS;
    int best = 0;
    for (int a = 1; a < GridWorld.ACTIONS; a++) {
      if (q[from + a] > q[from + best]) {
        best = a;
      }
    }
    return best;
  }

  /** The best action, or any with probability ε. */
  static int explore(double[] q, int state, double epsilon, Philox rng) {
    return rng.nextDouble() < epsilon ? rng.nextInt(GridWorld.ACTIONS) : greedy(q, state);
  }
}
