package carousel.zoo.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsTest {
  private static final String EMPTY =
      """
      # Title

      | system | figure | value | accepted | published | run | date | settings |
      |---|---|---|---|---|---|---|---|

      after
      """;

  private static Sweep.Summary measured(double... errors) {
    var line = new RunnerTest.Line();
    var figures = line.figures(new RunnerTest.Line.Options(1, 10, 1));
    var runs = new LinkedHashMap<Long, Runner.Measured>();
    for (int i = 0; i < errors.length; i++) {
      runs.put(1L + i, new Runner.Measured(figures, Map.of("error", errors[i], "sum", 3.0)));
    }
    return new Sweep.Summary(runs);
  }

  @Test
  void rowsOfASystemAreReplacedAndOthersStay() {
    String other = "| other | x: y | 1 |  |  | quick, seed 1 | 2026-01-02 | `a=1` |\n";
    var results = new Results(EMPTY.replace("\n\nafter", "\n" + other + "\nafter"));
    assertThat(results.of("other")).hasSize(1);
    results.put(
        new RunnerTest.Line(), measured(1, 3), Preset.QUICK, "2026-12-01", Map.of("steps", "4"));
    results.put(
        new RunnerTest.Line(), measured(2, 4), Preset.PAPER, "2026-12-02", Map.of("steps", "4"));
    String text = results.text(List.of("line", "other"));
    assertThat(text)
        .startsWith("# Title\n\n| system |")
        .endsWith("\n\nafter\n")
        .contains(
            "| line | error: mean square | 3.000 ± 1.414 | ≤ 10 ✓ | 0 (1809) | paper, seeds 1 2 |"
                + " 2026-12-02 | `steps=4` |\n",
            "| line | sum: of the steps' numbers | 3.000 ± 0.000 |  |  |  |  |  |\n")
        .doesNotContain("2026-12-01");
    assertThat(text.indexOf("| line |")).isLessThan(text.indexOf("| other |"));
    assertThat(new Results(text).text(List.of("line", "other"))).isEqualTo(text);
    assertThat(new Results(text).text(List.of("line"))).doesNotContain("| other |");
  }

  @Test
  void aDocumentWithoutTheTableIsNone() {
    assertThatThrownBy(() -> new Results("# Title\n"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no table of results");
  }
}
