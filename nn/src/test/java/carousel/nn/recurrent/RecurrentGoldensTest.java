package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The recurrent layers against PyTorch in F64: outputs, loss, every gradient, a Hessian-vector product
 * by all inputs at once, and the gradient of a gradient penalty; by kernels, and by bodies alone.
 */
class RecurrentGoldensTest {
  private static final double FIRST_ORDER = 1e-10;
  private static final double SECOND_ORDER = 1e-9;
  private static final List<String> H = List.of("h");
  private static final List<String> HC = List.of("h", "c");
  private static final List<String> ONE = List.of("");
  private static final List<String> BOTH = List.of("fwd.", "bwd.");
  private static final List<String> TWO = List.of("0.", "1.");

  /** The weights of a cell, by the names its golden gives them. */
  interface Weighted extends Function<String, Parameter> {}

  /** A file, the cell it is of, the names of its state, and the prefix of each of its layers. */
  record Row(
      String file, Function<Weighted, Cell<?>> cell, List<String> state, List<String> layers) {
    @Override
    public String toString() {
      return file;
    }
  }

  static Stream<Row> table() {
    Function<Weighted, Cell<?>> lstm = w -> new Lstm(w.apply("wx"), w.apply("wh"), w.apply("b"));
    Function<Weighted, Cell<?>> gru =
        w -> new GruResetAfter(w.apply("wx"), w.apply("wh"), w.apply("b"), w.apply("bh"));
    return Stream.of(
        new Row("rnn-tanh", elman(Activation.TANH), H, ONE),
        new Row("rnn-relu", elman(Activation.RELU), H, ONE),
        new Row("rnn-identity", elman(Activation.IDENTITY), H, ONE),
        new Row(
            "leaky",
            w -> new Leaky(Activation.TANH, 3, w.apply("wx"), w.apply("wh"), w.apply("b")),
            H,
            ONE),
        new Row("jordan", jordan(Activation.IDENTITY), List.of("y"), ONE),
        new Row("jordan-tanh", jordan(Activation.TANH), List.of("y"), ONE),
        new Row("lstm", lstm, HC, ONE),
        new Row("lstm-ragged", lstm, HC, ONE),
        new Row("lstm-ragged-zero", lstm, HC, ONE),
        new Row("lstm-two-layer", lstm, HC, TWO),
        new Row("lstm-bidirectional", lstm, HC, BOTH),
        new Row("lstm-ragged-bidirectional", lstm, HC, BOTH),
        new Row(
            "lstm-peephole-diagonal",
            w ->
                new PeepholeLstm(
                    w.apply("wx"),
                    w.apply("wh"),
                    w.apply("b"),
                    w.apply("pi"),
                    w.apply("pf"),
                    w.apply("po")),
            HC,
            ONE),
        new Row(
            "lstm-peephole-matrix",
            w ->
                new MatrixPeepholeLstm(
                    w.apply("wx"),
                    w.apply("wh"),
                    w.apply("b"),
                    w.apply("wci"),
                    w.apply("wcf"),
                    w.apply("wco")),
            HC,
            ONE),
        new Row("lstm-cifg", w -> new Cifg(w.apply("wx"), w.apply("wh"), w.apply("b")), HC, ONE),
        new Row("gru", gru, H, ONE),
        new Row("gru-bidirectional", gru, H, BOTH),
        new Row("gru-ragged-bidirectional", gru, H, BOTH),
        new Row(
            "gru-reset-before",
            w -> new GruResetBefore(w.apply("wx"), w.apply("wh:rz"), w.apply("wh:n"), w.apply("b")),
            H,
            ONE));
  }

  private static Function<Weighted, Cell<?>> elman(Activation f) {
    return w -> new Elman(f, w.apply("wx"), w.apply("wh"), w.apply("b"));
  }

  private static Function<Weighted, Cell<?>> jordan(Activation g) {
    return w ->
        new Jordan(
            Activation.TANH,
            g,
            w.apply("wx"),
            w.apply("wy"),
            w.apply("b"),
            w.apply("wo"),
            w.apply("c"));
  }

  @ParameterizedTest
  @MethodSource("table")
  void agreesWithPyTorch(Row row) {
    agree(row);
  }

  @ParameterizedTest
  @MethodSource("table")
  void agreesWithPyTorchWithoutKernels(Row row) {
    FusedContract.BODIES.run(() -> {
      agree(row);
      return row;
    });
  }

  private static void agree(Row row) {
    try (var scope = TensorScope.open()) {
      var golden = Golden.load(row.file);
      var inputs = new LinkedHashMap<String, Tensor>(); // what is differentiated by, by key
      inputs.put("x", tensor(golden, "x"));
      List<Cell<?>> cells = new ArrayList<>();
      List<RecurrentState> initial = new ArrayList<>();
      for (String layer : row.layers) {
        Cell<?> cell =
            row.cell.apply(name -> {
              var weight = Parameter.of(tensor(golden, layer + name));
              inputs.put(layer + name, weight.value());
              return weight;
            });
        cells.add(cell);
        initial.add(initial(golden, layer, row.state, cell, inputs));
      }
      // Nothing of the golden is left out: every input of the file is one of ours.
      assertThat(inputs.keySet().stream().map(key -> key.replaceAll(":.*", "")).distinct())
          .containsExactlyInAnyOrderElementsOf(golden.under("grad."));

      Sequence layer = layer(cells, row.layers);
      Tensor lengths =
          golden.tensors().containsKey("lengths")
              ? Tensor.of(golden.tensor("lengths").ints())
              : null;
      var run = layer.run(inputs.get("x"), initial, lengths);
      expectOutputs(golden, row, run);

      Tensor[] by = inputs.values().toArray(Tensor[]::new);
      Supplier<Tensor> loss = () -> loss(golden, row, layer.run(by[0], initial, lengths));
      var gradients = Grad.of(loss, by);
      golden.expect("loss", gradients.value().toDoubleArray(), FIRST_ORDER);
      var directions = inputs.keySet().stream().map(key -> tensor(golden, "v." + key)).toList();
      var products = Grad.hvp(loss, List.of(by), directions);
      var penalised = Grad.orZero(() -> penalty(Grad.orZero(loss, by), by.length), by);
      golden.expect("penalty", penalised.value().toDoubleArray(), FIRST_ORDER);
      int i = 0;
      for (String key : inputs.keySet()) {
        expect(golden, "grad." + key, gradients.get(i), FIRST_ORDER);
        expect(golden, "hvp." + key, products.get(i), SECOND_ORDER);
        expect(golden, "penalty." + key, penalised.get(i++), SECOND_ORDER);
      }
    }
  }

  private static <S extends RecurrentState> S initial(
      Golden golden, String layer, List<String> names, Cell<S> cell, Map<String, Tensor> inputs) {
    List<Tensor> tensors = new ArrayList<>();
    for (String name : names) {
      Tensor start = tensor(golden, layer + name + "0");
      inputs.put(layer + name + "0", start);
      tensors.add(start);
    }
    return RecurrentState.with(cell.zero(tensors.getFirst().dim(0)), tensors);
  }

  private static Sequence layer(List<Cell<?>> cells, List<String> layers) {
    if (layers.equals(BOTH)) {
      return Bidirectional.of(cells.getFirst(), cells.getLast());
    }
    var recurrent = cells.stream().map(Recurrent::of).toArray(Sequence[]::new);
    return recurrent.length == 1 ? recurrent[0] : Stacked.of(recurrent);
  }

  private static void expectOutputs(Golden golden, Row row, Sequence.Run run) {
    golden.expect("y", run.y().toDoubleArray(), FIRST_ORDER);
    for (int k = 0; k < row.layers.size(); k++) {
      for (int j = 0; j < row.state.size(); j++) {
        golden.expect(
            row.layers.get(k) + row.state.get(j) + "N",
            run.states().get(k).tensors().get(j).toDoubleArray(),
            FIRST_ORDER);
      }
    }
  }

  /** {@code ½ Σ |g|²} over the gradients of all inputs. */
  private static Tensor penalty(Gradients gradients, int inputs) {
    return IntStream.range(0, inputs)
        .mapToObj(i -> gradients.get(i).square().sum())
        .reduce(Tensor::add)
        .orElseThrow()
        .div(2);
  }

  /** {@code Σ w.k ⊙ k} over the outputs k: y and the final states. */
  private static Tensor loss(Golden golden, Row row, Sequence.Run run) {
    Tensor sum = run.y().mul(tensor(golden, "w.y")).sum();
    for (int k = 0; k < row.layers.size(); k++) {
      for (int j = 0; j < row.state.size(); j++) {
        Tensor w = tensor(golden, "w." + row.layers.get(k) + row.state.get(j) + "N");
        sum = sum.add(run.states().get(k).tensors().get(j).mul(w).sum());
      }
    }
    return sum;
  }

  /**
   * The tensor under a key. The GRU that resets before has one wh {@code [H,3H]} in the file and two
   * here: {@code wh:rz} are its first two blocks, {@code wh:n} its last.
   */
  private static Tensor tensor(Golden golden, String key) {
    int colon = key.indexOf(':');
    if (colon < 0) {
      return Tensor.of(Shape.of(golden.shape(key)), golden.values(key));
    }
    Tensor whole = tensor(golden, key.substring(0, colon));
    int h = whole.dim(0);
    return key.endsWith(":rz")
        ? whole.narrow(1, 0, 2 * h).contiguous()
        : whole.narrow(1, 2 * h, h).contiguous();
  }

  private static void expect(Golden golden, String key, Tensor actual, double tolerance) {
    if (key.contains(":")) {
      Tensor expected = tensor(golden, key);
      assertThat(actual.allClose(expected, tolerance, tolerance))
          .as("%s/%s", golden.name(), key)
          .isTrue();
    } else {
      golden.expect(key, actual.toDoubleArray(), tolerance);
    }
  }
}
