package carousel.exchange.pytorch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is missing, unexpected or of another shape; and modules that are made with {@code bias=False}. */
class StateDictDifferencesTest {
  private static final Init INIT = Init.uniform(1);
  private final Philox rng = Philox.of(7);
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void allDifferencesAreReportedAtOnceAndNothingChanges() {
    var model = Model.of(rng);
    var before = new LinkedHashMap<String, Tensor>();
    for (var named : model.parameters()) {
      before.put(named.name(), named.value().copy());
    }
    var given = new LinkedHashMap<>(StateDict.of(Model.of(rng)));
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
      assertThat(named.value().sameValues(requireNonNull(before.get(named.name())))).isTrue();
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
      boolean isBias = named.value().rank() == 1;
      int expected = named.name().startsWith("decoder") ? isBias ? 10 : 5 : isBias ? 0 : 5;
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

  private Recurrent<?> lstm(int inputs, int hidden) {
    return Recurrent.of(Lstm.of(inputs, hidden, INIT, rng));
  }
}
