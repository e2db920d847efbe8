package carousel.zoo.lm;

import carousel.nn.data.Batchified;
import carousel.nn.data.TokenLevel;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import java.io.IOException;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A training from its first line to its last: epochs, measurements, the run folder, a few samples. */
public final class TrainingRun {
  private static final long SAMPLES = 2000;

  private final Settings settings;
  private final Data data;
  private final Reporter reporter;
  private final BooleanSupplier stop;

  /** Where the results go, once it is known that the training can begin. */
  @FunctionalInterface
  public interface Folder {
    /**
     * Makes or opens the folder.
     *
     * @return the run
     */
    RunFolder get();
  }

  /**
   * A training.
   *
   * @param settings what is trained
   * @param data on what
   * @param reporter shows how it goes
   * @param stop asked after every step; where it says true the training ends, resumable
   */
  public TrainingRun(Settings settings, Data data, Reporter reporter, BooleanSupplier stop) {
    this.settings = settings;
    this.data = data;
    this.reporter = reporter;
    this.stop = stop;
  }

  /**
   * Trains, from the beginning or from where the run stands.
   *
   * @param folder where the results go
   * @param resumed whether the run goes on
   * @return whether it came to its end; else it was stopped
   * @throws Failure if it diverges, or nothing can be written
   * @throws IOException if the run cannot be read
   */
  public boolean train(Folder folder, boolean resumed) throws IOException {
    try (var scope = Scope.open(Device.of(settings.device()))) {
      var corpus = data.corpus();
      var model = LanguageModel.of(settings, corpus.vocabulary().size());
      var trainer = new Trainer(model, settings);
      var text = corpus.train().batchify(settings.batch(), settings.steps());
      var run = folder.get();
      var history = new History(List.of());
      if (resumed) {
        history = run.history();
        run.loadLast(model, trainer.optimizer());
      }
      describe(model, run);
      for (var epoch = history.epochs().size(); epoch < settings.epochs(); epoch++) {
        var done = epoch(trainer, model, text, epoch, run);
        if (done == null) return false;
        history = history.with(done);
        run.saveLast(model, trainer.optimizer());
        if (history.best().orElseThrow() == done) run.saveBest(model);
        run.save(history);
        reporter.line(line(done));
      }
      conclude(run, model, history);
      return true;
    }
  }

  private History.@Nullable Epoch epoch(
      Trainer trainer, LanguageModel model, Batchified text, int epoch, RunFolder run) {
    var start = System.nanoTime();
    Trainer.Outcome outcome;
    try {
      outcome = trainer.epoch(text, epoch, progress(text, epoch), stop);
    } catch (Failure diverged) {
      reporter.clear();
      run.saveLast(model, trainer.optimizer());
      throw new Failure(
          "%s. The weights before that step are in %s".formatted(diverged.getMessage(), run.path()),
          diverged);
    }
    if (!outcome.finished()) {
      run.saveLast(model, trainer.optimizer());
      reporter.line(
          "stopped in epoch %d of %d; the weights are in %s. To go on with that epoch:"
              .formatted(epoch + 1, settings.epochs(), run.path()));
      reporter.line("  ./carousel train --from " + run.path());
      return null;
    }
    var rate = settings.schedule().rate(epoch);
    var valid = Evaluation.of(model, data.corpus().valid(), settings.batch());
    return new History.Epoch(
        epoch + 1,
        rate,
        outcome.perplexity(),
        valid.perplexity(),
        outcome.speed(),
        (System.nanoTime() - start) * 1e-9);
  }

  private Trainer.Listener progress(Batchified text, int epoch) {
    var more = (double) (settings.epochs() - epoch - 1) * text.windowCount(settings.steps());
    var perStep = (double) settings.batch() * settings.steps();
    return (step, steps, loss, speed) -> {
      var left = (steps - step + more) * perStep / speed;
      reporter.step(epoch + 1, settings.epochs(), step, steps, loss, speed, left);
    };
  }

  private void describe(LanguageModel model, RunFolder run) {
    var corpus = data.corpus();
    reporter.line(
        "text       %s: %s train, %s valid, %s test tokens; a vocabulary of %s"
            .formatted(
                settings.data(),
                Numbers.count(corpus.train().size()),
                Numbers.count(corpus.valid().size()),
                Numbers.count(corpus.test().size()),
                Numbers.count(corpus.vocabulary().size())));
    reporter.line(
        "model      %s, %d × %d, %s weights"
            .formatted(
                settings.cell(),
                settings.layers(),
                settings.hidden(),
                Numbers.count(model.parameters().count())));
    reporter.line(
        "training   %d epochs of batch %d × %d steps, %s with learning rate %s, seed %d, on %s"
            .formatted(
                settings.epochs(),
                settings.batch(),
                settings.steps(),
                settings.optimizer(),
                Numbers.setting(settings.lr()),
                settings.seed(),
                settings.device()));
    reporter.line("run        " + run.path());
    data.grammar()
        .ifPresent(grammar ->
            reporter.line(
                "best       a model that knows the grammar reaches perplexity "
                    + Numbers.figure(grammar.bestPerplexity())));
  }

  private String line(History.Epoch epoch) {
    return "epoch %d/%d  perplexity: train %s, valid %s  %s %s/s  learning rate %s  %s"
        .formatted(
            epoch.number(),
            settings.epochs(),
            Numbers.figure(epoch.train()),
            Numbers.figure(epoch.valid()),
            Numbers.count(Math.round(epoch.speed())),
            settings.level() == TokenLevel.WORD ? "words" : "characters",
            Numbers.setting(epoch.rate()),
            Numbers.time(epoch.seconds()));
  }

  /** Measures the best weights exactly, and shows what they write. */
  private void conclude(RunFolder run, LanguageModel model, History history) throws IOException {
    run.loadBest(model);
    var best = history.best().orElseThrow();
    var valid = Evaluation.of(model, data.corpus().valid(), 1, stop);
    var test = Evaluation.of(model, data.corpus().test(), 1, stop);
    if (stop.getAsBoolean()) return; // of a text read in part there is nothing to say
    var possible = data.grammar().map(g -> Numbers.figure(g.bestPerplexity()));
    reporter.line("");
    reporter.line("perplexity of the best weights, those of epoch " + best.number());
    reporter.line("  train  %8s   while they were learned".formatted(Numbers.figure(best.train())));
    reporter.line("  valid  %8s".formatted(Numbers.figure(valid.perplexity())));
    reporter.line("  test   %8s".formatted(Numbers.figure(test.perplexity())));
    possible.ifPresent(p -> reporter.line("  best   %8s   possible".formatted(p)));
    reporter.line("");
    var sampler = new Sampler(model, 1, Philox.of(settings.seed()).split(SAMPLES));
    Samples.of(sampler, data).forEach(reporter::line);
    reporter.line("");
    reporter.line("more of it:  ./carousel sample " + run.path());
  }
}
