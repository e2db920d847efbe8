package carousel.exchange.onnx;

import static carousel.tensor.DType.F32;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Transform;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Residual;
import carousel.nn.layer.Sequential;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Bidirectional.Merge;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cifg;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that are made of layers, written, and run by ONNX Runtime. */
class ComposedLayersTest {
  private static final Init INIT = Init.normal(0.5);

  private final Philox rng = Philox.of(3);
  private TensorScope scope;

  @TempDir Path folder;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Linear linear(int in, int out) {
    return Linear.of(in, out, INIT, INIT, rng);
  }

  /** Written and run elsewhere, and read again, a chain gives what it gives here. */
  private Graph check(Chain chain, String input, Tensor x) throws IOException {
    var path = folder.resolve("composed.onnx");
    Onnx.save(path, chain);
    var graph = Onnx.load(path);
    Tensor y = requireNonNull(graph.run(Map.of(input, x)).get("y"));
    assertThat(y.allClose(chain.apply(x), 1e-6, 1e-6)).isTrue();
    return Agreement.check(Files.readAllBytes(path), graph, Map.of(input, x));
  }

  private Tensor normal(int... dims) {
    return rng.normal(F32, 0, 0.7, dims);
  }

  @Test
  void sequentialsActivationsAndResiduals() throws IOException {
    var net =
        Sequential.of(
            linear(3, 4),
            Activation.TANH,
            new Residual(Sequential.of(LayerNorm.of(4), linear(4, 4), Activation.RELU)),
            new Dropout(0.5),
            Activation.IDENTITY,
            Sequential.of(linear(4, 2), Activation.SIGMOID));
    var chain = Chain.of(net);
    assertThat(chain.layers()).as("what is in it counts").hasSize(7);
    check(chain, "x", normal(5, 2, 3));
  }

  @Test
  void sequencesWithTransformsAndResiduals() throws IOException {
    var stack =
        Stacked.of(
            Recurrent.of(Lstm.of(3, 4, INIT, rng))
                .then(LayerNorm.of(4), linear(4, 5), Activation.TANH),
            Recurrent.of(GruResetAfter.of(5, 5, INIT, rng)).residual(),
            Bidirectional.of(
                Elman.of(Activation.SIGMOID, 5, 2, INIT, rng),
                Elman.of(Activation.RELU, 5, 2, INIT, rng)));
    var chain = Chain.of(stack, linear(4, 3));
    var graph = check(chain, "x", normal(5, 2, 3));
    assertThat(graph.outputs()).hasSize(1 + 4);
    assertThatThrownBy(() -> Onnx.save(folder.resolve("no.onnx"), chain, Onnx.Input.LENGTHS))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("layers.0.layers.0, MappedSequence, cannot be exported with LENGTHS");
    var draft = new Draft();
    String x = draft.input("x", DataType.FLOAT, "T", "N", "3");
    draft.output("y", draft.add(linear(4, 3), draft.add(stack, x)));
    var drafted = draft.graph();
    Agreement.check(Agreement.written(drafted), drafted, Map.of("x", normal(4, 2, 3)));
  }

  @Test
  void mergedDirections() throws IOException {
    for (var merge : Merge.values()) {
      var pair =
          Bidirectional.of(Lstm.of(3, 4, INIT, rng), Lstm.of(3, 4, INIT, rng)).withMerge(merge);
      var chain = Chain.of(pair, linear(pair.outputs(), 2));
      var graph = check(chain, "x", normal(5, 2, 3));
      var given = Map.of("x", normal(4, 3, 3));
      assertThat(requireNonNull(graph.run(given).get("y")).shape().toString()).isEqualTo("[4,3,2]");
    }
  }

  @Test
  void aTiedTableIsInTheFileOnce() throws IOException {
    var embedding = Embedding.of(400, 6, INIT, rng);
    var chain = Chain.of(embedding, Recurrent.of(Lstm.of(6, 6, INIT, rng)), Linear.tied(embedding));
    assertThat(chain.parameters().names())
        .containsExactly(
            "layers.0.weight",
            "layers.1.cell.wx",
            "layers.1.cell.wh",
            "layers.1.cell.b",
            "layers.2.bias");
    Tensor tokens = rng.integers(0, 400, 5, 2);
    check(chain, "tokens", tokens);
    long tied = Files.size(folder.resolve("composed.onnx"));
    assertThat(tied).isLessThan(chain.parameters().count() * 4 + 4_000);
    check(Chain.of(embedding, Linear.tiedWithoutBias(embedding)), "tokens", tokens);
  }

  @Test
  void cellsWithoutBiases() throws IOException {
    List<Cell<?>> cells =
        List.of(
            Lstm.of(3, 4, INIT, rng).withoutBias(),
            PeepholeLstm.of(3, 4, INIT, rng).withoutBias(),
            Cifg.of(3, 4, INIT, rng).withoutBias(),
            GruResetBefore.of(3, 4, INIT, rng).withoutBias(),
            GruResetAfter.of(3, 4, INIT, rng).withoutBias(),
            Elman.of(Activation.TANH, 3, 4, INIT, rng).withoutBias());
    for (var cell : cells) {
      for (Sequence layer :
          List.of(Recurrent.of(cell), Recurrent.reverse(cell), Bidirectional.of(cell, cell))) {
        var graph = check(Chain.of(layer), "x", normal(5, 2, 3));
        var back = graph.chain().layers().getFirst();
        assertThat(back.parameters().names())
            .noneMatch(name -> name.endsWith(".b") || name.endsWith(".bh"));
        assertThat(graph.chain().apply(normal(2, 2, 3)).dtype()).isEqualTo(DType.F32);
      }
    }
    // One with and one without in a pair: the file has zeros for the other.
    var mixed = Bidirectional.of(Lstm.of(3, 4, INIT, rng), Lstm.of(3, 4, INIT, rng).withoutBias());
    requireNonNull(((Lstm) mixed.forward().cell()).b()).assign(normal(16));
    check(Chain.of(mixed), "x", normal(5, 2, 3));
  }

  @Test
  void functionsAreRefusedByName() {
    var cell = Elman.of(Tensor::softplus, 3, 4, INIT, rng);
    assertThatThrownBy(() -> Onnx.save(folder.resolve("no.onnx"), Chain.of(Recurrent.of(cell))))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("layers.0.cell.activation")
        .hasMessageContaining("ONNX names activations, and a function has no name");
    Transform f = Tensor::softplus;
    var chain = Chain.of(linear(3, 4), f);
    assertThat(chain.apply(normal(2, 2, 3)).shape().toString()).isEqualTo("[2,2,4]");
    assertThatThrownBy(() -> Onnx.save(folder.resolve("no.onnx"), chain))
        .hasMessageContaining("layers.1")
        .hasMessageContaining("cannot be exported: what it computes is not known");
  }
}
