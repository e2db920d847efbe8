package carousel.exchange.onnx;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Noise;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What cannot be exported says which layer it is and what to do. */
class ExportErrorsTest {
  private static final Init INIT = Init.normal(0.4);

  @TempDir Path folder;

  private final Philox rng = Philox.of(1);

  /** A model as users write it. */
  record Model(Embedding embed, Stacked stack, Linear head) implements Layer {}

  /** A layer over time of a user's own. */
  record Doubled(Sequence inner) implements Sequence {
    @Override
    public int inputs() {
      return inner.inputs();
    }

    @Override
    public int outputs() {
      return inner.outputs();
    }

    @Override
    public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
      return inner.run(x.mul(2), marks, initial);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          matrix-peephole | layers.0.layers.0.cell, MatrixPeepholeLstm, cannot be exported: ONNX knows diagonal peepholes only
          jordan          | layers.0.layers.0.cell, Jordan, cannot be exported: no operator of ONNX feeds its output back
          leaky           | layers.0.layers.0.cell, Leaky, cannot be exported: ONNX has no leaky units (tau is 3.0, with 1 it is an Elman)
          """)
  void aCellWithoutAnOperator(String name, String message) {
    try (var scope = TensorScope.open()) {
      var chain = Chain.of(Stacked.of(Recurrent.of(Cells.of(name, 3, 4, INIT, rng))));
      refuses(chain, message);
    }
  }

  @Test
  void aSequenceOfAUsersOwn() {
    try (var scope = TensorScope.open()) {
      refuses(
          Chain.of(Linear.of(2, 3, INIT, rng), new Doubled(Recurrent.of(lstm(3, 4)))),
          "layers.1, Doubled, cannot be exported: what it computes is not known; give the Recurrent");
    }
  }

  @Test
  void zoneoutThatHoldsOutsideOfTraining() throws IOException {
    try (var scope = TensorScope.open()) {
      var noisy = lstmLayer().withNoise(Noise.none().zoneout(0, 0.5));
      refuses(
          Chain.of(Stacked.of(noisy)),
          "layers.0.layers.0, Recurrent with zoneout, cannot be exported: no operator of ONNX mixes the"
              + " states before and after a step; withNoise(Noise.none()) leaves that out");
      var plain = lstmLayer();
      var dropout =
          plain.withNoise(
              Noise.none().inputs(0.1).states(0.2).outputs(0.3).candidate(0.4, Noise.Per.STEP));
      var files = List.of(folder.resolve("plain.onnx"), folder.resolve("dropout.onnx"));
      Onnx.save(files.get(0), Chain.of(plain));
      Onnx.save(files.get(1), Chain.of(dropout));
      assertThat(files.get(1)).hasSameBinaryContentAs(files.get(0));
    }
  }

  @Test
  void twoDirectionsThatAreNotOfOneKind() {
    try (var scope = TensorScope.open()) {
      Cell<?> gru = GruResetAfter.of(3, 4, INIT, rng);
      refuses(
          Chain.of(Bidirectional.of(lstm(3, 4), gru)),
          "layers.0, Bidirectional, cannot be exported: one operator of ONNX runs both directions,"
              + " so both cells must be of one kind and size, got LSTM of 4 units and GRU of 4");
      refuses(Chain.of(Bidirectional.of(lstm(3, 4), lstm(3, 5))), "LSTM of 4 units and LSTM of 5");
    }
  }

  @Test
  void weightsOfTwoTypesAndNoneAtAll() {
    try (var scope = TensorScope.open()) {
      refuses(
          Chain.of(lstmLayer(), LayerNorm.of(F64, 4)),
          "the layers' weights are of types [F32, F64]; one model has one type");
      refuses(Chain.of(new Dropout(0.5)), "there is nothing to export");
    }
  }

  private void refuses(Chain chain, String message) {
    var path = folder.resolve("model.onnx");
    assertThatThrownBy(() -> Onnx.save(path, chain))
        .isInstanceOf(OnnxException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(message);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aWholeModelIsToldItsParts() {
    try (var scope = TensorScope.open()) {
      var model =
          new Model(
              Embedding.of(5, 3, INIT, rng), Stacked.of(lstmLayer()), Linear.of(4, 5, INIT, rng));
      assertThatThrownBy(() -> Chain.of(model))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("Chain.of(model.embed(), model.stack(), model.head())");
    }
  }

  @Test
  void layersThatDoNotFitEachOther() {
    try (var scope = TensorScope.open()) {
      assertThatThrownBy(() -> Chain.of(lstmLayer(), new Dropout(0.1), Linear.of(5, 2, INIT, rng)))
          .hasMessage("chain: layer 2, Linear, reads 5 features, layer 1 gives 4");
      assertThatThrownBy(() -> Chain.of(lstmLayer(), Embedding.of(4, 2, INIT, rng)))
          .hasMessageContaining("it can only come first");
      assertThatThrownBy(() -> new Chain(List.of())).hasMessageContaining("at least one layer");
      var chain = Chain.of(lstmLayer());
      Tensor x = rng.normal(carousel.tensor.DType.F32, 0, 1, 2, 1, 3);
      var states = chain.run(x).states();
      assertThatThrownBy(() -> Chain.of(lstmLayer(), lstm4()).run(x, states))
          .hasMessageContaining("1 initial states for 2 cells");
    }
  }

  private Recurrent<?> lstm4() {
    return Recurrent.of(lstm(4, 4));
  }

  private Recurrent<?> lstmLayer() {
    return Recurrent.of(lstm(3, 4));
  }

  private Lstm lstm(int inputs, int hidden) {
    return Lstm.of(inputs, hidden, INIT, rng);
  }

  @Test
  void nothingTakesThePlaceOfAPipe() throws Exception {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    try (var scope = TensorScope.open()) {
      var chain = Chain.of(Linear.of(2, 1, Init.normal(1), Philox.of(1)));
      assertThatThrownBy(() -> Onnx.save(pipe, chain))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(pipe + ": is a ");
    }
    assertThat(Files.isRegularFile(pipe)).isFalse();
  }
}
