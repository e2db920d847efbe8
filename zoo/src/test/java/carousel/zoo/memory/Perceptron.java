package carousel.zoo.memory;

import carousel.tensor.DType;
import carousel.zoo.plot.Axis;
import carousel.zoo.plot.Chart;
import carousel.zoo.system.About;
import carousel.zoo.system.Figure;
import carousel.zoo.system.Option;
import carousel.zoo.system.Outcome;
import carousel.zoo.system.Run;
import carousel.zoo.system.Saved;
import carousel.zoo.system.Seeded;
import carousel.zoo.system.ZooSystem;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * The perceptron: {@code w ← w + d x} for each point x of sign d that {@code sgn(w·x)} has wrong. On points at a distance
 * of γ or more from a plane it makes (R/γ)² mistakes at most, R their largest norm (Novikoff 1962).
 */
public final class Perceptron implements ZooSystem<Perceptron.Options> {
  /** What may be chosen. */
  public record Options(
      @Option(value = "Inputs", quick = "20", paper = "100", min = 1) int inputs,
      @Option(value = "Points to learn", quick = "500", min = 1) int points,
      @Option(value = "γ, the least distance from the plane", quick = "0.2", above = 0)
          double margin,
      @Option(value = "Of the points", quick = "1") long seed)
      implements Seeded {}

  /** There is one. */
  public Perceptron() {}

  @Override
  public About about() {
    return new About(
        "perceptron", "parts points by a plane", "Rosenblatt 1958, Psychological Review 65:386");
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<Figure> figures(Options options) {
    return List.of(
        Figure.of("errors", "points that are wrong in the end").atMost(0),
        Figure.of("mistakes", "made on the way, as a share of the most there can be")
            .atMost(1)
            .published("1 at most (Novikoff 1962)"));
  }

  @Override
  public Outcome run(Options options, Run run) throws IOException {
    var w = new double[options.inputs()];
    var history = run.history("reading", "mistakes", "bound");
    run.steps(
        1000,
        "reading",
        new Saved().with("w", w),
        reading -> {
          var rng = run.random(0); // the same points in every reading
          int mistakes = 0;
          double largest = 0.0;
          for (int p = 0; p < options.points(); p++) {
            var x = rng.normal(DType.F64, 0, 1, w.length).toDoubleArray();
            double side = Math.signum(x[0]); // of the plane x[0] = 0, from which it is moved away
            x[0] += side * options.margin();
            largest = Math.max(largest, dot(x, x));
            if (side * dot(w, x) > 0) {
              continue;
            }
            mistakes++;
            for (int i = 0; i < w.length; i++) {
              w[i] += side * x[i];
            }
          }
          history.add(reading + 1.0, mistakes, largest / (options.margin() * options.margin()));
        });
    var mistakes = history.column("mistakes");
    double all = Arrays.stream(mistakes).sum();
    return new Outcome()
        .figure("errors", mistakes[mistakes.length - 1])
        .figure("mistakes", all / history.column("bound")[0])
        .plot(
            "mistakes",
            Chart.of(
                    "The perceptron ends with no mistake",
                    Axis.of("reading", ""),
                    Axis.of("mistakes", ""))
                .curve("of a reading", history.column("reading"), mistakes));
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0.0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
