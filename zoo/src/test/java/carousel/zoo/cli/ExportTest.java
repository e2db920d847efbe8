package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.abort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import carousel.exchange.onnx.Onnx;
import carousel.exchange.pytorch.StateDict;
import carousel.nn.data.TokenStream;
import carousel.nn.io.Safetensors;
import carousel.nn.loss.Loss;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.zoo.language.Evaluation;
import carousel.zoo.language.LanguageModel;
import carousel.zoo.language.Trained;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A language model that was trained here, run by ONNX Runtime. */
class ExportTest {
  private static final int STEPS = 35;

  @TempDir private Path folder;

  private Path trained(String cell) throws IOException {
    String lines = "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(60);
    var text = Files.writeString(folder.resolve("text.txt"), lines);
    var run = folder.resolve(cell);
    var shell =
        carousel(
            "train",
            "--data",
            text,
            "--cell",
            cell,
            "--hidden",
            12,
            "--layers",
            2,
            "--batch",
            4,
            "--steps",
            8,
            "--lr",
            0.02,
            "--epochs",
            1,
            "--out",
            run);
    assertThat(shell.code()).as(shell.err()).isZero();
    return run;
  }

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "peephole", "cifg", "gru", "gru-after", "elman"})
  void onnxRuntimeGivesTheSameLogitsAndPerplexity(String cell) throws Exception {
    var run = trained(cell);
    var file = folder.resolve("model.onnx");
    var shell = carousel("export", run, file);
    assertThat(shell.code()).as(shell.err()).isZero();
    assertThat(shell.out()).contains("model.onnx", "weights");
    try (var scope = TensorScope.open()) {
      var trained = Trained.load(run);
      var text =
          TokenStream.read(
              folder.resolve("text.txt"), trained.vocabulary(), UnaryOperator.identity());
      var expected = Evaluation.of(trained.model(), text, 1);
      double nats = 0.0;
      List<RecurrentState> state = List.of();
      try (var session = environment().createSession(file.toString())) {
        var carried = zeros(session);
        for (var window : text.batchify(1).windows(STEPS)) {
          var reading = trained.model().read(window.tokens(), state);
          state = reading.state();
          Tensor logits = logits(session, window.tokens(), carried);
          assertThat(logits.sub(reading.logits()).abs().max().item()).isLessThan(1e-5);
          Tensor loss = Loss.crossEntropy(logits, window.targets());
          nats += loss.item() * window.size();
        }
      }
      assertThat(Math.exp(nats / expected.tokens()))
          .isCloseTo(expected.perplexity(), within(1e-5 * expected.perplexity()));
      assertThat(Onnx.load(file).chain().layers()).hasSize(4); // table, two cells, head
    }
  }

  private static OrtEnvironment environment() {
    try {
      return OrtEnvironment.getEnvironment();
    } catch (LinkageError e) {
      System.err.println("SKIPPED: the native library of ONNX Runtime cannot be loaded: " + e);
      return abort("the native library of ONNX Runtime cannot be loaded: " + e);
    }
  }

  /** States of one row, by the names of the inputs that take them. */
  private static Map<String, float[]> zeros(OrtSession session) throws OrtException {
    var zeros = new HashMap<String, float[]>();
    for (var name : session.getInputNames()) {
      if (name.startsWith("initial")) {
        zeros.put(name, new float[12]);
      }
    }
    return zeros;
  }

  /** Runs a window, and leaves in {@code carried} what the next begins with. */
  private static Tensor logits(OrtSession session, Tensor tokens, Map<String, float[]> carried)
      throws OrtException {
    var environment = environment();
    var given = new HashMap<String, OnnxTensor>();
    var ids = Arrays.stream(tokens.toIntArray()).asLongStream().toArray();
    given.put(
        "tokens",
        OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), new long[] {ids.length, 1}));
    for (var state : carried.entrySet()) {
      var values = FloatBuffer.wrap(state.getValue());
      given.put(
          state.getKey(),
          OnnxTensor.createTensor(environment, values, new long[] {1, 1, values.capacity()}));
    }
    try (var result = session.run(given)) {
      for (var output : result) {
        if (output.getKey().startsWith("final")) {
          carried.put(
              output.getKey().replace("final", "initial"), array((OnnxTensor) output.getValue()));
        }
      }
      var y = (OnnxTensor) result.get("y").orElseThrow();
      var dims = Arrays.stream(y.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
      return Tensor.of(Shape.of(dims), array(y));
    } finally {
      given.values().forEach(OnnxTensor::close);
    }
  }

  private static float[] array(OnnxTensor tensor) {
    var values = tensor.getFloatBuffer();
    var array = new float[values.remaining()];
    values.get(array);
    return array;
  }

  @Test
  void whatCannotBeExportedIsSaidInOneLine() throws IOException {
    var run = trained("jordan");
    var file = folder.resolve("model.onnx");
    var shell = carousel("export", run, file);
    assertThat(shell.code()).isEqualTo(1);
    assertThat(shell.complaint())
        .contains("layers.1.layers.0.cell, Jordan, cannot be exported", "safetensors");
    assertThat(file).doesNotExist();
    assertThat(carousel("export", folder, file).complaint()).contains("is no run");
    assertThat(carousel("export", trained("gru"), folder.resolve("no/where")).complaint())
        .contains("where: there is no folder " + folder.resolve("no"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "gru-after", "elman"})
  void weightsUnderPyTorchsNamesComeBack(String cell) throws Exception {
    var run = trained(cell);
    var file = folder.resolve("weights.safetensors");
    var shell = carousel("export", run, file, "--names", "pytorch");
    assertThat(shell.code()).as(shell.err()).isZero();
    try (var scope = TensorScope.open()) {
      var model = Trained.load(run).model();
      var tensors = Safetensors.load(file);
      assertThat(tensors.keySet())
          .contains("embed.weight", "stack.weight_ih_l0", "stack.bias_hh_l1", "head.weight");
      assertThat(Safetensors.metadata(file)).containsEntry("format", "pt");
      var again = Trained.load(run).model();
      for (var named : again.parameters()) {
        named.value().fill(0);
      }
      StateDict.load(again, tensors);
      assertSame(again, model);
      // Our own names, which all cells have.
      var own = folder.resolve("own.safetensors");
      assertThat(carousel("export", run, own).code()).isZero();
      for (var named : again.parameters()) {
        named.value().fill(0);
      }
      Safetensors.loadInto(own, again.parameters());
      assertSame(again, model);
    }
  }

  private static void assertSame(LanguageModel actual, LanguageModel expected) {
    var values = expected.parameters().iterator();
    for (var named : actual.parameters()) {
      assertThat(named.value().sameValues(values.next().value())).as(named.name()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "best.safetensors",
        "vocabulary.txt",
        "settings.properties",
        "history.csv",
        "figures.csv",
        "perplexity.svg",
        "checkpoints/mine.onnx",
        "../run/./best.safetensors"
      })
  void whatTheRunNeedsIsNotWrittenOver(String name) throws Exception {
    var run = trained("gru");
    var target =
        Files.createSymbolicLink(folder.resolve("link"), run)
            .resolve(name.replace("/run/", "/" + run.getFileName() + "/"));
    var before = Files.exists(target) ? Files.readAllBytes(target) : null;
    var shell = carousel("export", run, target);
    assertThat(shell.code()).isEqualTo(1);
    assertThat(shell.complaint()).contains("the run needs it for itself");
    if (before == null) {
      assertThat(target).doesNotExist();
    } else {
      assertThat(target).hasBinaryContent(before);
    }
    assertThat(carousel("export", run, run.resolve("model.safetensors")).code()).isZero();
    assertThat(carousel("export", run, run.resolve("model.safetensors")).code()).isZero();
  }

  @Test
  void whatCannotBeExportedIsSaid() throws Exception {
    var run = trained("peephole");
    var weights = folder.resolve("weights.safetensors");
    var lacking = carousel("export", run, weights, "--names", "pytorch");
    assertThat(lacking.complaint()).contains("PyTorch has no PeepholeLstm");
    assertThat(weights).doesNotExist();
    assertThat(carousel("export", run, folder).complaint())
        .contains("cannot write " + folder + ": it is a folder; name a file in it, ")
        .contains("model.onnx say");
    assertThat(carousel("export", run, ".").complaint()).contains("cannot write .: it is a folder");
    var onnx = carousel("export", run, folder.resolve("m.onnx"), "--names", "pytorch");
    assertThat(onnx.code()).isEqualTo(2);
    assertThat(onnx.complaint()).contains("--names is about weights in a file that ends in");
    assertThat(carousel("export", run, weights, "--names", "pytroch").complaint())
        .contains("pytorch");
  }
}
