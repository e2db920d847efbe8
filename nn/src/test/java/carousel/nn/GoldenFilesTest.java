package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.golden.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The recurrent goldens hold together: what the tests of the cells rely on without saying so. */
class GoldenFilesTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rnn-tanh",
        "rnn-relu",
        "rnn-identity",
        "lstm",
        "lstm-two-layer",
        "lstm-bidirectional",
        "lstm-ragged",
        "lstm-ragged-zero",
        "lstm-ragged-bidirectional",
        "lstm-peephole-matrix",
        "lstm-peephole-diagonal",
        "lstm-cifg",
        "gru",
        "gru-bidirectional",
        "gru-ragged-bidirectional",
        "gru-reset-before",
        "leaky",
        "jordan",
        "jordan-tanh"
      })
  void lossIsTheWeightedSumOfTheOutputs(String name) {
    var golden = Golden.load(name);
    assertThat(golden.metadata()).containsKeys("equations", "layout", "derivatives", "source");

    double loss = 0;
    for (var output : golden.under("w.")) {
      var weights = golden.values("w." + output);
      var values = golden.values(output);
      for (int i = 0; i < values.length; i++) {
        loss += weights[i] * values[i];
      }
    }
    assertThat(golden.under("w.")).hasSizeGreaterThan(1);
    assertThat(golden.tensor("loss").item()).isCloseTo(loss, within(1e-12 * (1 + Math.abs(loss))));

    assertThat(golden.under("grad.")).contains("x").hasSizeGreaterThan(4);
    for (var input : golden.under("grad.")) {
      for (var prefix : new String[] {"grad.", "v.", "hvp.", "penalty."}) {
        assertThat(golden.shape(prefix + input)).isEqualTo(golden.shape(input));
      }
    }
  }
}
