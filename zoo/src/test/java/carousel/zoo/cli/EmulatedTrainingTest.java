package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A training on the emulated device, from the first option to the last file, gives the losses of one on the CPU. */
class EmulatedTrainingTest {
  @TempDir private Path folder;

  private Path text() throws IOException {
    String lines = "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(20);
    return Files.writeString(folder.resolve("text.txt"), lines);
  }

  @ParameterizedTest
  @CsvSource({"lstm, adam, 0.02, 1", "gru-after, sgd, 0.5, 2"})
  void hasTheLossesOfTheCpu(String cell, String optimizer, double rate, int layers)
      throws IOException {
    var expected = losses("cpu", cell, optimizer, rate, layers);
    var actual = losses("cuda-emulated", cell, optimizer, rate, layers);
    assertThat(actual).hasSize(expected.size());
    for (int i = 0; i < actual.size(); i++) {
      assertThat(actual.get(i)).as("loss %d", i).isCloseTo(expected.get(i), within(1e-4));
    }
  }

  /** Of each epoch, in nats: while it was learned, and of the valid text. */
  private List<Double> losses(String device, String cell, String optimizer, double rate, int layers)
      throws IOException {
    var run = folder.resolve(device);
    var shell =
        carousel(
            "train",
            "--data",
            text(),
            "--out",
            run,
            "--device",
            device,
            "--cell",
            cell,
            "--layers",
            layers,
            "--hidden",
            16,
            "--batch",
            4,
            "--steps",
            8,
            "--epochs",
            2,
            "--optimizer",
            optimizer,
            "--lr",
            rate,
            "--clip",
            0.5,
            "--dropout",
            0.2);
    assumeFalse(shell.err().contains("cannot be started"), shell.err());
    assertThat(shell.code()).as(shell.err()).isZero();
    assertThat(shell.out()).contains("on " + device, "  test ", "generated");
    return Files.readAllLines(run.resolve("history.csv")).stream()
        .skip(1)
        .map(line -> line.split(",", -1))
        .flatMap(epoch -> List.of(epoch[2], epoch[3]).stream())
        .map(perplexity -> Math.log(Double.parseDouble(perplexity)))
        .toList();
  }
}
