package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.nn.data.TokenStream;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The perplexity of a text, in one part and in many. */
class EvaluationTest {
  private static final int VOCABULARY = 11;

  private final TensorScope scope = TensorScope.open();
  private final LanguageModel model = LanguageModel.of(settings(), VOCABULARY);

  private static Settings settings() {
    var values = Recipe.WORDS.settings();
    values.putAll(Map.of("data", "none", "hidden", "12", "layers", "2", "bound", "0.5"));
    return Settings.of(values, "test");
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static TokenStream text(int length) {
    var ids = Philox.of(3).uniform(DType.F64, 0, VOCABULARY, length).toDoubleArray();
    return TokenStream.of("text", Arrays.stream(ids).mapToInt(x -> (int) x).toArray());
  }

  /** By the formula: all of the text at once, every token but the first by those before it. */
  private double expected(TokenStream text) {
    var ids = text.toArray();
    Tensor read = Tensor.of(Shape.of(ids.length, 1), ids);
    var logits = model.read(read, List.of()).logits().toFloatArray();
    double nats = 0.0;
    for (int t = 1; t < ids.length; t++) {
      double sum = 0.0;
      int from = (t - 1) * VOCABULARY;
      for (int v = 0; v < VOCABULARY; v++) {
        sum += Math.exp(logits[from + v]);
      }
      nats -= logits[from + ids[t]] - Math.log(sum);
    }
    return Math.exp(nats / (ids.length - 1));
  }

  @ParameterizedTest
  @CsvSource({
    "2,1",
    "3,5",
    "36,1",
    "37,1",
    "399,4",
    "1000,1",
    "401,2",
    "1003,3",
    "2500,8",
    "1000,100"
  })
  void everyTokenButTheFirstIsPredictedOnce(int length, int batch) {
    var text = text(length);
    var measured = Evaluation.of(model, text, batch);
    assertThat(measured.tokens()).isEqualTo(length - 1);
    // In parts only what lies further back than they are read in on is lost, which this model
    // forgets.
    assertThat(measured.perplexity()).isCloseTo(expected(text), within(1e-5 * expected(text)));
  }

  @Test
  void aShortTextIsReadAsOne() {
    assertThat(Evaluation.parts(text(2), 20)).isEqualTo(1);
    assertThat(Evaluation.parts(text(399), 20)).isEqualTo(1);
    assertThat(Evaluation.parts(text(402), 20)).isEqualTo(2);
    assertThat(Evaluation.parts(text(100_000), 20)).isEqualTo(20);
  }
}
