package carousel.exchange.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.LayerNorm;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What PyTorch has no module for is refused, and named. */
class StateDictRefusalsTest {
  private static final Init INIT = Init.uniform(1);
  private final Philox rng = Philox.of(7);
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"elman-identity", "jordan", "leaky", "peephole", "matrix-peephole", "cifg", "gru"})
  void cellsThatPyTorchLacksAreNamed(String name) {
    record Holder(Sequence rnn) implements Layer {}
    Cell<?> cell = Cells.of(name, 2, 2, INIT, rng);
    String type = cell.getClass().getSimpleName();
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

  private Recurrent<?> lstm(int inputs, int hidden) {
    return Recurrent.of(Lstm.of(inputs, hidden, INIT, rng));
  }
}
