package carousel.zoo.lm;

import carousel.nn.data.Vocabulary;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Text from a model, token by token: {@code token[t+1] ~ softmax(logits[t] / temperature)}.
 *
 * <p>Temperature 1 is what the model has learned, lower is safer and more repetitive, 0 always takes
 * the most probable token.
 */
public final class Sampler {
  private final LanguageModel model;
  private final double temperature;
  private final Philox random;

  /**
   * A sampler.
   *
   * @param model predicts
   * @param temperature 0 or more
   * @param random makes the choices
   */
  public Sampler(LanguageModel model, double temperature, Philox random) {
    if (!(temperature >= 0 && Double.isFinite(temperature))) {
      throw Failure.usage("--temperature must be 0 or more, got " + temperature);
    }
    this.model = model;
    this.temperature = temperature;
    this.random = random;
  }

  /**
   * Goes on from a prompt.
   *
   * @param prompt at least one token
   * @param length how many tokens to add
   * @return the added tokens
   */
  public int[] continuing(int[] prompt, int length) {
    return sample(Tensors.column(prompt), length, false).getFirst();
  }

  /**
   * Sentences, each drawn on its own from the start of a line, all side by side.
   *
   * @param count how many
   * @param longest the most tokens of one; what has not ended by then is cut
   * @return for each its tokens, without the end mark, and cut ones at full length
   */
  public List<int[]> sentences(int count, int longest) {
    var ends = new int[count];
    Arrays.fill(ends, Vocabulary.END_ID);
    return sample(new Tensors(Shape.of(1, count), ends), longest, true);
  }

  /** The values of an I32 tensor that is made in the scope of the sampling. */
  private record Tensors(Shape shape, int[] values) {
    static Tensors column(int[] prompt) {
      return new Tensors(Shape.of(prompt.length, 1), prompt);
    }
  }

  private List<int[]> sample(Tensors prompt, int length, boolean toEnd) {
    var columns = prompt.shape().dim(1);
    var drawn = new ArrayList<int[]>();
    var ended = new boolean[columns];
    try (var sampling = Scope.open()) {
      var state = new CarriedState();
      var read = prompt;
      for (var t = 0; t < length && !(toEnd && all(ended)); t++) {
        try (var step = Scope.open()) {
          var reading = model.read(Tensor.of(read.shape(), read.values()), state.now());
          state.endWith(reading.state());
          state.advance();
          var next = draw(reading.logits().select(0, read.shape().dim(0) - 1));
          for (var n = 0; n < columns; n++) ended[n] |= next[n] == Vocabulary.END_ID;
          drawn.add(next);
          read = new Tensors(Shape.of(1, columns), next);
        }
      }
    }
    var texts = new ArrayList<int[]>();
    for (var n = 0; n < columns; n++) {
      var column = n;
      var ids = drawn.stream().mapToInt(row -> row[column]);
      texts.add((toEnd ? ids.takeWhile(id -> id != Vocabulary.END_ID) : ids).toArray());
    }
    return texts;
  }

  private static boolean all(boolean[] ended) {
    for (var one : ended) if (!one) return false;
    return true;
  }

  /** One token for each row of logits [N,V]. */
  private int[] draw(Tensor logits) {
    var drawn =
        temperature == 0
            ? logits.argmax(Tensor.LAST)
            : random.categorical(tempered(logits.cast(DType.F64)));
    return drawn.toIntArray();
  }

  /** From the greatest down, which stays 0 at any temperature: a quotient may be infinite, but never all of them. */
  private Tensor tempered(Tensor logits) {
    return logits.sub(logits.max(true, Tensor.LAST)).div(temperature);
  }
}
