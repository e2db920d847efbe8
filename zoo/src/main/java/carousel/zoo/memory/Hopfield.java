package carousel.zoo.memory;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.zoo.plot.Axis;
import carousel.zoo.plot.Chart;
import carousel.zoo.plot.HeatMap;
import carousel.zoo.run.History;
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
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The Hopfield network, as {@link HebbianNetwork} has it: random patterns are recalled from noisy cues as long as there
 * are fewer than about 0.14 N of them; above, all are lost at once.
 *
 * <p>Source: J. J. Hopfield, PNAS 79:2554 (1982); the load at the knee: D. J. Amit, H. Gutfreund and H. Sompolinsky,
 * Phys. Rev. Lett. 55:1530 (1985).
 */
public final class Hopfield implements ZooSystem<Hopfield.Options> {
  private static final double KNEE = 0.138;
  private static final double RECALLED = 0.9;
  private static final double[] NOISES = {0, 0.1, 0.2, 0.3, 0.4};
  private static final int USUAL = 1;

  /** Loads of 0.10 and 0.20 among those there are. */
  private static final int BELOW = 9;

  private static final int ABOVE = 19;
  private static final double[] LOADS =
      IntStream.rangeClosed(1, 24).mapToDouble(i -> i / 100.0).toArray();

  /**
   * What may be chosen.
   *
   * @param neurons N
   * @param trials networks for each load
   * @param probes patterns of a network that are recalled
   * @param seed of all
   */
  public record Options(
      @Option(value = "Neurons, N", quick = "1000", paper = "3000", small = "500", min = 50)
          int neurons,
      @Option(value = "Networks for each load", quick = "5", paper = "10", small = "2", min = 1)
          int trials,
      @Option(
              value = "Patterns of each network that are recalled",
              quick = "10",
              paper = "20",
              min = 1)
          int probes,
      @Option(value = "Of the patterns, the noise, and the order of updates", quick = "1")
          long seed)
      implements Seeded {}

  /** There is one. */
  public Hopfield() {}

  @Override
  public About about() {
    return new About(
        "hopfield",
        "recalls noisy patterns by the Hebbian rule, up to a load of about 0.14 N",
        "Hopfield 1982, PNAS 79:2554; Amit, Gutfreund & Sompolinsky 1985, PRL 55:1530");
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<Figure> figures(Options options) {
    return List.of(
        Figure.of("knee", "load P/N at which half of the patterns are recalled")
            .atLeast(0.13)
            .atMost(0.17)
            .published("0.138 for N → ∞ (1985), about 0.15 (1982)"),
        Figure.of("overlap-below", "mean overlap with the pattern at a load of 0.10")
            .atLeast(0.98)
            .published(limit(BELOW) + " for N → ∞ (equations of 1985)"),
        Figure.of("overlap-above", "the same at a load of 0.20").atMost(0.7),
        Figure.of("recalled-below", "share of the patterns recalled at a load of 0.10")
            .atLeast(0.97));
  }

  private static String limit(int load) {
    return String.format(Locale.ROOT, "%.3f", HebbianNetwork.limit(LOADS[load]));
  }

  @Override
  public Outcome run(Options options, Run run) throws IOException {
    var columns = new ArrayList<>(List.of("load", "trial", "overlap"));
    for (var noise : NOISES) {
      columns.add(String.format(Locale.ROOT, "recalled_%.1f", noise));
    }
    var history = run.history(columns.toArray(String[]::new));
    run.steps(
        (long) LOADS.length * options.trials(),
        "network",
        new Saved(),
        t -> {
          double load = LOADS[(int) (t / options.trials())];
          var row = new double[columns.size()];
          row[0] = load;
          row[1] = t % options.trials();
          trial(options, load, run.random(t), row);
          history.add(row);
        });
    var recalled = means(history, column(USUAL));
    var overlap = means(history, "overlap");
    return new Outcome()
        .figure("knee", knee(recalled))
        .figure("overlap-below", overlap[BELOW])
        .figure("overlap-above", overlap[ABOVE])
        .figure("recalled-below", recalled[BELOW])
        .plot("recall", curves(options, history))
        .plot("noise", noises(options, history));
  }

  private static String column(int noise) {
    return String.format(Locale.ROOT, "recalled_%.1f", NOISES[noise]);
  }

  /** One network: the mean overlap at the usual noise, and the share that is recalled at each. */
  private static void trial(Options options, double load, Philox rng, double[] row) {
    int n = options.neurons();
    Tensor patterns = signs(0.5, rng, (int) Math.round(load * n), n);
    var network = new HebbianNetwork(patterns);
    int probes = Math.min(options.probes(), patterns.dim(0));
    Tensor wanted = patterns.slice(0, 0, probes, 1);
    for (int k = 0; k < NOISES.length; k++) {
      Tensor cues = wanted.mul(signs(NOISES[k], rng, probes, n));
      var overlaps = overlaps(network.recall(cues, rng), wanted.toFloatArray(), n);
      if (k == USUAL) {
        row[2] = Arrays.stream(overlaps).average().orElseThrow();
      }
      row[3 + k] = Arrays.stream(overlaps).filter(m -> m >= RECALLED).count() / (double) probes;
    }
  }

  /** [rows,n] of 1, and of −1 with a probability. */
  private static Tensor signs(double probability, Philox rng, int rows, int n) {
    return rng.bernoulli(probability, rows, n).cast(DType.F32).mul(-2).add(1);
  }

  /** {@code m = ξ·s / N} of each. */
  private static double[] overlaps(float[] states, float[] wanted, int n) {
    var overlaps = new double[states.length / n];
    for (int i = 0; i < states.length; i++) {
      overlaps[i / n] += states[i] * wanted[i] / n;
    }
    return overlaps;
  }

  /** The mean of a column at each load. */
  private static double[] means(History history, String name) {
    return by(history, name, values -> Arrays.stream(values).average().orElseThrow());
  }

  private static double[] by(History history, String name, ToDoubleFunction<double[]> reduce) {
    int trials = history.size() / LOADS.length;
    var values = history.column(name);
    return IntStream.range(0, LOADS.length)
        .mapToDouble(
            i -> reduce.applyAsDouble(Arrays.copyOfRange(values, i * trials, (i + 1) * trials)))
        .toArray();
  }

  /** Where the recall falls through a half, between two loads. */
  private static double knee(double[] recalled) {
    for (int i = 1; i < recalled.length; i++) {
      if (recalled[i] < 0.5 && recalled[i - 1] >= 0.5) {
        double part = (recalled[i - 1] - 0.5) / (recalled[i - 1] - recalled[i]);
        return LOADS[i - 1] + part * (LOADS[i] - LOADS[i - 1]);
      }
    }
    return Double.NaN;
  }

  private static Chart curves(Options options, History history) {
    var fine = IntStream.rangeClosed(1, 240).mapToDouble(i -> i / 1000.0).toArray();
    return Chart.of(
            String.format(
                Locale.ROOT,
                "Recall by %d neurons breaks down near a load of 0.14",
                options.neurons()),
            Axis.of("load: patterns / neurons", ""),
            Axis.of("overlap, share; cues with 10 % flipped", "").within(0, 1.04))
        .curve(
            "overlap with the pattern, ± deviation of a network",
            LOADS,
            means(history, "overlap"),
            by(history, "overlap", Hopfield::deviation))
        .curve("share of patterns recalled", LOADS, means(history, column(USUAL)))
        .curve("overlap for N → ∞", fine, Arrays.stream(fine).map(HebbianNetwork::limit).toArray())
        .mark("critical load, 0.138", KNEE);
  }

  private static double deviation(double... values) {
    double mean = Arrays.stream(values).average().orElseThrow();
    return Math.sqrt(
        Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElseThrow());
  }

  private static HeatMap noises(Options options, History history) {
    var cells = new double[NOISES.length][];
    for (int k = 0; k < NOISES.length; k++) {
      cells[NOISES.length - 1 - k] = means(history, column(k));
    }
    return HeatMap.of(
            String.format(
                Locale.ROOT, "What %d neurons recall, by load and noise", options.neurons()),
            Axis.of("load: patterns / neurons", ""),
            Axis.of("flipped in the cue", "%"),
            Axis.of("recalled", "").within(0, 1),
            cells)
        .names(
            Arrays.stream(LOADS).mapToObj(x -> String.format(Locale.ROOT, "%.2f", x)).toList(),
            Arrays.stream(NOISES)
                .mapToObj(x -> String.format(Locale.ROOT, "%.0f", 100 * x))
                .toList()
                .reversed());
  }
}
