package carousel.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Row ROW = Table.LSTM.rows.getFirst();

  /** Ours takes 10 ms; the others what is given, in the order of the row's entries. */
  private static Result result(double... others) {
    double[] medians = new double[ROW.entries().size()];
    for (int i = 0; i < medians.length; i++) {
      medians[i] = i == 0 ? 10 : others[i - 1];
    }
    return new Result(
        Table.LSTM,
        ROW,
        IntStream.range(0, medians.length)
            .mapToObj(i ->
                new Result.Line(ROW.entries().get(i), Setting.DEFAULT, Sample.of(medians[i]), ""))
            .toList());
  }

  @Test
  void summarisesTheBetterLibtorchWhateverDl4jTakes() {
    assertThat(Report.summary(List.of(result(20, 40, 1), result(16, 5, 100))))
        .hasValue("geomean 1.00 min 0.50");
  }

  @Test
  void summarisesNothingWithoutPeers() {
    var ours = result(1, 1, 1).lines().subList(0, 1);

    assertThat(Report.summary(List.of(new Result(Table.LSTM, ROW, ours)))).isEmpty();
  }

  @Test
  void leavesOutRowsOfReference() {
    var lines = result(30, 30, 30).lines();
    var reference = new Result(Table.LSTM, new Row("reference", true, true, ROW.entries()), lines);

    assertThat(Report.summary(List.of(reference, result(20, 40, 1))))
        .hasValue("geomean 2.00 min 2.00");
    assertThat(Report.summary(List.of(reference))).isEmpty();
    assertThat(Table.CELLS.rows.stream().filter(Row::reference)).hasSize(1);
  }

  @Test
  void printsARatioForEveryOtherButNoneForUs() {
    var bytes = new ByteArrayOutputStream();
    var report = new Report(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    report.row(result(20, 15, 100));

    assertThat(
            bytes.toString(StandardCharsets.UTF_8).lines().map(line -> line.replaceAll(" +", " ")))
        .containsExactly(
            "| 20,20,200,200,2 | carousel | default | 10.0 | 10.0 – 10.0 | |",
            "| | libtorch, OpenBLAS | default | 20.0 | 20.0 – 20.0 | 2.00 |",
            "| | libtorch, MKL | default | 15.0 | 15.0 – 15.0 | 1.50 |",
            "| | DL4J | default | 100 | 100 – 100 | 10.00 |");
  }

  @Test
  void showsASpeedFromTheSlowestRoundToTheFastest() {
    var task = Task.parse("gemm f32 1000,1000,1000");

    assertThat(Unit.GFLOPS.show(Sample.of(10, 20, 40), task)).isEqualTo("50.0 – 200");
    assertThat(Unit.MILLISECONDS.show(Sample.of(10, 20, 40), task)).isEqualTo("10.0 – 40.0");
  }

  @Test
  void takesTheMedianOfTheRounds() {
    var sample = Sample.of(5, 1, 3);
    assertThat(List.of(sample.median(), sample.least(), sample.most()))
        .containsExactly(3.0, 1.0, 5.0);
    assertThat(Sample.of(4, 1, 3, 2).median()).isEqualTo(2.5);
  }

  @Test
  void ratiosAreTakenWithinRounds() {
    // The machine was half as fast in the last two rounds; the peer always took twice as long.
    assertThat(Sample.of(4, 4, 4, 8, 8).ratioTo(Sample.of(2, 2, 2, 4, 4))).isEqualTo(2);
    assertThat(Sample.of(4, 8, 8).ratioTo(Sample.of(2, 2, 4))).isEqualTo(2);
    assertThat(Sample.of(6).ratioTo(Sample.of(1, 2, 3))).isEqualTo(3);
  }

  @Test
  void drawsABarForEveryPeer() {
    String svg = Picture.of(List.of(result(20, 15, 100)));

    assertThat(svg).startsWith("<svg").contains("2.00  libtorch, OpenBLAS", "10.00  DL4J");
    assertThat(svg.split("<rect", -1)).hasSize(1 + 1 + 3);
  }
}
