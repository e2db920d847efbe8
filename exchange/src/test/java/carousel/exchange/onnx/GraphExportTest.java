package carousel.exchange.onnx;

import static carousel.tensor.DType.F32;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
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

/** Models that are no chains, put together here, written, and run by ONNX Runtime. */
class GraphExportTest {
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

  private Tensor normal(int... dims) {
    return rng.normal(F32, 0, 0.7, dims);
  }

  private static Graph check(Draft draft, Map<String, Tensor> inputs) {
    var graph = draft.graph();
    return Agreement.check(Agreement.written(graph), graph, inputs);
  }

  @Test
  void aClassifierIsAChain() throws IOException {
    var pair = Bidirectional.of(Lstm.of(3, 4, INIT, rng), Lstm.of(3, 4, INIT, rng));
    for (var head :
        List.of(
            Operation.softmax(),
            Operation.logSoftmax(),
            Operation.sigmoid(),
            Operation.relu(),
            Operation.tanh())) {
      var chain =
          Chain.of(new Transpose(), pair, Operation.last(), Linear.of(8, 5, INIT, rng), head);
      var path = folder.resolve("classifier.onnx");
      Onnx.save(path, chain);
      Tensor x = normal(3, 6, 3);
      var graph = Onnx.load(path);
      Tensor y = requireNonNull(graph.run(Map.of("x", x)).get("y"));
      assertThat(chain.apply(x).sameValues(y)).isTrue();
      assertThat(graph.chain().apply(x).sameValues(y)).isTrue();
      Agreement.check(Files.readAllBytes(path), graph, Map.of("x", x));
    }
  }

  @Test
  void residualsAndWhatStartsFromAnothersState() {
    var draft = new Draft();
    String source = draft.input("source", DataType.INT64, "S", "N");
    String target = draft.input("target", DataType.INT64, "T", "N");
    var table = Embedding.of(7, 4, INIT, rng);
    var encoder =
        Bidirectional.of(GruResetAfter.of(4, 2, INIT, rng), GruResetAfter.of(4, 2, INIT, rng));
    var decoder = Recurrent.of(Lstm.of(4, 4, INIT, rng)).withLearnedStart();
    decoder.start().get(1).value().fill(0.3);
    String read = draft.add(encoder, draft.add(table, source));
    String states = draft.finals(read).getFirst(); // [2,N,2]
    String whole = draft.add(Operation.concat(2, 2), halves(draft, states));
    // h is given, c is the layer's own.
    String words = draft.add(table, target);
    String y = draft.add(decoder, draft.add(LayerNorm.of(4), words), "", whole);
    String logits = draft.add(Linear.of(4, 7, INIT, rng), draft.add(Operation.add(), words, y));
    draft.output("probabilities", draft.add(Operation.softmax(), logits));
    draft.output("cell", draft.finals(y).get(1));
    var graph = check(draft, Map.of("source", tokens(5, 3), "target", tokens(4, 3)));
    assertThatThrownBy(graph::chain).hasMessageContaining("this is no chain of layers: ");
  }

  private static String[] halves(Draft draft, String states) {
    return new String[] {cut(draft, states, 0), cut(draft, states, 1)};
  }

  private static String cut(Draft draft, String states, int side) {
    var bounds = List.of(side, side + 1, 0);
    var operands = new java.util.ArrayList<Operation.Operand>();
    operands.add(new Operation.Operand.Given(0));
    for (var bound : bounds) {
      operands.add(new Operation.Operand.Constant(DataType.INT64, Tensor.of(new int[] {bound})));
    }
    return draft.add(new Operation("Slice", Map.of(), operands), states);
  }

  private Tensor tokens(int steps, int rows) {
    return rng.uniform(F32, 0, 7, steps, rows).floor().cast(DType.I32);
  }

  @Test
  void aStackAndItsLengths() {
    var draft = new Draft();
    String x = draft.input("x", DataType.FLOAT, "T", "N", "3");
    String lengths = draft.input("lengths", DataType.INT64, "N");
    String first = draft.add(Recurrent.of(Lstm.of(3, 4, INIT, rng)), x, lengths);
    String second = draft.add(Recurrent.reverse(Lstm.of(4, 4, INIT, rng)), first, lengths);
    draft.output("y", second);
    draft.output("h", draft.finals(first).getFirst());
    check(draft, Map.of("x", normal(5, 2, 3), "lengths", Tensor.of(5, 3)));
    var stacked = new Draft();
    var stack =
        Stacked.of(
            Recurrent.of(Lstm.of(3, 4, INIT, rng)),
            Recurrent.of(GruResetAfter.of(4, 4, INIT, rng)));
    stacked.output("y", stacked.add(stack, stacked.input("x", DataType.FLOAT, "T", "N", "3")));
    assertThat(check(stacked, Map.of("x", normal(5, 2, 3))).chain().layers()).hasSize(2);
  }

  @Test
  void doublesStayDoubles() {
    var draft = new Draft();
    String x = draft.input("x", DataType.DOUBLE, "T", "N", "3");
    var init = INIT.as(DType.F64);
    String y = draft.add(Recurrent.of(Lstm.of(3, 3, init, rng)), x);
    draft.output("y", draft.add(Operation.add(), x, y));
    var graph = draft.graph();
    var given = Map.of("x", rng.normal(DType.F64, 0, 1, 4, 2, 3));
    Tensor again = requireNonNull(Onnx.parse(Agreement.written(graph)).run(given).get("y"));
    assertThat(again.sameValues(requireNonNull(graph.run(given).get("y")))).isTrue();
    assertThat(again.dtype()).isEqualTo(DType.F64);
  }

  /** A classifier of PyTorch's can be trained on: every weight has the gradient that differences say. */
  @Test
  void whatIsReadHasGradients() throws IOException {
    for (var name : List.of("attention", "residual-old-norm")) {
      var graph = Onnx.parse(MakersTest.exported(name));
      Tensor x = name.equals("attention") ? normal(2, 5, 4) : normal(5, 2, 5);
      var weights = graph.parameters().stream().map(named -> named.value()).toList();
      var gradients = Grad.of(() -> graph.apply(x).square().sum(), weights.toArray(Tensor[]::new));
      for (int i = 0; i < weights.size(); i++) {
        Tensor weight = weights.get(i);
        Tensor kept = weight.copy();
        Tensor along = normal(weight.shape().toArray());
        double step = 1e-3;
        weight.assign(kept.add(along.mul(step)));
        double up = graph.apply(x).square().sum().item();
        weight.assign(kept.sub(along.mul(step)));
        double down = graph.apply(x).square().sum().item();
        weight.assign(kept);
        assertThat(gradients.get(i).mul(along).sum().item())
            .as("%s, %s", name, weight.shape())
            .isCloseTo((up - down) / (2 * step), org.assertj.core.api.Assertions.within(2e-2));
      }
    }
  }

  @Test
  void whatIsWrongWithAGraphIsSaid() {
    var draft = new Draft();
    draft.input("x", DataType.FLOAT, "T", "N", "3");
    draft.output("y", draft.add(Operation.add(), "x", "nothing"));
    assertThatThrownBy(draft::graph)
        .isInstanceOf(TensorException.class)
        .hasMessage("graph: 'nothing' is read before anything gives it");
    assertThatThrownBy(() -> Operation.of("Det", 1, Map.of()))
        .hasMessageContaining(
            "operation Det: is no operator that is computed here; those are [Abs,");
    assertThatThrownBy(() -> Operation.of("Softmax", 1, Map.of("axes", 1L)))
        .hasMessage("operation Softmax: attribute 'axes' is not known; known are [axis]");
    assertThatThrownBy(() -> Operation.of("Concat", 2, Map.of()))
        .hasMessage("operation Concat: attribute axis is missing");
    assertThatThrownBy(() -> Operation.of("Add", 3, Map.of()))
        .hasMessage("operation Add: reads 2 operands, got 3");
    assertThatThrownBy(() -> Chain.of(Operation.add()))
        .hasMessageContaining("chain: layer 0, Add, reads 2 tensors");
  }
}
