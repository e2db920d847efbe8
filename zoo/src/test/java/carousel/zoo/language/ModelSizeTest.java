package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.recurrent.Cells;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Failure;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The size of a model that is not there is that of one that is. */
class ModelSizeTest {
  private static Settings settings(String cell, int hidden, int layers, String optimizer) {
    var values = Recipe.WORDS.settings();
    values.putAll(Map.of("data", "", "cell", cell, "optimizer", optimizer));
    values.putAll(Map.of("hidden", "" + hidden, "layers", "" + layers));
    return Settings.of(values, "test");
  }

  @Test
  void everyCellHasAsManyWeightsAsItIsSaidToHave() {
    for (var cell : Cells.names()) {
      for (int layers = 1; layers <= 3; layers++) {
        var settings = settings(cell, 4 + 7 * layers, layers, "sgd");
        try (var scope = TensorScope.open()) {
          var model = LanguageModel.of(settings, 23);
          assertThat(ModelSize.of(settings, 23).weights())
              .as(cell)
              .isEqualTo((double) model.parameters().count());
        }
      }
    }
  }

  @Test
  void whatATrainingHoldsIsCountedAndRefusedWhereItDoesNotFit() {
    // 2 · 10 · 3 + 10 of a vocabulary of 10, 3 · 3 + 3 · 3 + 3 of an Elman network with 3 units; no
    // gradient of the
    // embedding, 30.
    var sgd = ModelSize.of(settings("elman", 3, 1, "sgd"), 10);
    assertThat(sgd.weights()).isEqualTo(70 + 21);
    assertThat(sgd.bytes()).isEqualTo(4 * (91 + 91 - 30));
    var adam = ModelSize.of(settings("elman", 3, 1, "adam"), 10);
    assertThat(adam.bytes()).isEqualTo(4 * (3 * 91 + 91 - 30));
    assertThatCode(() -> sgd.require(608)).doesNotThrowAnyException();
    assertThatThrownBy(() -> sgd.require(607))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("make --hidden smaller, or the vocabulary of 10 (--vocabulary");
    assertThatThrownBy(() -> ModelSize.of(settings("elman", 30, 2, "adam"), 3).require(100))
        .hasMessageContaining("--hidden 30, --layers 2: a model of 3843 weights takes")
        .hasMessageEndingWith("make --hidden or --layers smaller");
  }
}
