package carousel.exchange.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.exchange.pytorch.PyTorchCases.Case;
import carousel.nn.io.Safetensors;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * PyTorch loads our weights and gives our outputs; we load PyTorch's and give its outputs. Runs where
 * a Python has PyTorch ({@code apt-get install python3-torch}); {@code -Dcarousel.python=...} names
 * one.
 */
class PyTorchTest {
  private static final double F32_ERROR = 1e-6;
  private static final double F64_ERROR = 1e-14;

  @TempDir Path folder;

  @Test
  void weightsChangeHandsAndTheOutputsStay() throws IOException, InterruptedException {
    try (var _ = TensorScope.open()) {
      var cases = PyTorchCases.all();
      for (var each : cases) {
        var tensors = new LinkedHashMap<String, Tensor>();
        StateDict.of(each.model(), each.withoutBias())
            .forEach((name, value) -> tensors.put("model." + name, value));
        tensors.put("x", each.x());
        Safetensors.save(folder.resolve(each + ".ours.safetensors"), tensors, each.module());
      }
      assertThat(referee()).contains(": " + cases.size() + " models");
      var worst = new LinkedHashMap<DType, Double>();
      for (var each : cases) {
        worst.merge(each.dtype(), compare(each), Math::max);
      }
      System.out.printf(
          Locale.ROOT,
          "PyTorch as referee: %d models, both ways; largest difference %.2g in F32, %.2g in F64%n",
          cases.size(),
          worst.get(DType.F32),
          worst.get(DType.F64));
    }
  }

  private double compare(Case each) throws IOException {
    try (var _ = TensorScope.open()) {
      var tensors =
          new LinkedHashMap<>(Safetensors.load(folder.resolve(each + ".torch.safetensors")));
      double ours = error(each, Objects.requireNonNull(tensors.remove("ours.y")), "our weights");
      Tensor expected = Objects.requireNonNull(tensors.remove("theirs.y"));
      assertThat(expected.sameValues(each.output())).isFalse();
      var weights = new LinkedHashMap<String, Tensor>();
      tensors.forEach((name, value) -> weights.put(name.substring("model.".length()), value));
      StateDict.load(each.model(), weights);
      return Math.max(ours, error(each, expected, "PyTorch's weights"));
    }
  }

  private static double error(Case each, Tensor expected, String whose) {
    Tensor y = each.output();
    assertThat(y.shape()).isEqualTo(expected.shape());
    double error = y.sub(expected).abs().max().item();
    assertThat(error)
        .as("%s, %s", each, whose)
        .isLessThan(each.dtype() == DType.F32 ? F32_ERROR : F64_ERROR);
    return error;
  }

  /** Runs referee.py by the first Python that has PyTorch; gives its last line. */
  private String referee() throws IOException, InterruptedException {
    var script = Path.of("src", "test", "python", "referee.py").toAbsolutePath();
    String named = System.getProperty("carousel.python");
    for (var python : named == null ? List.of("/usr/bin/python3", "python3") : List.of(named)) {
      var log = folder.resolve("log");
      var command = List.of(python, script.toString(), folder.toString());
      Process process;
      try {
        process =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.to(log.toFile()))
                .start();
      } catch (IOException notInstalled) {
        continue;
      }
      boolean ended = process.waitFor(3, TimeUnit.MINUTES);
      if (!ended) {
        process.destroyForcibly();
      }
      String said = Files.readString(log).strip();
      if (said.contains("No module named")) {
        continue;
      }
      assertThat(ended && process.exitValue() == 0).as("%s: %s", python, said).isTrue();
      return said;
    }
    String skipped = "PyTorch as referee: skipped, no Python has it; apt-get install python3-torch";
    System.out.println(skipped);
    assumeTrue(false, skipped);
    return "";
  }
}
