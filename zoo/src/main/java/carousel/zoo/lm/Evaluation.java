package carousel.zoo.lm;

import carousel.nn.data.TokenStream;
import carousel.tensor.Scope;
import java.util.function.BooleanSupplier;

/**
 * {@code perplexity = exp(−1/n Σ ln p(token[t] | all before it))}: the mean over a whole text, read
 * from its start with the state carried along.
 *
 * <p>With a batch of 1 every token but the first is predicted. With a batch of N the text is cut in N
 * parts that are read side by side, which is faster: the first token of every part is then not
 * predicted, each part starts from the state 0, and the fewer than N tokens that are left over are
 * not read.
 *
 * @param perplexity e to the mean, in nats
 * @param tokens n, how many were predicted
 */
public record Evaluation(double perplexity, long tokens) {
  private static final int STEPS = 35;

  /**
   * Reads a text.
   *
   * @param model predicts
   * @param text is predicted
   * @param batch N, lowered where the text is too short for it
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
   * @param batch N, lowered where the text is too short for it
   * @param stop asked after every window
   * @return the perplexity of what was read
   */
  static Evaluation of(LanguageModel model, TokenStream text, int batch, BooleanSupplier stop) {
    var nats = 0.0;
    var tokens = 0L;
    try (var reading = Scope.open()) {
      var columns = text.batchify(Math.min(batch, text.size() / 2));
      var state = new CarriedState();
      for (var window : columns.windows(STEPS)) {
        try (var step = Scope.open()) {
          nats += model.loss(window, state).item() * window.size();
          tokens += window.size();
          state.advance();
        }
        if (stop.getAsBoolean()) break;
      }
    }
    return new Evaluation(Math.exp(nats / tokens), tokens);
  }
}
