package carousel.exchange.pytorch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Sequential;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Noise;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table; PyTorchTest holds it against PyTorch itself. */
class StateDictTest {
  private static final Init INIT = Init.uniform(1);
  private final Philox rng = Philox.of(7);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** A module with all that the table knows. */
  record Model(
      Embedding embed,
      Sequence lstm,
      List<Linear> hidden,
      LayerNorm norm,
      Parameter scale,
      Dropout dropout)
      implements Layer {}

  private Model model() {
    var pair = Bidirectional.of(Lstm.of(3, 2, INIT, rng), Lstm.of(3, 2, INIT, rng));
    var above = Bidirectional.of(Lstm.of(4, 2, INIT, rng), Lstm.of(4, 2, INIT, rng));
    return new Model(
        Embedding.of(9, 3, INIT, rng),
        Stacked.of(pair, above),
        List.of(Linear.of(4, 5, INIT, rng), Linear.withoutBias(5, 6, INIT, rng)),
        LayerNorm.of(6),
        INIT.parameter(rng),
        new Dropout(0.5));
  }

  private Tensor get(Map<String, Tensor> tensors, String name) {
    return Objects.requireNonNull(tensors.get(name), name);
  }

  @Test
  void namesAreThoseOfTheModule() {
    var shapes = new LinkedHashMap<String, String>();
    StateDict.of(model()).forEach((name, tensor) -> shapes.put(name, tensor.shape().toString()));
    assertThat(shapes.toString())
        .isEqualTo(
            "{embed.weight=[9,3],"
                + " lstm.weight_ih_l0=[8,3], lstm.weight_hh_l0=[8,2],"
                + " lstm.bias_ih_l0=[8], lstm.bias_hh_l0=[8],"
                + " lstm.weight_ih_l0_reverse=[8,3], lstm.weight_hh_l0_reverse=[8,2],"
                + " lstm.bias_ih_l0_reverse=[8], lstm.bias_hh_l0_reverse=[8],"
                + " lstm.weight_ih_l1=[8,4], lstm.weight_hh_l1=[8,2],"
                + " lstm.bias_ih_l1=[8], lstm.bias_hh_l1=[8],"
                + " lstm.weight_ih_l1_reverse=[8,4], lstm.weight_hh_l1_reverse=[8,2],"
                + " lstm.bias_ih_l1_reverse=[8], lstm.bias_hh_l1_reverse=[8],"
                + " hidden.0.weight=[5,4], hidden.0.bias=[5], hidden.1.weight=[6,5],"
                + " norm.weight=[6], norm.bias=[6], scale=[]}");
  }

  @Test
  void everyWeightGoesThereAndBack() {
    var one = model();
    for (var named : one.parameters()) {
      named.parameter().assign(rng.normal(DType.F32, 0, 1, named.value().shape().toArray()));
    }
    var other = model();
    StateDict.load(other, StateDict.of(one));
    for (var named : one.parameters()) {
      var there = other.parameters().get(named.name()).value();
      assertThat(there.sameValues(named.value())).as(named.name()).isTrue();
    }
  }

  @Test
  void twoBiasesAreOne() {
    var cell = Lstm.of(1, 1, INIT, rng);
    var lstm = Recurrent.of(cell);
    var given = new LinkedHashMap<>(StateDict.of(lstm));
    given.put("bias_ih_l0", Tensor.of(1f, 2, 3, 4));
    given.put("bias_hh_l0", Tensor.of(10f, 20, 30, 40));
    StateDict.load(lstm, given);
    var both = RecurrentModule.LSTM.from(cell.gates(), requireNonNull(cell.b()).value(), 0);
    assertThat(both.toFloatArray()).containsExactly(11, 22, 33, 44);
    var back = StateDict.of(lstm);
    assertThat(get(back, "bias_ih_l0").toFloatArray()).containsExactly(11, 22, 33, 44);
    assertThat(get(back, "bias_hh_l0").toFloatArray()).containsExactly(0, 0, 0, 0);
  }

  @Test
  void theBiasInsideTheResetStaysApart() {
    var cell = GruResetAfter.of(1, 1, INIT, rng);
    var gru = Recurrent.of(cell);
    var given = new LinkedHashMap<>(StateDict.of(gru));
    given.put("bias_ih_l0", Tensor.of(1f, 2, 3));
    given.put("bias_hh_l0", Tensor.of(10f, 20, 30));
    StateDict.load(gru, given);
    var outer = RecurrentModule.GRU.from(cell.gates(), requireNonNull(cell.b()).value(), 0);
    assertThat(outer.toFloatArray()).containsExactly(11, 22, 3);
    assertThat(requireNonNull(cell.bh()).value().toFloatArray()).containsExactly(30);
    assertThat(get(StateDict.of(gru), "bias_hh_l0").toFloatArray()).containsExactly(0, 0, 30);
  }

  @Test
  void aCellOnItsOwnHasNoLayerInItsNames() {
    record Step(Elman rnn) implements Layer {}
    assertThat(StateDict.of(new Step(Elman.of(Activation.RELU, 2, 3, INIT, rng))).keySet())
        .containsExactly("rnn.weight_ih", "rnn.weight_hh", "rnn.bias_ih", "rnn.bias_hh");
  }

  @Test
  void allDifferencesAreReportedAtOnceAndNothingChanges() {
    var model = model();
    var before = new LinkedHashMap<String, Tensor>();
    for (var named : model.parameters()) {
      before.put(named.name(), named.value().copy());
    }
    var given = new LinkedHashMap<>(StateDict.of(model()));
    given.put("hidden.0.weight", Tensor.zeros(4, 5));
    given.put("hidden.1.weight", Tensor.zeros(DType.F64, 6, 5));
    given.put("lstm.weight_ih_l2", Tensor.zeros(8, 4));
    given.put("hidden.1.bias", Tensor.zeros(6));
    given.keySet().removeIf(name -> name.endsWith("_reverse") && name.startsWith("lstm.bias"));
    assertThatThrownBy(() -> StateDict.load(model, given))
        .isInstanceOf(TensorException.class)
        .hasMessage(
            """
            state dict: nothing was loaded, differences: 8
              missing: lstm.bias_ih_l0_reverse F32 [8]
              missing: lstm.bias_hh_l0_reverse F32 [8]
              missing: lstm.bias_ih_l1_reverse F32 [8]
              missing: lstm.bias_hh_l1_reverse F32 [8]
              does not fit: hidden.0.weight F32 [5,4], given F32 [4,5]
              does not fit: hidden.1.weight F32 [6,5], given F64 [6,5]
              unexpected: lstm.weight_ih_l2 F32 [8,4]
              unexpected: hidden.1.bias F32 [6]\
            """);
    for (var named : model.parameters()) {
      assertThat(named.value().sameValues(get(before, named.name()))).isTrue();
    }
  }

  /** Modules within modules, as a state_dict prefixes them. */
  record Translator(Encoder encoder, Sequence decoder) implements Layer {}

  record Encoder(Sequence rnn) implements Layer {}

  private Translator translator() {
    var pair =
        Bidirectional.of(GruResetAfter.of(3, 2, INIT, rng), GruResetAfter.of(3, 2, INIT, rng));
    var model = new Translator(new Encoder(pair), lstm(4, 2));
    for (var named : model.parameters()) {
      named.parameter().value().fill(3);
    }
    return model;
  }

  private void clearBiases(Layer layer) {
    for (var named : layer.parameters()) {
      if (named.value().rank() == 1) {
        named.value().fill(0);
      }
    }
  }

  @Test
  void aModuleWithoutBiasesHasZeros() {
    var model = translator();
    var given = new LinkedHashMap<>(StateDict.of(translator()));
    given.keySet().removeIf(name -> name.startsWith("encoder.rnn.bias"));
    given.replaceAll((name, tensor) -> Tensor.full(DType.F32, 5, tensor.shape().toArray()));
    StateDict.load(model, given);
    for (var named : model.parameters()) {
      var isBias = named.value().rank() == 1;
      var expected = named.name().startsWith("decoder") ? isBias ? 10 : 5 : isBias ? 0 : 5;
      assertThat(named.value().sub(expected).abs().max().item()).as(named.name()).isZero();
    }
    assertThat(StateDict.of(model, Set.of("encoder.rnn"))).containsOnlyKeys(given.keySet());
    assertThat(StateDict.of(model)).hasSize(given.size() + 4);
  }

  @Test
  void aLayerOrDirectionWithoutBiasesIsMissingThem() {
    var model = translator();
    var given = new LinkedHashMap<>(StateDict.of(model));
    given.keySet().removeIf(name -> name.startsWith("encoder.rnn.bias_ih_l0"));
    given.remove("encoder.rnn.bias_hh_l0_reverse");
    assertThatThrownBy(() -> StateDict.load(model, given))
        .hasMessage(
            """
            state dict: nothing was loaded, differences: 3
              missing: encoder.rnn.bias_ih_l0 F32 [6]
              missing: encoder.rnn.bias_ih_l0_reverse F32 [6]
              missing: encoder.rnn.bias_hh_l0_reverse F32 [6]\
            """);
  }

  @Test
  void aModuleThatIsNotThereIsMissingItsBiases() {
    var model = lstm(2, 3);
    assertThatThrownBy(() -> StateDict.load(model, Map.of()))
        .hasMessageContaining("differences: 4")
        .hasMessageContaining("missing: bias_ih_l0 F32 [12]");
  }

  @Test
  void layersAndDirectionsOfAModuleWithoutBiasesAreCompared() {
    var two = Stacked.of(lstm(2, 2), lstm(2, 2));
    clearBiases(two);
    var given = new LinkedHashMap<>(StateDict.of(two, Set.of("")));
    assertThat(given).hasSize(4);
    assertThatThrownBy(() -> StateDict.load(lstm(2, 2), given))
        .hasMessage(
            """
            state dict: nothing was loaded, differences: 2
              unexpected: weight_ih_l1 F32 [8,2]
              unexpected: weight_hh_l1 F32 [8,2]\
            """);
    var pairs = Bidirectional.of(Lstm.of(2, 2, INIT, rng), Lstm.of(2, 2, INIT, rng));
    assertThatThrownBy(() -> StateDict.load(pairs, given))
        .hasMessage(
            """
            state dict: nothing was loaded, differences: 4
              missing: weight_ih_l0_reverse F32 [8,2]
              missing: weight_hh_l0_reverse F32 [8,2]
              unexpected: weight_ih_l1 F32 [8,2]
              unexpected: weight_hh_l1 F32 [8,2]\
            """);
  }

  @Test
  void biasesThatAreNotZeroAreNotLeftOut() {
    var model = translator();
    assertThatThrownBy(() -> StateDict.of(model, Set.of("encoder.rnn")))
        .isInstanceOf(TensorException.class)
        .hasMessage(
            "state dict: encoder.rnn.bias_ih_l0 F32 [6] is not 0,"
                + " so encoder.rnn has biases: make it with bias=True");
    clearBiases(model.encoder());
    model.parameters().get("encoder.rnn.backward.cell.bh").value().fill(1);
    assertThatThrownBy(() -> StateDict.of(model, Set.of("encoder.rnn")))
        .hasMessageStartingWith("state dict: encoder.rnn.bias_hh_l0_reverse F32 [6] is not 0");
    assertThatThrownBy(() -> StateDict.of(model, Set.of("encoder")))
        .hasMessage(
            "state dict: 'encoder' is not a recurrent module; these are: [encoder.rnn, decoder]");
  }

  @Test
  void aProjectionIsOneDifference() {
    var given = new LinkedHashMap<>(StateDict.of(translator()));
    given.put("decoder.weight_hh_l0", Tensor.zeros(8, 1));
    given.put("decoder.weight_hr_l0", Tensor.zeros(1, 2));
    given.put("decoder.weight_hr_l1", Tensor.zeros(1, 2));
    given.remove("encoder.rnn.weight_ih_l0");
    assertThatThrownBy(() -> StateDict.load(translator(), given))
        .hasMessage(
            """
            state dict: nothing was loaded, differences: 2
              does not fit: decoder.weight_hr_l0, an LSTM with proj_size, which no layer here is
              missing: encoder.rnn.weight_ih_l0 F32 [6,3]\
            """);
  }

  record Tied(Linear first, Linear second) implements Layer {}

  @Test
  void aTiedWeightMayStandUnderOneNameOrUnderAll() {
    var linear = Linear.of(2, 3, INIT, rng);
    var tied = new Tied(linear, linear);
    var given = new LinkedHashMap<>(StateDict.of(new Tied(linear, linear)));
    assertThat(given).hasSize(4);
    given.replaceAll((name, tensor) -> tensor.onesLike());
    StateDict.load(tied, given);
    given.remove("first.weight");
    given.put("second.weight", Tensor.full(DType.F32, 2, 3, 2));
    StateDict.load(tied, given);
    assertThat(linear.weight().value().sum().item()).isEqualTo(12);
    given.put("first.weight", Tensor.ones(3, 2));
    assertThatThrownBy(() -> StateDict.load(tied, given))
        .hasMessageContaining(
            "one weight in the model, two values: first.weight and second.weight");
    given.remove("first.weight");
    given.remove("second.weight");
    assertThatThrownBy(() -> StateDict.load(tied, given))
        .hasMessageEndingWith("differences: 1\n  missing: first.weight F32 [3,2]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"elman-identity", "jordan", "leaky", "peephole", "matrix-peephole", "cifg", "gru"})
  void cellsThatPyTorchLacksAreNamed(String name) {
    record Holder(Sequence rnn) implements Layer {}
    Cell<?> cell = Cells.of(name, 2, 2, INIT, rng);
    var type = cell.getClass().getSimpleName();
    assertThatThrownBy(() -> StateDict.of(new Holder(Recurrent.of(cell))))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("state dict: rnn: PyTorch has no " + type)
        .hasMessageEndingWith(
            "; it has LSTM, GRU (GruResetAfter) and RNN with tanh or ReLU (Elman);"
                + " Safetensors.save keeps it under our own names");
    assertThatThrownBy(() -> StateDict.load(cell, Map.of()))
        .hasMessageStartingWith("state dict: PyTorch has no " + type);
  }

  @Test
  void everyCellIsMappedOrRefused() {
    for (var name : Cells.names()) {
      var cell = Cells.of(name, 2, 2, INIT, rng);
      try {
        assertThat(StateDict.of(cell)).hasSize(4);
      } catch (TensorException refused) {
        assertThat(refused).hasMessageContaining("PyTorch has no");
      }
    }
  }

  private Recurrent<?> lstm(int inputs, int hidden) {
    return Recurrent.of(Lstm.of(inputs, hidden, INIT, rng));
  }

  @Test
  void arrangementsThatPyTorchLacksAreNamed() {
    refused(
        Stacked.of(lstm(2, 3), lstm(3, 4)), "a stack of unlike layers, LSTM of 3 and LSTM of 4");
    refused(
        Stacked.of(lstm(2, 2), Recurrent.of(GruResetAfter.of(2, 2, INIT, rng))),
        "a stack of unlike layers, LSTM of 2 and GRU of 2");
    refused(
        Stacked.of(
            Recurrent.of(Elman.of(Activation.TANH, 2, 2, INIT, rng)),
            Recurrent.of(Elman.of(Activation.RELU, 2, 2, INIT, rng))),
        "unlike layers, RNN TANH of 2 and RNN RELU of 2");
    refused(
        Stacked.of(
            lstm(2, 2), Bidirectional.of(Lstm.of(2, 2, INIT, rng), Lstm.of(2, 2, INIT, rng))),
        "LSTM of 2 and bidirectional LSTM of 2");
    refused(
        Bidirectional.of(Lstm.of(2, 2, INIT, rng), Lstm.of(2, 3, INIT, rng)),
        "directions that differ, LSTM of 2 and LSTM of 3");
    refused(Recurrent.reverse(Lstm.of(2, 2, INIT, rng)), "a reverse layer without a forward one");
    refused(lstm(2, 2).withLearnedStart(), "a learned initial state");
    refused(Stacked.of(Stacked.of(lstm(2, 2))), "Stacked in a stack");
  }

  private static void refused(Layer layer, String message) {
    assertThatThrownBy(() -> StateDict.of(layer))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("state dict: PyTorch has no ")
        .hasMessageContaining(message);
  }

  @Test
  void noiseIsNoPartOfIt() {
    var plain = Recurrent.of(Lstm.of(2, 3, Init.normal(1), Philox.of(1)));
    var noisy = plain.withNoise(Noise.none().inputs(0.5).zoneout(0.1, 0.1));
    assertThat(StateDict.of(noisy).keySet()).isEqualTo(StateDict.of(plain).keySet());
  }

  @Test
  void aLoadThatNeedNotBeWhole() {
    var trained = model();
    var fresh = model();
    var given = new LinkedHashMap<>(StateDict.of(trained));
    given.remove("hidden.1.weight");
    given.put("classifier.weight", Tensor.zeros(2, 2));
    var kept = fresh.hidden().get(1).weight().value().copy();
    var report = StateDict.loadMatching(fresh, given);
    assertThat(report.missing()).containsExactly("hidden.1.weight");
    assertThat(report.unexpected()).containsExactly("classifier.weight");
    assertThat(report.loaded()).hasSize(given.size() - 1).doesNotContain("hidden.1.weight");
    assertThat(fresh.hidden().get(1).weight().value().sameValues(kept)).isTrue();
    assertThat(get(StateDict.of(fresh), "lstm.weight_hh_l1_reverse"))
        .matches(w -> w.sameValues(get(given, "lstm.weight_hh_l1_reverse")));
    given.put("embed.weight", Tensor.zeros(9, 4));
    assertThatThrownBy(() -> StateDict.loadMatching(fresh, given))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("does not fit: embed.weight F32 [9,3], given F32 [9,4]")
        .hasMessageContaining("differences: 1");
  }

  @Test
  void sequentialsAndTiedWeightsAreNamedAsThere() {
    record Language(Embedding encoder, Sequential net, TiedLinear decoder) implements Layer {}
    var encoder = Embedding.of(9, 3, INIT, rng);
    var net = Sequential.of(Linear.of(3, 4, INIT, rng), Tensor::tanh, Linear.of(4, 3, INIT, rng));
    var model = new Language(encoder, net, Linear.tied(encoder));
    var there = StateDict.of(model);
    assertThat(there.keySet())
        .containsExactly(
            "encoder.weight",
            "net.0.weight",
            "net.0.bias",
            "net.2.weight",
            "net.2.bias",
            "decoder.weight",
            "decoder.bias");
    assertThat(get(there, "decoder.weight").shape()).isEqualTo(Shape.of(9, 3));
    assertThat(get(there, "net.0.weight").shape()).isEqualTo(Shape.of(4, 3));
    // Files keep one name of a shared weight; two that differ are two weights.
    var one = new LinkedHashMap<>(there);
    one.replaceAll((name, tensor) -> tensor.copy());
    one.remove("encoder.weight");
    one.put("decoder.weight", Tensor.full(DType.F32, 0.25, 9, 3));
    StateDict.load(model, one);
    assertThat(encoder.weight().value().toFloatArray()).containsOnly(0.25f);
    one.put("encoder.weight", Tensor.zeros(9, 3));
    assertThatThrownBy(() -> StateDict.load(model, one))
        .hasMessageContaining(
            "one weight in the model, two values: encoder.weight and decoder.weight");
    assertThat(StateDict.of(net).keySet()).startsWith("0.weight", "0.bias", "2.weight");
  }

  @Test
  void cellsWithoutBiasesAreModulesWithoutBiases() {
    record Biasless(Stacked rnn) implements Layer {}
    var model =
        new Biasless(
            Stacked.of(
                Recurrent.of(GruResetAfter.of(2, 3, INIT, rng).withoutBias()),
                Recurrent.of(GruResetAfter.of(3, 3, INIT, rng).withoutBias())));
    var there = new LinkedHashMap<>(StateDict.of(model));
    assertThat(there.keySet())
        .containsExactly(
            "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.weight_ih_l1", "rnn.weight_hh_l1");
    there.replaceAll((name, tensor) -> tensor.copy());
    StateDict.load(model, there);
    there.put("rnn.bias_ih_l0", Tensor.zeros(9));
    assertThatThrownBy(() -> StateDict.load(model, there))
        .hasMessageContaining("unexpected: rnn.bias_ih_l0");
    var mixed =
        Stacked.of(
            Recurrent.of(Lstm.of(2, 3, INIT, rng)),
            Recurrent.of(Lstm.of(3, 3, INIT, rng).withoutBias()));
    assertThatThrownBy(() -> StateDict.of(mixed))
        .hasMessageContaining("a stack of unlike layers, LSTM of 3 and LSTM of 3 without bias");
  }

  @Test
  void functionsAndMergesBelowALayerAreRefused() {
    assertThatThrownBy(() -> StateDict.of(Recurrent.of(Elman.of(Tensor::sin, 2, 3, INIT, rng))))
        .hasMessageContaining("PyTorch has no Elman with a function of your own");
    assertThatThrownBy(
            () -> StateDict.of(Recurrent.of(Elman.of(Activation.SIGMOID, 2, 3, INIT, rng))))
        .hasMessageContaining("PyTorch has no Elman with SIGMOID");
    var pair = Bidirectional.of(Lstm.of(2, 3, INIT, rng), Lstm.of(2, 3, INIT, rng));
    var merged = pair.withMerge(Bidirectional.Merge.ADD);
    assertThat(StateDict.of(merged).keySet()).isEqualTo(StateDict.of(pair).keySet());
    var above = Bidirectional.of(Lstm.of(3, 3, INIT, rng), Lstm.of(3, 3, INIT, rng));
    assertThatThrownBy(() -> StateDict.of(Stacked.of(merged, above)))
        .hasMessageContaining("directions below a layer that are merged by ADD");
    var mapped = Recurrent.of(Lstm.of(2, 3, INIT, rng)).then(LayerNorm.of(3));
    assertThat(StateDict.of(mapped).keySet()).contains("layer.weight_ih_l0", "maps.0.weight");
    assertThatThrownBy(() -> StateDict.of(Stacked.of(mapped)))
        .hasMessageContaining("PyTorch has no MappedSequence in a stack");
  }
}
