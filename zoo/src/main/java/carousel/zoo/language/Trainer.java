package carousel.zoo.language;

import carousel.autograd.Anomaly;
import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Training;
import carousel.nn.data.Batchified;
import carousel.nn.data.TokenBatch;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.Sgd;
import carousel.nn.recurrent.CarriedState;
import carousel.tensor.Philox;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Failure;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * Truncated BPTT: what a model learns from a window of text, with the state that the window before it
 * ended with.
 *
 * <p>A gradient is the sum over the steps of a window and the mean over the batch, {@code T ·
 * crossEntropy}, which is what the learning rates of the literature are meant for.
 *
 * <p>Nothing of an epoch depends on the epoch before it but the weights and what the optimiser
 * remembers: the state starts from 0, and the noise is drawn from the seed and the number of the epoch.
 */
public final class Trainer {
  private final LanguageModel model;
  private final Settings settings;
  private final Optimizer optimizer;

  /**
   * A trainer; what its optimiser remembers belongs to the innermost scope.
   *
   * @param model what is trained
   * @param settings how
   */
  public Trainer(LanguageModel model, Settings settings) {
    this.model = model;
    this.settings = settings;
    this.optimizer =
        settings.optimizer().equals("adam")
            ? Adam.of(model.parameters(), settings.lr())
            : Sgd.of(model.parameters(), settings.lr());
  }

  /**
   * What is known beside the weights.
   *
   * @return the optimiser
   */
  public Optimizer optimizer() {
    return optimizer;
  }

  /**
   * A reading of the text from its start.
   *
   * @param text N parts of it side by side
   * @param epoch its number, from 0
   * @return before its first step; what it carries belongs to the innermost scope
   */
  public Pass pass(Batchified text, int epoch) {
    return pass(text, Progress.before(epoch), new CarriedState());
  }

  /** A reading of the text from where another was put down. */
  Pass pass(Batchified text, Progress progress, CarriedState state) {
    optimizer.learningRate(settings.schedule().rate(progress.epoch()));
    return new Pass(this, text, progress, state);
  }

  /** What is trained. */
  LanguageModel model() {
    return model;
  }

  /** How. */
  Settings settings() {
    return settings;
  }

  /** One change of the weights; returns the mean loss, in nats per token. */
  double step(TokenBatch window, CarriedState state, Philox noise, Progress done) {
    var before = Philox.at(noise.seed(), noise.counter());
    try (var step = TensorScope.open()) {
      var gradients = gradients(window, state, noise);
      double loss = gradients.value().item() / window.steps();
      if (!Double.isFinite(loss)) {
        throw notFinite("loss", loss, done, () -> gradients(window, state, before));
      }
      double norm = gradients.norm();
      if (!Double.isFinite(norm)) {
        throw notFinite("norm of the gradient", norm, done, () -> gradients(window, state, before));
      }
      double clip = settings.clip();
      optimizer.step(clip > 0 && norm > clip ? gradients.scale(clip / norm) : gradients);
      state.advance();
      return loss;
    }
  }

  private Gradients gradients(TokenBatch window, CarriedState state, Philox noise) {
    return Grad.of(
        () -> Training.with(noise, () -> model.loss(window, state).mul(window.steps())),
        model.parameters());
  }

  private Failure notFinite(String what, double value, Progress done, Supplier<Gradients> again) {
    return new Failure(
        String.format(
                Locale.ROOT,
                "epoch %d, step %d: the %s is %s; the training was stopped before that step changed the",
                done.epoch() + 1,
                done.windows() + 1,
                what,
                value)
            + String.format(
                Locale.ROOT,
                " weights. Try a lower --lr (it is %s) or a lower --clip (it is %s).%n%s",
                optimizer.learningRate(),
                settings.clip(),
                birth(again)));
  }

  /** Does the step once more, op by op, to see where that number came from. */
  private static String birth(Supplier<Gradients> again) {
    try {
      var unused = Anomaly.detect(again);
      return "Op by op, the same step gives finite numbers: they are near the largest there are";
    } catch (TensorException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
