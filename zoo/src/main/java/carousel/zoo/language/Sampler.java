package carousel.zoo.language;

import carousel.nn.data.Vocabulary;
import carousel.nn.recurrent.CarriedState;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * Text from a model, token by token: {@code token[t+1] ~ softmax(logits[t] / temperature)}.
 *
 * <p>Temperature 1 is what the model has learned, lower is safer and more repetitive, 0 always takes
 * the most probable token.
 */
public final class Sampler {
  private static final int WINDOW = 128;

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
   * @param more is given each as soon as it is drawn, and says whether to go on
   */
  public void continuing(int[] prompt, int length, IntPredicate more) {
    sample(Tensors.column(prompt), length, next -> more.test(next[0]));
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
    var drawn = new ArrayList<int[]>();
    var ended = new boolean[count];
    sample(
        new Tensors(Shape.of(1, count), ends),
        longest,
        next -> {
          drawn.add(next);
          for (int n = 0; n < count; n++) {
            ended[n] |= next[n] == Vocabulary.END_ID;
          }
          return !all(ended);
        });
    var texts = new ArrayList<int[]>();
    for (int n = 0; n < count; n++) {
      int column = n;
      var ids = drawn.stream().mapToInt(row -> row[column]);
      texts.add(ids.takeWhile(id -> id != Vocabulary.END_ID).toArray());
    }
    return texts;
  }

  /** The values of an I32 tensor that is made in the scope of the sampling. */
  private record Tensors(Shape shape, int[] values) {
    static Tensors column(int[] prompt) {
      return new Tensors(Shape.of(prompt.length, 1), prompt);
    }

    /** Steps from one on, {@link #WINDOW} at most. */
    Tensors window(int from) {
      int columns = shape.dim(1);
      int steps = Math.min(WINDOW, shape.dim(0) - from);
      var part = Arrays.copyOfRange(values, from * columns, (from + steps) * columns);
      return new Tensors(Shape.of(steps, columns), part);
    }
  }

  /** Draws a token for every column, time and again, as long as that is wanted. */
  private void sample(Tensors prompt, int length, Predicate<int[]> more) {
    try (var sampling = TensorScope.open()) {
      var state = new CarriedState();
      var read = prompt;
      for (int t = 0; t < length; t++) {
        var next = next(read, state);
        if (!more.test(next)) {
          break;
        }
        read = new Tensors(Shape.of(1, next.length), next);
      }
    }
  }

  /** Reads tokens, in windows since each of them has logits, and draws what comes next. */
  private int[] next(Tensors tokens, CarriedState state) {
    for (int from = 0; true; from += WINDOW) {
      var window = tokens.window(from);
      try (var step = TensorScope.open()) {
        var reading = model.read(Tensor.of(window.shape(), window.values()), state.now());
        state.endWith(reading.state());
        state.advance();
        if (from + WINDOW >= tokens.shape().dim(0)) {
          return draw(reading.logits().select(0, window.shape().dim(0) - 1));
        }
      }
    }
  }

  private static boolean all(boolean[] ended) {
    for (var one : ended) {
      if (!one) {
        return false;
      }
    }
    return true;
  }

  /** One token for each row of logits [N,V]. */
  private int[] draw(Tensor logits) {
    Tensor drawn =
        temperature == 0
            ? logits.argmax(Tensor.LAST)
            : random.categorical(tempered(logits.cast(DType.F64)));
    return drawn.toIntArray();
  }

  /** From the greatest down, which stays 0 at any temperature: a quotient may be infinite, but never all of them. */
  private Tensor tempered(Tensor logits) {
    return logits.sub(logits.max(Tensor.LAST, true)).div(temperature);
  }
}
