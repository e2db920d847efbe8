package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.zoo.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a run folder keeps comes back as it was, and no two runs share one. */
class RunFolderTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/data/line\nhidden = 1",
        "/data/line\rhidden = 1",
        "/data/two\r\nlines\n",
        "\n",
        " leading and trailing  ",
        "\t\f tabs",
        "C:\\new\\table\\u0041\\",
        "#no comment",
        "!=: key = value",
        "/données/日本語/😀",
        "\u0085\u2028\u0001"
      })
  void aPathComesBackWhateverIsInIt(String data) {
    var values = new LinkedHashMap<>(Recipe.AGREEMENT.settings());
    values.put("data", data);
    values.put("seed", "7");
    var settings = Settings.of(values, "test");
    var run = new LanguageRun(new RunFolder(folder));
    run.save(settings);
    assertThat(run.settings()).isEqualTo(settings);
  }

  @Test
  void runsOfOneMomentGetAFolderEach() throws Exception {
    try (var threads = Executors.newFixedThreadPool(8)) {
      var asked = new ArrayList<Callable<Path>>();
      for (int i = 0; i < 40; i++) {
        asked.add(() -> RunFolder.unused(folder.resolve("runs"), "now-lstm").path());
      }
      var given = new HashSet<Path>();
      for (var each : threads.invokeAll(asked)) {
        given.add(each.get());
      }
      assertThat(given).hasSize(40).allMatch(Files::isDirectory);
      assertThat(given)
          .contains(folder.resolve("runs/now-lstm"), folder.resolve("runs/now-lstm-40"));
    }
  }
}
