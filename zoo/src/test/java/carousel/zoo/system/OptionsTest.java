package carousel.zoo.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.zoo.run.Failure;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One record gives the options, their help, their file and the errors. */
class OptionsTest {
  enum Shape {
    ROUND,
    NEARLY_SQUARE
  }

  static final class Cities implements Choices {
    @Override
    public List<String> names() {
      return List.of("rome", "oslo");
    }
  }

  record All(
      @Option(value = "Units", quick = "4", paper = "400", min = 1, max = 500) int unitsOfAll,
      @Option(value = "Rate", quick = "0.5", above = 0, below = 1) double rate,
      @Option(value = "Whether", quick = "true", small = "false") boolean whether,
      @Option(value = "Shape", quick = "nearly-square") Shape shape,
      @Option(value = "City", quick = "oslo", choices = Cities.class) String city,
      @Option(value = "Text", quick = "a = b\n") String text,
      @Option(value = "Seed", quick = "1", tunable = true) long seed)
      implements Seeded {
    All {
      if (whether && shape == Shape.ROUND) {
        throw Failure.usage("--whether and round: no");
      }
    }
  }

  record Silent(@Option(value = "Units", quick = "4") int units, long seed) implements Seeded {
    Silent(int units, long seed) {
      this.units = units;
      this.seed = seed;
    }
  }

  private static final Options<All> OPTIONS = Options.of(All.class);

  private static Map<String, String> quick() {
    return OPTIONS.preset(Preset.QUICK);
  }

  @Test
  void presetsAreReadAndWrittenBack() {
    var quick = OPTIONS.read(quick());
    assertThat(quick).isEqualTo(new All(4, 0.5, true, Shape.NEARLY_SQUARE, "oslo", "a = b\n", 1));
    assertThat(OPTIONS.values(quick)).containsExactlyEntriesOf(quick());
    assertThat(OPTIONS.read(OPTIONS.preset(Preset.PAPER)).unitsOfAll()).isEqualTo(400);
    assertThat(OPTIONS.read(OPTIONS.preset(Preset.SMALL)).whether()).isFalse();
  }

  @Test
  void entriesSayWhatTheyAre() {
    var entries = OPTIONS.entries();
    assertThat(entries.stream().map(Entry::name))
        .containsExactly("units-of-all", "rate", "whether", "shape", "city", "text", "seed");
    assertThat(entries.get(0).range()).isEqualTo("from 1 to 500");
    assertThat(entries.get(1).range()).isEqualTo("from above 0 to below 1");
    assertThat(entries.get(3).choices()).containsExactly("round", "nearly-square");
    assertThat(entries.get(4).choices()).containsExactly("rome", "oslo");
    assertThat(entries.stream().filter(Entry::isTunable).map(Entry::name)).containsExactly("seed");
  }

  @ParameterizedTest
  @CsvSource({
    "units-of-all, 0, '--units-of-all must be from 1 to 500, got 0'",
    "units-of-all, 501, '--units-of-all must be from 1 to 500, got 501'",
    "units-of-all, 1.5, '--units-of-all must be a whole number, got ''1.5'''",
    "units-of-all, 99999999999, '--units-of-all must be a whole number'",
    "rate, 0, '--rate must be from above 0 to below 1, got 0'",
    "rate, 1, 'got 1'",
    "rate, NaN, 'got NaN'",
    "rate, Infinity, 'got Infinity'",
    "rate, fast, '--rate must be a number, got ''fast'''",
    "whether, yes, '--whether must be true or false, got ''yes'''",
    "shape, squar, 'there is no ''squar'''",
    "city, osol, 'did you mean oslo?'",
    "city, paris, 'there are: rome, oslo'"
  })
  void eachIsRefusedByName(String name, String value, String complaint) {
    var values = quick();
    values.put(name, value);
    assertThatThrownBy(() -> OPTIONS.read(values))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.isUsage()).isTrue())
        .hasMessageContaining(complaint);
    assertThatThrownBy(() -> OPTIONS.read(values, "settings.properties"))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.isUsage()).isFalse())
        .hasMessageStartingWith("settings.properties: ")
        .hasMessageContaining(complaint);
  }

  @Test
  void allThatIsWrongIsSaidAtOnce() {
    var values = quick();
    values.putAll(Map.of("rate", "2", "city", "osol", "seed", "x"));
    assertThatThrownBy(() -> OPTIONS.read(values))
        .hasMessageContainingAll("--rate must be", "did you mean oslo?", "--seed must be");
    assertThatThrownBy(() -> OPTIONS.read(new LinkedHashMap<>(Map.of("rate", "1")), "f"))
        .hasMessageContainingAll("f: ", "'units-of-all'", "'seed'", "are missing");
  }

  @Test
  void whatFitsWithNoOtherIsForTheRecordToSay() {
    var values = quick();
    values.put("shape", "round");
    assertThatThrownBy(() -> OPTIONS.read(values)).hasMessage("--whether and round: no");
  }

  @Test
  void aComponentWithoutAMeaningIsAMistakeOfItsAuthor() {
    assertThatThrownBy(() -> Options.of(Silent.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Silent: seed has no @Option that says what it means");
  }

  @ParameterizedTest
  @CsvSource({
    "1..3, '[1, 2, 3]'",
    "7..7, [7]",
    "'1,4,9,4', '[1, 4, 9]'",
    "5, [5]",
    "3..1, ",
    "1.., ",
    "1..2000, ",
    "a, ",
    "'1,', ",
    "-1..2, "
  })
  void seedsAreARangeOrAList(String text, String seeds) {
    if (seeds == null) {
      assertThatThrownBy(() -> Seeds.parse(text)).hasMessageContaining("as 1..5");
    } else {
      assertThat(Seeds.parse(text)).hasToString(seeds);
    }
  }
}
