package org.example;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.loss.Reduction;
import carousel.nn.optim.Adam;
import carousel.nn.recurrent.CarriedState;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;

/**
 * A T-maze (Bakker 2002): a sign at the entrance says whether to turn left or right at the end of a corridor,
 * where it cannot be seen any more. REINFORCE with a learned baseline (Williams 1992) trains an LSTM on
 * windows that are shorter than some episodes: the state is carried from window to window, and starts anew
 * where an episode does.
 */
public final class TMaze {
  static final int ROWS = 64, WINDOW = 16, WINDOWS = 400;
  static final double DISCOUNT = 0.95;

  record Policy(Recurrent<?> memory, Linear actor, Linear critic) implements Layer {
    static Policy of(Philox rng) {
      var init = Init.xavierUniform();
      return new Policy(
          Recurrent.of(Lstm.of(Maze.SEEN, 24, init, rng).withForgetBias(1)),
          Linear.of(24, Maze.ACTIONS, Init.xavierUniform(0.1), rng),
          Linear.of(24, 1, init, rng));
    }
  }

  public static void main(String[] args) {
    try (var _ = TensorScope.open()) {
      var policy = Policy.of(Philox.of(1));
      var parameters = policy.parameters();
      var adam = Adam.of(parameters, 0.005);
      var mazes = new Maze[ROWS];
      for (int n = 0; n < ROWS; n++) {
        mazes[n] = new Maze(Philox.of(2).split(n));
      }
      var rng = Philox.of(3);
      var carried = new CarriedState();
      var recent = new Tally();
      for (int w = 1; w <= WINDOWS; w++) {
        try (var _ = TensorScope.open()) {
          Window window = act(policy, mazes, carried.now(), rng, recent);
          var gradients =
              Grad.of(
                  () -> {
                    // The window once more, in one run, this time for gradients.
                    var run = policy.memory().run(window.seen(), window.marks(), carried.now());
                    carried.endWith(run.states());
                    Tensor value = policy.critic().apply(run.y()).squeeze(Tensor.LAST);
                    Tensor logits = policy.actor().apply(run.y());
                    Tensor returns = window.returns(value.detach());
                    Tensor advantage = returns.sub(value.detach());
                    Tensor surprise = Loss.crossEntropy(logits, window.actions(), Reduction.NONE);
                    Tensor entropy =
                        logits.softmax(-1).mul(logits.logSoftmax(-1)).sum(-1).neg().mean();
                    return surprise
                        .mul(advantage)
                        .mean() // −ln π(a) (R − b)
                        .add(Loss.mse(value, returns).mul(0.5))
                        .sub(entropy.mul(0.01));
                  },
                  parameters);
          adam.step(gradients.clipNorm(1));
          carried.advance();
        }
        if (w % 50 == 0) {
          System.out.printf(
              "window %3d  reward per episode %.3f of %d%n", w, recent.mean(), recent.episodes);
          if (w < WINDOWS) {
            recent = new Tally();
          }
        }
      }
      System.out.printf(
          "reward per episode %.3f; the best possible is 1, without memory 0.5%n", recent.mean());
    }
  }

  static final class Tally {
    double reward;
    int episodes;

    double mean() {
      return reward / episodes;
    }
  }

  /** Acts for a window, step by step, and remembers it. */
  static Window act(
      Policy policy, Maze[] mazes, List<RecurrentState> state, Philox rng, Tally tally) {
    var seen = new float[WINDOW][ROWS * Maze.SEEN];
    var begins = new boolean[WINDOW][ROWS];
    var actions = new int[WINDOW][];
    var rewards = new double[WINDOW][ROWS];
    var ended = new boolean[WINDOW][ROWS];
    for (int t = 0; t < WINDOW; t++) {
      for (int n = 0; n < ROWS; n++) {
        mazes[n].see(seen[t], n * Maze.SEEN);
        begins[t][n] = mazes[n].begins;
      }
      try (var step = TensorScope.open()) {
        Tensor x = Tensor.of(Shape.of(1, ROWS, Maze.SEEN), seen[t]);
        var run =
            policy
                .memory()
                .run(x, Marks.none().withResets(Tensor.of(Shape.of(1, ROWS), begins[t])), state);
        actions[t] = rng.categorical(policy.actor().apply(run.last())).toIntArray();
        state = run.keepStates(step); // the next step begins with them
      }
      for (int n = 0; n < ROWS; n++) {
        rewards[t][n] = mazes[n].act(actions[t][n]);
        ended[t][n] = mazes[n].begins;
        tally.reward += rewards[t][n];
        if (ended[t][n]) {
          tally.episodes++;
        }
      }
    }
    Tensor x = Tensor.of(Shape.of(WINDOW, ROWS, Maze.SEEN), flat(seen));
    return new Window(
        x, Marks.none().withResets(Tensor.of(begins)), Tensor.of(actions), rewards, ended);
  }

  /** {@code seen [T,N,D], actions [T,N]}. */
  record Window(Tensor seen, Marks marks, Tensor actions, double[][] rewards, boolean[][] ended) {
    /**
     * Discounted rewards to the end of the episode. Where the window cuts it off, the value of the last step
     * stands for what comes; so that step itself is not learnt from.
     */
    Tensor returns(Tensor value) {
      double[] values = value.cast(DType.F64).select(0, WINDOW - 1).toDoubleArray();
      var returns = new float[WINDOW * ROWS];
      for (int n = 0; n < ROWS; n++) {
        double next = values[n];
        for (int t = WINDOW - 1; t >= 0; t--) {
          if (t < WINDOW - 1) {
            next = rewards[t][n] + (ended[t][n] ? 0 : DISCOUNT * next);
          }
          returns[t * ROWS + n] = (float) next;
        }
      }
      return Tensor.of(Shape.of(WINDOW, ROWS), returns);
    }
  }

  static float[] flat(float[][] rows) {
    var flat = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
    }
    return flat;
  }
}
