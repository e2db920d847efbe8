package carousel.zoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import carousel.zoo.language.Data;
import carousel.zoo.language.LanguageModel;
import carousel.zoo.language.Recipe;
import carousel.zoo.language.Settings;
import carousel.zoo.language.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Training takes the memory it takes, however long it lasts. */
class MemoryTest {
  @TempDir private Path folder;

  @Test
  void everyStepLeavesTheTensorMemoryAsItWas() throws IOException {
    var text =
        Files.writeString(folder.resolve("text"), "the cat sat on the mat and slept\n".repeat(300));
    var values = Recipe.WORDS.settings();
    values.putAll(
        Map.of("data", text.toString(), "hidden", "8", "layers", "2", "batch", "2", "steps", "4"));
    var settings = Settings.of(values, "test");
    var used = new LongSummaryStatistics();
    try (var scope = TensorScope.open(Device.cpu())) {
      var corpus = Data.read(settings).corpus();
      var trainer = new Trainer(LanguageModel.of(settings, corpus.vocabulary().size()), settings);
      var memory = Device.cpu().backend().memory();
      var pass = trainer.pass(corpus.train().batchify(2, 4), 0);
      while (!pass.ended()) {
        pass.step();
        used.accept(memory.inUse());
      }
    }
    assertThat(used.getCount()).isGreaterThan(250);
    assertThat(used.getMax()).as("bytes in use between steps").isEqualTo(used.getMin());
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "resident memory is read from /proc")
  void tenThousandStepsLeaveTheResidentMemoryFlat() throws Exception {
    var text =
        Files.writeString(
            folder.resolve("text"), "the cat sat on the mat and slept\n".repeat(5_600));
    var run = folder.resolve("run");
    // A heap that is resident from the start, and the quick compiler alone: what grows then is
    // neither waiting to be collected nor code that is still being improved.
    var flags =
        List.of(
            "-Xms64m",
            "-Xmx64m",
            "-XX:+AlwaysPreTouch",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1");
    var child =
        Child.start(
            folder.resolve("log"),
            flags,
            "train",
            "--data",
            text,
            "--out",
            run,
            "--epochs",
            1,
            "--hidden",
            4,
            "--batch",
            2,
            "--steps",
            2);
    var resident = new ArrayList<Long>();
    while (child.process().isAlive() && !Files.exists(run.resolve("best.safetensors"))) {
      long kilobytes = resident(child.process().pid());
      if (kilobytes > 0) {
        resident.add(kilobytes);
      }
      Thread.sleep(50);
    }
    assertThat(child.exitCode()).as(child.output()).isZero();
    int n = resident.size();
    assertThat(n).isGreaterThan(20);
    long before = median(resident.subList(n / 3, 2 * n / 3));
    long after = median(resident.subList(2 * n / 3, n));
    assertThat((double) after / before)
        .as("kB resident: %d, then %d", before, after)
        .isCloseTo(1, within(0.02));
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  private static long resident(long pid) {
    try (var lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException | java.io.UncheckedIOException e) {
      return 0; // it has just ended
    }
  }
}
