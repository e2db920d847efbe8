import carousel.tensor.Tensor;
package carousel.zoo.system;
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
import static org.assertj.core.api.Assertions.assertThat;
import carousel.tensor.Tensor;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
import carousel.nn.init.Init;
import carousel.tensor.Tensor;
import carousel.nn.layer.Linear;
import carousel.tensor.Tensor;
import carousel.nn.optim.Adam;
import carousel.tensor.Tensor;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.zoo.plot.Axis;
import carousel.tensor.Tensor;
import carousel.zoo.plot.Chart;
import carousel.tensor.Tensor;
import carousel.zoo.run.Every;
import carousel.tensor.Tensor;
import carousel.zoo.run.Failure;
import carousel.tensor.Tensor;
import carousel.zoo.run.Reporter;
import carousel.tensor.Tensor;
import carousel.zoo.run.RunFolder;
import carousel.tensor.Tensor;
import carousel.zoo.run.Saving;
import carousel.tensor.Tensor;
import java.io.IOException;
import carousel.tensor.Tensor;
import java.io.PrintWriter;
import carousel.tensor.Tensor;
import java.io.StringWriter;
import carousel.tensor.Tensor;
import java.nio.file.Files;
import carousel.tensor.Tensor;
import java.nio.file.Path;
import carousel.tensor.Tensor;
import java.util.List;
import carousel.tensor.Tensor;
import java.util.Map;
import carousel.tensor.Tensor;
import java.util.concurrent.atomic.AtomicInteger;
import carousel.tensor.Tensor;
import java.util.function.BooleanSupplier;
import carousel.tensor.Tensor;
import org.junit.jupiter.api.Test;
import carousel.tensor.Tensor;
import org.junit.jupiter.api.io.TempDir;
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
/** What the frame does with a system: figures, passed or not, files, seeds, stopping and going on. */
import carousel.tensor.Tensor;
class RunnerTest {
import carousel.tensor.Tensor;
  @TempDir private Path folder;
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  /** Learns {@code y = 2x + 1} by Adam, and remembers a number of its own. */
import carousel.tensor.Tensor;
  static final class Line implements ZooSystem<Line.Options> {
import carousel.tensor.Tensor;
    record Options(
import carousel.tensor.Tensor;
        @Option(value = "Steps", quick = "40", tunable = true) int steps,
import carousel.tensor.Tensor;
        @Option(value = "The worst error", quick = "10") double worst,
import carousel.tensor.Tensor;
        @Option(value = "Of the points", quick = "1") long seed)
import carousel.tensor.Tensor;
        implements Seeded {}
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
    @Override
import carousel.tensor.Tensor;
    public About about() {
import carousel.tensor.Tensor;
      return new About("line", "fits a line", "Gauss 1809");
import carousel.tensor.Tensor;
    }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
    @Override
import carousel.tensor.Tensor;
    public Class<Options> options() {
import carousel.tensor.Tensor;
      return Options.class;
import carousel.tensor.Tensor;
    }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
    @Override
import carousel.tensor.Tensor;
    public List<Figure> figures(Options options) {
import carousel.tensor.Tensor;
      return List.of(
import carousel.tensor.Tensor;
          Figure.of("error", "mean square").atMost(options.worst()).published("0 (1809)"),
import carousel.tensor.Tensor;
          Figure.of("sum", "of the steps' numbers"));
import carousel.tensor.Tensor;
    }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
    @Override
import carousel.tensor.Tensor;
    public Outcome run(Options options, Run run) throws IOException {
import carousel.tensor.Tensor;
      var model = Linear.of(1, 1, Init.xavierUniform(), Philox.of(options.seed()));
import carousel.tensor.Tensor;
      var adam = Adam.of(model.parameters(), 0.1);
import carousel.tensor.Tensor;
      var sum = new double[1];
import carousel.tensor.Tensor;
      var history = run.history("step", "error");
import carousel.tensor.Tensor;
      run.steps(
import carousel.tensor.Tensor;
          options.steps(),
import carousel.tensor.Tensor;
          "step",
import carousel.tensor.Tensor;
          new Saved().with("line", model, adam).with("sum", sum),
import carousel.tensor.Tensor;
          t -> {
import carousel.tensor.Tensor;
            Tensor x = run.random(t).uniform(carousel.tensor.DType.F32, -1, 1, 8, 1);
import carousel.tensor.Tensor;
            var gradients =
import carousel.tensor.Tensor;
                carousel.autograd.Grad.of(
import carousel.tensor.Tensor;
                    () -> model.apply(x).sub(x.mul(2).add(1)).square().mean(), model.parameters());
import carousel.tensor.Tensor;
            adam.step(gradients);
import carousel.tensor.Tensor;
            sum[0] += t;
import carousel.tensor.Tensor;
            history.add((double) t, gradients.value().item());
import carousel.tensor.Tensor;
          });
import carousel.tensor.Tensor;
      var errors = history.column("error");
import carousel.tensor.Tensor;
      return new Outcome()
import carousel.tensor.Tensor;
          .figure("error", errors[errors.length - 1])
import carousel.tensor.Tensor;
          .figure("sum", sum[0])
import carousel.tensor.Tensor;
          .plot(
import carousel.tensor.Tensor;
              "error",
import carousel.tensor.Tensor;
              Chart.of("Error", Axis.of("step", ""), Axis.of("error", ""))
import carousel.tensor.Tensor;
                  .curve("error", history.column("step"), errors));
import carousel.tensor.Tensor;
    }
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  private final StringWriter out = new StringWriter();
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  private Runner<Line.Options> runner(BooleanSupplier stop) {
import carousel.tensor.Tensor;
    var screen = new PrintWriter(out);
import carousel.tensor.Tensor;
    return new Runner<>(
import carousel.tensor.Tensor;
        new Line(),
import carousel.tensor.Tensor;
        new Saving(Every.parse("7"), 2, true),
import carousel.tensor.Tensor;
        new Reporter(screen, screen, false),
import carousel.tensor.Tensor;
        stop);
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  private static Map<String, String> values(String worst) {
import carousel.tensor.Tensor;
    return Map.of("steps", "40", "worst", worst, "seed", "1");
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  @Test
import carousel.tensor.Tensor;
  void stoppedAnywhereItEndsAtTheSameBits() throws IOException {
import carousel.tensor.Tensor;
    var whole = folder.resolve("whole");
import carousel.tensor.Tensor;
    var expected = runner(() -> false).begin(values("10"), new RunFolder(whole)).orElseThrow();
import carousel.tensor.Tensor;
    assertThat(expected.values()).containsEntry("sum", 780.0);
import carousel.tensor.Tensor;
    for (var each : new int[] {1, 5, 13}) {
import carousel.tensor.Tensor;
      var parts = folder.resolve("parts-" + each);
import carousel.tensor.Tensor;
      var left = new AtomicInteger(each);
import carousel.tensor.Tensor;
      var run = runner(() -> left.decrementAndGet() < 0).begin(values("10"), new RunFolder(parts));
import carousel.tensor.Tensor;
      while (run.isEmpty()) {
import carousel.tensor.Tensor;
        left.set(each);
import carousel.tensor.Tensor;
        run = runner(() -> left.decrementAndGet() < 0).resume(Map.of(), new RunFolder(parts));
import carousel.tensor.Tensor;
      }
import carousel.tensor.Tensor;
      assertThat(run.orElseThrow().values()).isEqualTo(expected.values());
import carousel.tensor.Tensor;
      assertThat(SystemTrial.files(parts)).isEqualTo(SystemTrial.files(whole));
import carousel.tensor.Tensor;
    }
import carousel.tensor.Tensor;
    assertThat(out.toString())
import carousel.tensor.Tensor;
        .contains("stopped    after 5 of 40 steps", "to go on:  ./carousel run line --resume ");
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  /** A kill leaves what the last checkpoint holds, and files of the steps after it. */
import carousel.tensor.Tensor;
  @Test
import carousel.tensor.Tensor;
  void killedItGoesOnFromItsLastCheckpoint() throws IOException {
import carousel.tensor.Tensor;
    var whole = folder.resolve("whole");
import carousel.tensor.Tensor;
    var parts = folder.resolve("parts");
import carousel.tensor.Tensor;
    assertThat(runner(() -> false).begin(values("10"), new RunFolder(whole))).isPresent();
import carousel.tensor.Tensor;
    var asked = new AtomicInteger();
import carousel.tensor.Tensor;
    assertThatThrownBy(() ->
import carousel.tensor.Tensor;
            runner(
import carousel.tensor.Tensor;
                    () -> {
import carousel.tensor.Tensor;
                      if (asked.incrementAndGet() > 25) {
import carousel.tensor.Tensor;
                        throw new IllegalStateException("kill");
import carousel.tensor.Tensor;
                      }
import carousel.tensor.Tensor;
                      return false;
import carousel.tensor.Tensor;
                    })
import carousel.tensor.Tensor;
                .begin(values("10"), new RunFolder(parts)))
import carousel.tensor.Tensor;
        .hasMessage("kill");
import carousel.tensor.Tensor;
    assertThat(parts.resolve("figures.csv")).doesNotExist();
import carousel.tensor.Tensor;
    assertThat(runner(() -> false).resume(Map.of(), new RunFolder(parts))).isPresent();
import carousel.tensor.Tensor;
    assertThat(out.toString()).contains("goes on    after 21 steps");
import carousel.tensor.Tensor;
    assertThat(SystemTrial.files(parts)).isEqualTo(SystemTrial.files(whole));
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  @Test
import carousel.tensor.Tensor;
  void moreStepsEndAtTheBitsOfOneThatHadThemFromTheStart() throws IOException {
import carousel.tensor.Tensor;
    var longer = new RunFolder(folder.resolve("longer"));
import carousel.tensor.Tensor;
    runner(() -> false).begin(Map.of("steps", "12", "worst", "10", "seed", "1"), longer);
import carousel.tensor.Tensor;
    assertThatThrownBy(() -> runner(() -> false).resume(Map.of("worst", "1"), longer))
import carousel.tensor.Tensor;
        .isInstanceOf(Failure.class)
import carousel.tensor.Tensor;
        .hasMessageContaining("leave out --worst");
import carousel.tensor.Tensor;
    assertThat(runner(() -> false).resume(Map.of("steps", "40"), longer)).isPresent();
import carousel.tensor.Tensor;
    var whole = folder.resolve("whole");
import carousel.tensor.Tensor;
    runner(() -> false).begin(values("10"), new RunFolder(whole));
import carousel.tensor.Tensor;
    assertThat(SystemTrial.files(longer.path())).isEqualTo(SystemTrial.files(whole));
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  @Test
import carousel.tensor.Tensor;
  void aFigureBeyondItsBoundIsNotPassed() throws IOException {
import carousel.tensor.Tensor;
    var run = folder.resolve("run");
import carousel.tensor.Tensor;
    var measured = runner(() -> false).begin(values("1e-9"), new RunFolder(run)).orElseThrow();
import carousel.tensor.Tensor;
    assertThat(measured.passed()).isFalse();
import carousel.tensor.Tensor;
    assertThat(out.toString()).contains("≤ 0.000000001", "✗", "0 (1809)", "FAILED     seed 1");
import carousel.tensor.Tensor;
    assertThat(Files.readString(run.resolve("figures.csv")))
import carousel.tensor.Tensor;
        .startsWith("figure,value,least,most,accepted,published,meaning\nerror,")
import carousel.tensor.Tensor;
        .contains(",,1.0E-9,false,\"0 (1809)\",\"mean square\"\n");
import carousel.tensor.Tensor;
    assertThat(Files.readString(run.resolve("settings.properties")))
import carousel.tensor.Tensor;
        .isEqualTo("system = line\nsteps = 40\nworst = 1.0E-9\nseed = 1\n");
import carousel.tensor.Tensor;
    assertThat(Files.readAllLines(run.resolve("history.csv"))).hasSize(41);
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  @Test
import carousel.tensor.Tensor;
  void severalSeedsHaveAMeanAndASpread() throws IOException {
import carousel.tensor.Tensor;
    var screen = new PrintWriter(out);
import carousel.tensor.Tensor;
    var sweep = new Sweep<>(runner(() -> false), new Reporter(screen, screen, false));
import carousel.tensor.Tensor;
    var seeds = List.of(1L, 2L, 5L);
import carousel.tensor.Tensor;
    var summary = sweep.run(values("10"), seeds, folder).orElseThrow();
import carousel.tensor.Tensor;
    var error = summary.figures().getFirst();
import carousel.tensor.Tensor;
    var each = summary.runs().values().stream().mapToDouble(run -> run.of(error)).toArray();
import carousel.tensor.Tensor;
    assertThat(each[0]).isNotEqualTo(each[1]);
import carousel.tensor.Tensor;
    double mean = (each[0] + each[1] + each[2]) / 3;
import carousel.tensor.Tensor;
    double spread = Math.sqrt((sq(each[0] - mean) + sq(each[1] - mean) + sq(each[2] - mean)) / 2);
import carousel.tensor.Tensor;
    assertThat(summary.mean(error)).isEqualTo(mean);
import carousel.tensor.Tensor;
    assertThat(summary.spread(error)).isEqualTo(spread);
import carousel.tensor.Tensor;
    assertThat(summary.passed()).isTrue();
import carousel.tensor.Tensor;
    assertThat(Files.readAllLines(folder.resolve("seeds.csv")).getFirst())
import carousel.tensor.Tensor;
        .isEqualTo("figure,mean,spread,seed_1,seed_2,seed_5");
import carousel.tensor.Tensor;
    assertThat(folder.resolve("seed-5/figures.csv")).exists();
import carousel.tensor.Tensor;
    assertThat(out.toString()).contains("3 of 3", "passed     with 3 of 3 seeds");
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  private static double sq(double x) {
import carousel.tensor.Tensor;
    return x * x;
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;

import carousel.tensor.Tensor;
  @Test
import carousel.tensor.Tensor;
  void aRunOfAnotherSystemIsRefused() throws IOException {
import carousel.tensor.Tensor;
    var other = new RunFolder(folder.resolve("other"));
import carousel.tensor.Tensor;
    runner(() -> false).begin(values("10"), other);
import carousel.tensor.Tensor;
    assertThatThrownBy(() -> runner(() -> false).begin(values("10"), other))
import carousel.tensor.Tensor;
        .hasMessageContaining("holds a run already");
import carousel.tensor.Tensor;
    other.saveSettings(Map.of("system", "circle"));
import carousel.tensor.Tensor;
    assertThatThrownBy(() -> runner(() -> false).resume(Map.of(), other))
import carousel.tensor.Tensor;
        .hasMessageContaining("is a run of circle");
import carousel.tensor.Tensor;
  }
import carousel.tensor.Tensor;
}
