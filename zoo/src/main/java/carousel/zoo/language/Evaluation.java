package carousel.zoo.language;

import carousel.nn.data.TokenBatch;
import carousel.nn.data.TokenStream;
import carousel.nn.recurrent.CarriedState;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;

/**
 * {@code perplexity = exp(−1/n Σ ln p(token[t] | all before it))}: the mean over a whole text, of which every token
 * but the first is predicted once.
 *
 * <p>With a batch of 1 the text is read from its start with the state carried along. With a batch of N it is cut in
 * N parts that are read side by side, which is faster. Each begins with the state that the {@value #WARM} tokens
 * before it leave, and not with that of all of them: the difference is far below what two seeds differ by.
 *
 * @param perplexity e to the mean, in nats
 * @param tokens n, how many were predicted
 */
public record Evaluation(double perplexity, long tokens) {
  private static final int STEPS = 35;

  /** What a part is read in on. */
  static final int WARM = 200;

  /**
   * Reads a text.
   *
   * @param model predicts
   * @param text is predicted
   * @param batch N, lowered where the parts would be shorter than what they are read in on
   * @return the perplexity
   */
  public static Evaluation of(LanguageModel model, TokenStream text, int batch) {
    return of(model, text, batch, () -> false);
  }

  /**
   * Reads a text, until told to stop.
   *
   * @param model predicts
   * @param text is predicted
   * @param batch N, lowered where the parts would be shorter than what they are read in on
   * @param stop asked after every window
   * @return the perplexity of what was read
   */
  static Evaluation of(LanguageModel model, TokenStream text, int batch, BooleanSupplier stop) {
    var reading = new Reading(model, text.toArray(), stop);
    int predictions = text.size() - 1;
    int parts = parts(text, batch);
    int each = (predictions - 1) / parts;
    int head = predictions - parts * each; // from 1 to N: read first, so that all parts are as long
    try (var scope = TensorScope.open()) {
      var state = new CarriedState();
      reading.score(1, column -> 0, head, state);
      if (parts > 1) {
        state = reading.warm(parts, each, head, state);
      }
      reading.score(parts, column -> head + column * each, each, state);
    }
    return new Evaluation(Math.exp(reading.nats / reading.tokens), reading.tokens);
  }

  /** How many parts a text is read in. */
  static int parts(TokenStream text, int batch) {
    return Math.max(1, Math.min(batch, (text.size() - 2) / WARM));
  }

  /** What is read of a text, and what that gave so far. */
  private static final class Reading {
    private final LanguageModel model;
    private final int[] ids;
    private final BooleanSupplier stop;
    private double nats;
    private long tokens;
    private boolean stopped;

    Reading(LanguageModel model, int[] ids, BooleanSupplier stop) {
      this.model = model;
      this.ids = ids;
      this.stop = stop;
    }

    /** The loss of {@code length} predictions in each column, which begins where {@code start} says. */
    void score(int columns, IntUnaryOperator start, int length, CarriedState state) {
      for (int from = 0; from < length && !stopped; from += STEPS) {
        int steps = Math.min(STEPS, length - from);
        int first = from;
        try (var step = TensorScope.open()) {
          var window =
              new TokenBatch(
                  tokens(steps, columns, n -> start.applyAsInt(n) + first),
                  tokens(steps, columns, n -> start.applyAsInt(n) + first + 1));
          nats += model.loss(window, state).item() * window.size();
          tokens += window.size();
          state.advance();
        }
        stopped = stop.getAsBoolean();
      }
    }

    /** What the parts begin with: the first with what was read before it, the others with what they are read in on. */
    CarriedState warm(int parts, int each, int head, CarriedState before) {
      var all = new CarriedState();
      try (var step = TensorScope.open()) {
        Tensor read = tokens(WARM, parts - 1, n -> head + (n + 1) * each - WARM);
        var others = model.states(read);
        var joined = new ArrayList<RecurrentState>();
        for (int layer = 0; layer < others.size(); layer++) {
          var own = new ArrayList<Tensor>();
          var first = before.now().get(layer).tensors();
          var rest = others.get(layer).tensors();
          for (int k = 0; k < rest.size(); k++) {
            own.add(Tensor.concat(List.of(first.get(k), rest.get(k)), 0));
          }
          joined.add(RecurrentState.with(others.get(layer), own));
        }
        all.endWith(joined);
        all.advance();
      }
      return all;
    }

    /** I32 [T,N]; column n from {@code start(n)} on. */
    private Tensor tokens(int steps, int columns, IntUnaryOperator start) {
      var read = new int[steps * columns];
      for (int t = 0; t < steps; t++) {
        for (int n = 0; n < columns; n++) {
          read[t * columns + n] = ids[start.applyAsInt(n) + t];
        }
      }
      return Tensor.of(Shape.of(steps, columns), read);
    }
  }
}
