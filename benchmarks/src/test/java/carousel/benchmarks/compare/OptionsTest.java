package carousel.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {

  private static Options parse(String... arguments) {
    return Options.parse(List.of(arguments));
  }

  @Test
  void takesEverythingWhenNothingIsAsked() {
    var options = parse();

    assertThat(options.tables()).containsExactlyInAnyOrder(Table.values());
    assertThat(options.libraries()).containsExactlyInAnyOrder(Library.values());
    assertThat(options.rounds()).isEqualTo(5);
  }

  @Test
  void readsValuesBehindASpaceOrAnEqualsSign() {
    var options = parse("--only", "lstm,gru-after", "--threads=1", "--rounds", "7", "--quick");

    assertThat(options.tables()).containsExactlyInAnyOrder(Table.LSTM, Table.GRU_AFTER);
    assertThat(options.threads()).isEqualTo(1);
    assertThat(options.rounds()).isEqualTo(7);
    assertThat(options.quick()).isTrue();
  }

  @Test
  void takesTogetherWhatIsAskedTwice() {
    var options = parse("--only", "lstm", "--only", "gemm", "--rows", "650", "--rows", "1500");

    assertThat(options.tables()).containsExactlyInAnyOrder(Table.LSTM, Table.GEMM);
    assertThat(options.rows()).containsExactly("650", "1500");
  }

  @Test
  void measuresOnlyUsWithoutPeers() {
    assertThat(parse("--ours").libraries()).noneMatch(Library::isPeer);
  }

  @Test
  void takesRowsByAPartOfTheirName() {
    var options = parse("--rows", "650;1500");

    assertThat(Table.LSTM.rows.stream().filter(options::wants).map(Row::name))
        .containsExactly("35,20,650,650,2", "35,20,1500,1500,1");
  }

  @Test
  void takesEveryShapeOfTheLstmEvenIfQuick() {
    assertThat(Table.LSTM.rows.stream().filter(parse("--quick")::wants)).hasSize(6);
    assertThat(Table.GRU.rows.stream().filter(parse("--quick")::wants)).hasSizeLessThan(6);
  }

  @Test
  void takesTheCellsWithAndWithoutTheirGradients() {
    var options = parse("--only", "cells,cells-forward", "--rows", "LSTM with;sLSTM");

    assertThat(options.tables()).containsExactlyInAnyOrder(Table.CELLS, Table.CELLS_FORWARD);
    assertThat(Table.CELLS.rows.stream().filter(options::wants).map(Row::name))
        .containsExactly("LSTM with resets", "sLSTM");
    assertThat(Table.CELLS.pass).isEqualTo(Pass.WHOLE);
    assertThat(Table.CELLS_FORWARD.pass).isEqualTo(Pass.FORWARD);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--foo      |       | there is no option --foo",
        "--threads  | 0     | --threads wants a whole number from 1 to 9999, got '0'",
        "--threads  | two   | --threads wants a whole number from 1 to 9999, got 'two'",
        "--only     | lstn  | --only: there is no 'lstn', only lstm,",
        "--libraries| tensorflow | --libraries: there is no 'tensorflow', only carousel,",
        "--rounds   |       | --rounds wants a number",
      })
  void saysWhatIsWrong(String option, String value, String message) {
    String[] arguments = value == null ? new String[] {option} : new String[] {option, value};

    assertThatThrownBy(() -> parse(arguments))
        .isInstanceOf(Options.Misuse.class)
        .hasMessageStartingWith(message);
  }
}
