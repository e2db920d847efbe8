package carousel.exchange.pytorch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Sequential;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Noise;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The table; PyTorchTest holds it against PyTorch itself. */
class StateDictTest {
  private static final Init INIT = Init.uniform(1);
  private final Philox rng = Philox.of(7);
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor get(Map<String, Tensor> tensors, String name) {
    return requireNonNull(tensors.get(name), name);
  }

  @Test
  void namesAreThoseOfTheModule() {
    var shapes = new LinkedHashMap<String, String>();
    StateDict.of(Model.of(rng))
        .forEach((name, tensor) -> shapes.put(name, tensor.shape().toString()));
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
    var one = Model.of(rng);
    for (var named : one.parameters()) {
      named.parameter().assign(rng.normal(DType.F32, 0, 1, named.value().shape().toArray()));
    }
    var other = Model.of(rng);
    StateDict.load(other, StateDict.of(one));
    for (var named : one.parameters()) {
      Tensor there = other.parameters().get(named.name()).value();
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
    Tensor both = RecurrentModule.LSTM.from(cell.gates(), requireNonNull(cell.b()).value(), 0);
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
    Tensor outer = RecurrentModule.GRU.from(cell.gates(), requireNonNull(cell.b()).value(), 0);
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

  @Test
  void noiseIsNoPartOfIt() {
    var plain = Recurrent.of(Lstm.of(2, 3, Init.normal(1), Philox.of(1)));
    var noisy = plain.withNoise(Noise.none().inputs(0.5).zoneout(0.1, 0.1));
    assertThat(StateDict.of(noisy).keySet()).isEqualTo(StateDict.of(plain).keySet());
  }

  @Test
  void aLoadThatNeedNotBeWhole() {
    var trained = Model.of(rng);
    var fresh = Model.of(rng);
    var given = new LinkedHashMap<>(StateDict.of(trained));
    given.remove("hidden.1.weight");
    given.put("classifier.weight", Tensor.zeros(2, 2));
    Tensor kept = fresh.hidden().get(1).weight().value().copy();
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
}
