package carousel.zoo.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.nn.optim.Adam;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.zoo.plot.Axis;
import carousel.zoo.plot.Chart;
import carousel.zoo.run.Every;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the frame does with a system: figures, passed or not, files, seeds, stopping and going on. */
class RunnerTest {
  @TempDir private Path folder;

  /** Learns {@code y = 2x + 1} by Adam, and remembers a number of its own. */
  static final class Line implements ZooSystem<Line.Options> {
    record Options(
        @Option(value = "Steps", quick = "40", tunable = true) int steps,
        @Option(value = "The worst error", quick = "10") double worst,
        @Option(value = "Of the points", quick = "1") long seed)
        implements Seeded {}

    @Override
    public About about() {
      return new About("line", "fits a line", "Gauss 1809");
    }

    @Override
    public Class<Options> options() {
      return Options.class;
    }

    @Override
    public List<Figure> figures(Options options) {
      return List.of(
          Figure.of("error", "mean square").atMost(options.worst()).published("0 (1809)"),
          Figure.of("sum", "of the steps' numbers"));
    }

    @Override
    public Outcome run(Options options, Run run) throws IOException {
      var model = Linear.of(1, 1, Init.xavierUniform(), Philox.of(options.seed()));
      var adam = Adam.of(model.parameters(), 0.1);
      var sum = new double[1];
      var history = run.history("step", "error");
      run.steps(
          options.steps(),
          "step",
          new Saved().with("line", model, adam).with("sum", sum),
          t -> {
            Tensor x = run.random(t).uniform(carousel.tensor.DType.F32, -1, 1, 8, 1);
            var gradients =
                carousel.autograd.Grad.of(
                    () -> model.apply(x).sub(x.mul(2).add(1)).square().mean(), model.parameters());
            adam.step(gradients);
            sum[0] += t;
            history.add((double) t, gradients.value().item());
          });
      var errors = history.column("error");
      return new Outcome()
          .figure("error", errors[errors.length - 1])
          .figure("sum", sum[0])
          .plot(
              "error",
              Chart.of("Error", Axis.of("step", ""), Axis.of("error", ""))
                  .curve("error", history.column("step"), errors));
    }
  }

  private final StringWriter out = new StringWriter();

  private Runner<Line.Options> runner(BooleanSupplier stop) {
    var screen = new PrintWriter(out);
    return new Runner<>(
        new Line(),
        new Saving(Every.parse("7"), 2, true),
        new Reporter(screen, screen, false),
        stop);
  }

  private static Map<String, String> values(String worst) {
    return Map.of("steps", "40", "worst", worst, "seed", "1");
  }

  @Test
  void stoppedAnywhereItEndsAtTheSameBits() throws IOException {
    var whole = folder.resolve("whole");
    var expected = runner(() -> false).begin(values("10"), new RunFolder(whole)).orElseThrow();
    assertThat(expected.values()).containsEntry("sum", 780.0);
    for (var each : new int[] {1, 5, 13}) {
      var parts = folder.resolve("parts-" + each);
      var left = new AtomicInteger(each);
      var run = runner(() -> left.decrementAndGet() < 0).begin(values("10"), new RunFolder(parts));
      while (run.isEmpty()) {
        left.set(each);
        run = runner(() -> left.decrementAndGet() < 0).resume(Map.of(), new RunFolder(parts));
      }
      assertThat(run.orElseThrow().values()).isEqualTo(expected.values());
      assertThat(SystemTrial.files(parts)).isEqualTo(SystemTrial.files(whole));
    }
    assertThat(out.toString())
        .contains("stopped    after 5 of 40 steps", "to go on:  ./carousel run line --resume ");
  }

  /** A kill leaves what the last checkpoint holds, and files of the steps after it. */
  @Test
  void killedItGoesOnFromItsLastCheckpoint() throws IOException {
    var whole = folder.resolve("whole");
    var parts = folder.resolve("parts");
    assertThat(runner(() -> false).begin(values("10"), new RunFolder(whole))).isPresent();
    var asked = new AtomicInteger();
    assertThatThrownBy(() ->
            runner(
                    () -> {
                      if (asked.incrementAndGet() > 25) {
                        throw new IllegalStateException("kill");
                      }
                      return false;
                    })
                .begin(values("10"), new RunFolder(parts)))
        .hasMessage("kill");
    assertThat(parts.resolve("figures.csv")).doesNotExist();
    assertThat(runner(() -> false).resume(Map.of(), new RunFolder(parts))).isPresent();
    assertThat(out.toString()).contains("goes on    after 21 steps");
    assertThat(SystemTrial.files(parts)).isEqualTo(SystemTrial.files(whole));
  }

  @Test
  void moreStepsEndAtTheBitsOfOneThatHadThemFromTheStart() throws IOException {
    var longer = new RunFolder(folder.resolve("longer"));
    runner(() -> false).begin(Map.of("steps", "12", "worst", "10", "seed", "1"), longer);
    assertThatThrownBy(() -> runner(() -> false).resume(Map.of("worst", "1"), longer))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("leave out --worst");
    assertThat(runner(() -> false).resume(Map.of("steps", "40"), longer)).isPresent();
    var whole = folder.resolve("whole");
    runner(() -> false).begin(values("10"), new RunFolder(whole));
    assertThat(SystemTrial.files(longer.path())).isEqualTo(SystemTrial.files(whole));
  }

  @Test
  void aFigureBeyondItsBoundIsNotPassed() throws IOException {
    var run = folder.resolve("run");
    var measured = runner(() -> false).begin(values("1e-9"), new RunFolder(run)).orElseThrow();
    assertThat(measured.passed()).isFalse();
    assertThat(out.toString()).contains("≤ 0.000000001", "✗", "0 (1809)", "FAILED     seed 1");
    assertThat(Files.readString(run.resolve("figures.csv")))
        .startsWith("figure,value,least,most,accepted,published,meaning\nerror,")
        .contains(",,1.0E-9,false,\"0 (1809)\",\"mean square\"\n");
    assertThat(Files.readString(run.resolve("settings.properties")))
        .isEqualTo("system = line\nsteps = 40\nworst = 1.0E-9\nseed = 1\n");
    assertThat(Files.readAllLines(run.resolve("history.csv"))).hasSize(41);
  }

  @Test
  void severalSeedsHaveAMeanAndASpread() throws IOException {
    var screen = new PrintWriter(out);
    var sweep = new Sweep<>(runner(() -> false), new Reporter(screen, screen, false));
    var seeds = List.of(1L, 2L, 5L);
    var summary = sweep.run(values("10"), seeds, folder).orElseThrow();
    var error = summary.figures().getFirst();
    var each = summary.runs().values().stream().mapToDouble(run -> run.of(error)).toArray();
    assertThat(each[0]).isNotEqualTo(each[1]);
    double mean = (each[0] + each[1] + each[2]) / 3;
    double spread = Math.sqrt((sq(each[0] - mean) + sq(each[1] - mean) + sq(each[2] - mean)) / 2);
    assertThat(summary.mean(error)).isEqualTo(mean);
    assertThat(summary.spread(error)).isEqualTo(spread);
    assertThat(summary.passed()).isTrue();
    assertThat(Files.readAllLines(folder.resolve("seeds.csv")).getFirst())
        .isEqualTo("figure,mean,spread,seed_1,seed_2,seed_5");
    assertThat(folder.resolve("seed-5/figures.csv")).exists();
    assertThat(out.toString()).contains("3 of 3", "passed     with 3 of 3 seeds");
  }

  private static double sq(double x) {
    return x * x;
  }

  @Test
  void aRunOfAnotherSystemIsRefused() throws IOException {
    var other = new RunFolder(folder.resolve("other"));
    runner(() -> false).begin(values("10"), other);
    assertThatThrownBy(() -> runner(() -> false).begin(values("10"), other))
        .hasMessageContaining("holds a run already");
    other.saveSettings(Map.of("system", "circle"));
    assertThatThrownBy(() -> runner(() -> false).resume(Map.of(), other))
        .hasMessageContaining("is a run of circle");
  }
}
