package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
  private static final int[] PROMPT = {1, 4, 2};

  private static LanguageModel model() {
    var values = Recipe.WORDS.settings();
    values.putAll(Map.of("data", "text", "cell", "lstm", "hidden", "8", "layers", "1"));
    return LanguageModel.of(Settings.of(values, "test"), 50);
  }

  /** As cold as a number can be: quotients are infinite, and the text is that of 0, which is the limit. */
  @ParameterizedTest
  @ValueSource(doubles = {Double.MIN_VALUE, 1e-308, 1e-300, 1e-30})
  void theColdestIsTheMostProbable(double temperature) {
    try (var run = TensorScope.open()) {
      var model = model();
      assertThat(text(model, temperature)).hasSize(30).isEqualTo(text(model, 0));
    }
  }

  private static List<Integer> text(LanguageModel model, double temperature) {
    var tokens = new ArrayList<Integer>();
    new Sampler(model, temperature, Philox.of(1)).continuing(PROMPT, 30, tokens::add);
    return tokens;
  }
}
