package carousel.exchange.onnx;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.I32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.nn.init.Init;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models that are given their batch first. The CPU kernels of ONNX Runtime refuse {@code layout = 1};
 * so an operator that has it is held against the same one without, of which {@link RefereeTest} knows
 * that it is right, its inputs and outputs transposed by hand.
 */
class BatchFirstTest {
  private static final int D = 3;
  private static final int H = 4;

  private final Philox rng = Philox.of(11);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** Two operators on top of each other, with random weights, from learned states. */
  private byte[] file(Operator operator, String direction, boolean batchFirst) {
    var weights = Philox.of(operator.ordinal());
    int sides = direction.equals("bidirectional") ? 2 : 1;
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "A", "B", D);
    String below = layer(g, "below", operator, direction, batchFirst, weights, "x", D);
    String above = layer(g, "above", operator, direction, batchFirst, weights, below, sides * H);
    String outputs = g.constant("outputs", weights.normal(F32, 0, 1, sides * H, 2));
    g.node("MatMul", "y", List.of(above, outputs));
    g.output("y", DataType.FLOAT, "A", "B", 2);
    return Operators.bytes(g.model());
  }

  private static String layer(
      GraphWriter g,
      String name,
      Operator operator,
      String direction,
      boolean batchFirst,
      Philox weights,
      String x,
      int inputs) {
    int sides = direction.equals("bidirectional") ? 2 : 1;
    int rows = operator.gates() * H;
    var in = new ArrayList<>(List.of(x));
    in.add(g.constant(name + ".W", weights.normal(F32, 0, 0.7, sides, rows, inputs)));
    in.add(g.constant(name + ".R", weights.normal(F32, 0, 0.7, sides, rows, H)));
    in.add(g.constant(name + ".B", weights.normal(F32, 0, 0.7, sides, 2 * rows)));
    in.add(name.equals("below") ? g.input("lengths", DataType.INT32, "N") : "lengths");
    Tensor start = weights.normal(F32, 0, 0.7, sides, 1, H);
    in.add(g.constant(name + ".start", batchFirst ? start.transpose(0, 1).contiguous() : start));
    var attributes = new ArrayList<>(List.of(GraphWriter.attribute("direction", direction)));
    if (batchFirst) {
      attributes.add(GraphWriter.attribute("layout", 1L));
    }
    g.node(operator.name(), name, in, List.of(name + ".Y", name + ".Y_h"), attributes);
    String y = name + ".Y";
    if (sides == 1) {
      return g.node(
          "Squeeze", name + ".y", List.of(y, g.constant(name + ".axis", batchFirst ? 2 : 1)));
    }
    String side = batchFirst ? y : name + ".side";
    if (!batchFirst) {
      g.node("Transpose", side, List.of(y), GraphWriter.attribute("perm", 0, 2, 1, 3));
    }
    return g.node("Reshape", name + ".y", List.of(side, g.constant(name + ".shape", 0, 0, -1)));
  }

  @ParameterizedTest
  @CsvSource({
    "LSTM,forward",
    "LSTM,reverse",
    "LSTM,bidirectional",
    "GRU,forward",
    "GRU,bidirectional",
    "RNN,reverse",
    "RNN,bidirectional"
  })
  void layoutOneIsTheSameTransposed(Operator operator, String direction) throws IOException {
    var timeFirst = Onnx.parse(file(operator, direction, false)).chain();
    var batchFirst = Onnx.parse(file(operator, direction, true)).chain();
    assertThat(kinds(batchFirst.layers()))
        .isEqualTo(
            direction.equals("bidirectional")
                ? List.of("Transpose", "Bidirectional", "Bidirectional", "Transpose", "Linear")
                : List.of("Transpose", "Recurrent", "Recurrent", "Transpose", "Linear"));
    Tensor x = rng.normal(F32, 0, 1, 6, 5, D); // [T,N,D]
    Tensor lengths = Tensor.of(6, 2, 1, 5, 3);
    var expected = timeFirst.run(x, lengths);
    var run = batchFirst.run(x.transpose(0, 1).contiguous(), lengths);
    assertThat(run.y().transpose(0, 1).toFloatArray()).isEqualTo(expected.y().toFloatArray());
    for (int i = 0; i < expected.states().size(); i++) {
      var states = expected.states().get(i).tensors().iterator();
      for (var state : run.states().get(i).tensors()) {
        assertThat(state.toFloatArray()).isEqualTo(states.next().toFloatArray());
      }
    }

    var written = written(batchFirst, Onnx.Input.LENGTHS);
    assertThat(kinds(Onnx.parse(written).chain().layers())).isEqualTo(kinds(batchFirst.layers()));
    try (var runtime = OnnxRuntime.open(written)) {
      Tensor theirs =
          runtime.run(Map.of("x", x.transpose(0, 1).contiguous(), "lengths", lengths)).get("y");
      assertThat(theirs.sub(run.y()).abs().max().item()).isLessThan(1e-5);
    }
  }

  private static List<String> kinds(List<?> layers) {
    return layers.stream().map(layer -> layer.getClass().getSimpleName()).toList();
  }

  private static byte[] written(Chain chain, Onnx.Input... inputs) throws IOException {
    var wanted = EnumSet.noneOf(Onnx.Input.class);
    wanted.addAll(List.of(inputs));
    var out = new ByteArrayOutputStream();
    Onnx.write(Channels.newChannel(out), chain, wanted);
    return out.toByteArray();
  }

  @Test
  void layoutIsZeroOrOne() {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "N", "T", D);
    g.constant("W", Tensor.ones(1, H, D));
    g.constant("R", Tensor.ones(1, H, H));
    g.node("RNN", "y", List.of("x", "W", "R"), GraphWriter.attribute("layout", 2L));
    g.output("y", DataType.FLOAT, "N", "T", 1, H);
    assertThatThrownBy(() -> Onnx.parse(Operators.bytes(g.model())))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("node 'y' (RNN): attribute layout is 2; it can be 0 or 1");
  }

  /** The axes of a learned state are swapped, too: [N,directions,H]. */
  @Test
  void anInitialStateOfTheOtherLayoutDoesNotFit() {
    for (var batchFirst : List.of(false, true)) {
      var g = new GraphWriter();
      g.input("x", DataType.FLOAT, "A", "B", D);
      layer(g, "below", Operator.RNN, "bidirectional", !batchFirst, rng, "x", D);
      g.node(
          "RNN",
          "y",
          List.of("x", "below.W", "below.R", "", "", "below.start"),
          GraphWriter.attribute("direction", "bidirectional"),
          GraphWriter.attribute("layout", batchFirst ? 1L : 0L));
      g.output("y", DataType.FLOAT, "A", "B", 2, H);
      assertThatThrownBy(() -> Onnx.parse(Operators.bytes(g.model())))
          .hasMessageContaining(
              batchFirst
                  ? "initial_h has the shape [2,1,4], wanted is [N,2,4]"
                  : "initial_h has the shape [1,2,4], wanted is [2,N,4]");
    }
  }

  @Test
  void tokensMayBeTransposedBeforeTheyAreLookedUp() throws IOException {
    var init = Init.normal(0.5);
    var embed = Embedding.of(7, D, init, rng);
    var pair =
        Bidirectional.of(GruResetAfter.of(D, H, init, rng), GruResetAfter.of(D, H, init, rng));
    var learned = Recurrent.of(Lstm.of(2 * H, H, init, rng)).withLearnedStart();
    learned.start().getFirst().value().fill(0.5);
    var head = Linear.of(H, 7, init, rng);
    var chain = Chain.of(new Transpose(), embed, pair, learned, head);
    Tensor tokens = rng.uniform(F32, 0, 7, 3, 8).floor().cast(I32); // [N,T]
    Tensor y = chain.apply(tokens);
    Tensor plain = Chain.of(embed, pair, learned, head).apply(tokens.transpose(0, 1).contiguous());
    assertThat(y.toFloatArray()).isEqualTo(plain.toFloatArray());
    var written = written(chain);
    var again = Onnx.parse(written).chain();
    assertThat(kinds(again.layers())).isEqualTo(kinds(chain.layers()));
    assertThat(again.apply(tokens).toFloatArray()).isEqualTo(y.toFloatArray());
    try (var runtime = OnnxRuntime.open(written)) {
      Tensor theirs = runtime.run(Map.of("tokens", tokens)).get("y");
      assertThat(theirs.sub(y).abs().max().item()).isLessThan(1e-5);
    }
  }

  @Test
  void allSequencesOfAChainGoAlongOneAxis() {
    var lstm = Recurrent.of(Lstm.of(D, D, Init.normal(0.5), rng));
    assertThatThrownBy(() -> Chain.of(new Transpose(), lstm, new Transpose(), lstm))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("chain: layer 3, Recurrent, reads batch and time swapped");
    assertThat(Chain.of(lstm, new Transpose(), new Transpose(), lstm).layers()).hasSize(4);
  }
}
