package carousel.zoo.control;

import carousel.zoo.plot.Axis;
import carousel.zoo.plot.Chart;
import carousel.zoo.plot.HeatMap;
import carousel.zoo.system.About;
import carousel.zoo.system.Figure;
import carousel.zoo.system.Option;
import carousel.zoo.system.Outcome;
import carousel.zoo.system.Run;
import carousel.zoo.system.Saved;
import carousel.zoo.system.Seeded;
import carousel.zoo.system.ZooSystem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Q-learning with a table: {@code Q(s, a) ← Q(s, a) + α (r + γ max Q(s', ·) − Q(s, a))}, acting by the best action but
 * for a share ε at random. It learns the shortest way along the edge of a cliff while it keeps falling off.
 *
 * <p>Source: C. J. C. H. Watkins and P. Dayan, Q-learning, Machine Learning 8:279 (1992); the world: {@link GridWorld}.
 */
public final class CliffWalking implements ZooSystem<CliffWalking.Options> {
  private static final int LONGEST = 10_000;
  private static final String[] ARROWS = {"↑", "→", "↓", "←"};

  /**
   * What may be chosen.
   *
   * @param width of the grid
   * @param height of the grid
   * @param episodes how many are learned from
   * @param rate α
   * @param discount γ
   * @param epsilon ε
   * @param anywhere whether an episode begins in any state
   * @param seed of what is tried
   */
  public record Options(
      @Option(value = "Columns of the grid", quick = "12", min = 3, max = 1000) int width,
      @Option(value = "Rows of the grid", quick = "4", min = 2, max = 1000) int height,
      @Option(value = "Episodes to learn from", quick = "1000", paper = "500", min = 1)
          int episodes,
      @Option(
              value = "α, how far a value moves to what was seen",
              quick = "0.5",
              above = 0,
              max = 1)
          double rate,
      @Option(value = "γ, what a reward is worth a step later", quick = "1", above = 0, max = 1)
          double discount,
      @Option(value = "ε, the share of actions at random", quick = "0.1", min = 0, max = 1)
          double epsilon,
      @Option(value = "Whether an episode begins in any state", quick = "true", paper = "false")
          boolean anywhere,
      @Option(value = "Of the actions at random", quick = "1") long seed)
      implements Seeded {}

  /** There is one. */
  public CliffWalking() {}

  @Override
  public About about() {
    return new About(
        "q-learning",
        "learns the shortest way along a cliff with a table of values, to the optimal policy",
        "Watkins & Dayan 1992, Machine Learning 8:279; Sutton & Barto 2018, example 6.6");
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<Figure> figures(Options options) {
    var known = new GridWorld(options.width(), options.height()).known();
    return List.of(
        Figure.of("greedy-return", "rewards from the start to the goal by what was learned")
            .atLeast(known.best())
            .atMost(known.best())
            .published("−13, the optimal path (2018, example 6.6)"),
        Figure.of("best-return", "the best there is, by value iteration"),
        Figure.of("optimal-states", "share of states where the learned action is an optimal one")
            .atLeast(options.anywhere() ? 1 : 0.25),
        Figure.of("value-error", "largest error of a value along the learned way").atMost(0.01),
        Figure.of("online-return", "mean rewards of an episode in the second half of learning")
            .published(options.anywhere() ? "" : "about −50 (2018, example 6.6, by its plot)"));
  }

  @Override
  public Outcome run(Options options, Run run) throws IOException {
    var world = new GridWorld(options.width(), options.height());
    var q = new double[world.states() * GridWorld.ACTIONS];
    var best = world.best();
    var history = run.history("episode", "steps", "return", "lost");
    run.steps(
        options.episodes(),
        "episode",
        new Saved().with("q", q),
        episode -> {
          var rng = run.random(episode);
          int state = world.start();
          if (options.anywhere()) {
            do {
              state = rng.nextInt(world.states());
            } while (state == world.goal() || world.isCliff(state));
          }
          double possible = QTable.max(best, state);
          double rewards = 0.0;
          int steps = 0;
          for (; state != world.goal() && steps < LONGEST; steps++) {
            int action = QTable.explore(q, state, options.epsilon(), rng);
            var step = world.step(state, action);
            double target = step.reward() + options.discount() * QTable.max(q, step.state());
            int at = state * GridWorld.ACTIONS + action;
            q[at] += options.rate() * (target - q[at]);
            rewards += step.reward();
            state = step.state();
          }
          history.add(episode + 1.0, steps, rewards, possible - rewards);
        });
    var way = way(world, q);
    var returns = history.column("return");
    return new Outcome()
        .figure("greedy-return", rewards(world, q))
        .figure("best-return", world.known().best())
        .figure("optimal-states", optimal(world, q, best))
        .figure(
            "value-error",
            way.stream()
                .mapToDouble(s -> Math.abs(QTable.max(q, s) - QTable.max(best, s)))
                .max()
                .orElseThrow())
        .figure(
            "online-return",
            Arrays.stream(returns, returns.length / 2, returns.length).average().orElseThrow())
        .plot("return", learning(history.column("episode"), history.column("lost")))
        .plot("policy", policy(world, q));
  }

  /** The states from the start on by the best actions, before the goal. */
  private static List<Integer> way(GridWorld world, double[] q) {
    var way = new ArrayList<Integer>();
    for (int s = world.start(); s != world.goal() && way.size() < world.states(); ) {
      way.add(s);
      s = world.step(s, QTable.greedy(q, s)).state();
    }
    return way;
  }

  /** What that way gives; one that does not end has no return. */
  private static double rewards(GridWorld world, double[] q) {
    var way = way(world, q);
    if (way.size() == world.states()) {
      return Double.NEGATIVE_INFINITY;
    }
    return way.stream().mapToDouble(s -> world.step(s, QTable.greedy(q, s)).reward()).sum();
  }

  private static double optimal(GridWorld world, double[] q, double[] best) {
    var states =
        IntStream.range(0, world.states())
            .filter(s -> s != world.goal() && !world.isCliff(s))
            .toArray();
    long right =
        Arrays.stream(states)
            .filter(s -> best[s * GridWorld.ACTIONS + QTable.greedy(q, s)] == QTable.max(best, s))
            .count();
    return (double) right / states.length;
  }

  private static Chart learning(double[] episodes, double[] lost) {
    int window = Math.max(1, lost.length / 50);
    int count = lost.length / window;
    var x = new double[count];
    var y = new double[count];
    for (int i = 0; i < count; i++) {
      x[i] = episodes[(i + 1) * window - 1];
      y[i] = Arrays.stream(lost, i * window, (i + 1) * window).average().orElseThrow();
    }
    return Chart.of(
            "Q-learning keeps falling off the cliff, as it never stops exploring",
            Axis.of("episode", ""),
            Axis.of("lost against the best policy", "rewards"))
        .curve(String.format(Locale.ROOT, "mean of %d episodes", window), x, y)
        .level("the best policy, by value iteration", 0);
  }

  private static HeatMap policy(GridWorld world, double[] q) {
    var values = new double[world.height()][world.width()];
    var actions = new ArrayList<List<String>>();
    for (int y = 0; y < world.height(); y++) {
      var row = new ArrayList<String>();
      for (int x = 0; x < world.width(); x++) {
        int s = y * world.width() + x;
        values[y][x] = world.isCliff(s) ? Double.NaN : QTable.max(q, s);
        row.add(
            world.isCliff(s) ? "cliff" : s == world.goal() ? "goal" : ARROWS[QTable.greedy(q, s)]);
      }
      actions.add(row);
    }
    return HeatMap.of(
            "What was learned: the value of each place, and the way to go from there",
            Axis.of("column", ""),
            Axis.of("row", ""),
            Axis.of("value", "rewards"),
            values)
        .texts(actions);
  }
}
