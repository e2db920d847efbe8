package carousel.zoo.language;

import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import carousel.zoo.run.CheckpointWriter;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Numbers;
import carousel.zoo.run.Pace;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A training from its first line to its last: epochs, measurements, the run folder, a few samples. */
public final class TrainingRun {
  private static final long SAMPLES = 2000;

  private final Settings settings;
  private final Data data;
  private final Saving saving;
  private final Reporter reporter;
  private final BooleanSupplier stop;
  private final Pace pace = new Pace();
  private String ended = "";

  /**
   * What a training came to.
   *
   * @param epochs what they gave
   * @param valid the perplexity of the best weights on the text that was tuned on
   * @param test on the one that was not
   */
  public record Result(Epochs epochs, double valid, double test) {}

  /**
   * A training.
   *
   * @param settings what is trained
   * @param data on what
   * @param saving when and how checkpoints are written
   * @param reporter shows how it goes
   * @param stop asked between steps; where it says true the training ends, resumable
   */
  public TrainingRun(
      Settings settings, Data data, Saving saving, Reporter reporter, BooleanSupplier stop) {
    this.settings = settings;
    this.data = data;
    this.saving = saving;
    this.reporter = reporter;
    this.stop = stop;
  }

  /**
   * Trains, from the beginning or from the last checkpoint of the run. An interrupt of the thread ends
   * the training after the step at hand, as {@code stop} does, and the thread stays interrupted.
   *
   * @param place where the results go; asked for once there is a model, and no other training may be writing there
   * @param resumed whether the run goes on
   * @return whether it came to its end; else it was stopped
   * @throws Failure if it diverges, nothing can be written, or the folder is not as it must be
   * @throws IOException if the run cannot be read
   */
  public boolean train(Supplier<LanguageRun> place, boolean resumed) throws IOException {
    try (var scope = TensorScope.open(Device.of(settings.device()))) {
      var state = prepare(place);
      var run = state.run();
      try (var lock = run.folder().lock()) {
        Runnable keep =
            resumed
                ? () -> run.save(settings)
                : () -> run.begin(settings, data.corpus().vocabulary());
        boolean finished = train(state, run, resumed, "./carousel train", keep).isPresent();
        if (!finished) {
          reporter.line("to go on:  ./carousel train --resume " + Reporter.argument(run.path()));
        }
        return finished;
      }
    }
  }

  /**
   * Trains in a folder that is locked, and has its settings and its tokens.
   *
   * @param run where the results go
   * @param resumed whether the run goes on
   * @param command what goes on with it, for messages
   * @return what it came to; empty if it was stopped
   * @throws Failure if it diverges, nothing can be written, or the folder is not as it must be
   * @throws IOException if the run cannot be read
   */
  public Optional<Result> go(LanguageRun run, boolean resumed, String command) throws IOException {
    try (var scope = TensorScope.open(Device.of(settings.device()))) {
      return train(prepare(() -> run), run, resumed, command, () -> {});
    }
  }

  /** Before the first step, with nothing written yet. */
  private TrainingState prepare(Supplier<LanguageRun> place) {
    ModelSize.of(settings, data.corpus().vocabulary().size())
        .require(Device.of(settings.device()).backend().memory().limit());
    var model = LanguageModel.of(settings, data.corpus().vocabulary().size());
    var text = data.corpus().train().batchify(settings.batch(), settings.steps());
    var trainer = new Trainer(model, settings);
    return new TrainingState(trainer, text, data.fingerprint(), place.get());
  }

  private Optional<Result> train(
      TrainingState state, LanguageRun run, boolean resumed, String command, Runnable keep)
      throws IOException {
    var checkpoints = new CheckpointWriter(run.folder(), saving, reporter, command + " --resume");
    if (resumed) {
      restore(state, run, checkpoints);
    }
    keep.run();
    describe(state.model(), run);
    long weights = state.model().parameters().count();
    if (!resumed) {
      Advice.of(settings, data.corpus(), weights).forEach(reporter::warning);
    }
    if (resumed) {
      reporter.line("goes on    " + standing(state));
    }
    return train(run, state, checkpoints, command);
  }

  private void restore(TrainingState state, LanguageRun run, CheckpointWriter checkpoints)
      throws IOException {
    checkpoints.restore(state);
    if (state.step() == 0 && run.hasResults()) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s has results and no checkpoint: it would begin again, over them; begin a new run with --out",
              run.path()));
    }
    int done = state.progress().epoch();
    if (done > settings.epochs()) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--epochs %d: %s has trained %s already; give more to go on",
              settings.epochs(),
              run.path(),
              Numbers.counted(done, "epoch")));
    }
  }

  private Optional<Result> train(
      LanguageRun run, TrainingState state, CheckpointWriter checkpoints, String command) {
    while (state.progress().epoch() < settings.epochs()) {
      var done = epoch(run, state, checkpoints, command);
      if (done == null) {
        return Optional.empty();
      }
      state.ended(done);
      checkpoints.write(state);
      reporter.line(ended);
    }
    try {
      checkpoints.retry(state);
    } catch (Failure unwritten) {
      var unused = conclude(run, state); // what is lost is at least shown
      throw unwritten;
    }
    var result = conclude(run, state);
    if (result.isEmpty()) {
      tellStopped(state);
    }
    return result;
  }

  /** What an epoch gave; null if it was stopped. */
  private Epochs.@Nullable Epoch epoch(
      LanguageRun run, TrainingState state, CheckpointWriter checkpoints, String command) {
    try (var reading = TensorScope.open()) {
      var pass = state.pass();
      while (!pass.ended()) {
        if (stopped()) {
          return stop(state, checkpoints);
        }
        step(pass, run, state, checkpoints, command);
        show(pass);
        checkpoints.stepped(state);
      }
      long start = System.nanoTime();
      var valid =
          Evaluation.of(state.model(), data.corpus().valid(), settings.batch(), this::stopped);
      // Of a text read in part there is nothing to say.
      if (stopped()) {
        return stop(state, checkpoints);
      }
      var progress = pass.progress();
      var gave =
          new Epochs.Epoch(
              progress.epoch() + 1,
              settings.schedule().rate(progress.epoch()),
              Math.exp(pass.loss()),
              valid.perplexity());
      ended = line(gave, pass.speed(), progress.seconds() + (System.nanoTime() - start) * 1e-9);
      return gave;
    }
  }

  private void step(
      Pass pass,
      LanguageRun run,
      TrainingState state,
      CheckpointWriter checkpoints,
      String command) {
    try {
      double before = pass.progress().seconds();
      pass.step();
      pace.add(pass.progress().seconds() - before);
    } catch (Failure diverged) {
      reporter.clear();
      checkpoints.write(state);
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s%nTo go on from before that step: %s --resume %s --lr X",
              diverged.getMessage(),
              command,
              Reporter.argument(run.path())),
          diverged);
    }
  }

  private Epochs.@Nullable Epoch stop(TrainingState state, CheckpointWriter checkpoints) {
    checkpoints.writeLast(state);
    tellStopped(state);
    return null;
  }

  private void tellStopped(TrainingState state) {
    reporter.line("stopped    " + standing(state));
  }

  private boolean stopped() {
    return stop.getAsBoolean() || Thread.currentThread().isInterrupted();
  }

  private void show(Pass pass) {
    var progress = pass.progress();
    double more = (double) (settings.epochs() - progress.epoch() - 1) * pass.windows();
    double steps = pass.windows() - progress.windows() + more;
    var left =
        pace.perStep().stream()
            .mapToObj(seconds -> "  " + Numbers.time(seconds * steps) + " left")
            .findFirst();
    reporter.progress(
        String.format(Locale.ROOT, "epoch %d/%d", progress.epoch() + 1, settings.epochs()),
        progress.windows(),
        pass.windows(),
        String.format(
            Locale.ROOT,
            "%s %s/s  loss %s%s",
            Numbers.count(Math.round(pass.speed())),
            settings.level().unit(),
            Numbers.figure(pass.loss()),
            left.orElse("")));
  }

  /** Where a training stands. */
  private String standing(TrainingState state) {
    var progress = state.progress();
    int epochs = settings.epochs();
    return progress.epoch() >= epochs
        ? "after its " + Numbers.counted(epochs, "epoch")
        : String.format(
            Locale.ROOT,
            "in epoch %d of %d, after %s of its steps, %s in all",
            progress.epoch() + 1,
            epochs,
            Numbers.count(progress.windows()),
            Numbers.count(state.step()));
  }

  private void describe(LanguageModel model, LanguageRun run) {
    var corpus = data.corpus();
    reporter.line(
        String.format(
            Locale.ROOT,
            "text       %s: %s train, %s valid, %s test tokens; a vocabulary of %s",
            settings.data(),
            Numbers.count(corpus.train().size()),
            Numbers.count(corpus.valid().size()),
            Numbers.count(corpus.test().size()),
            Numbers.count(corpus.vocabulary().size())));
    reporter.line(
        String.format(
            Locale.ROOT,
            "model      %s, %d × %d, %s weights",
            settings.cell(),
            settings.layers(),
            settings.hidden(),
            Numbers.count(model.parameters().count())));
    reporter.line(
        String.format(
            Locale.ROOT,
            "training   %s of batch %d × %d steps, %s with learning rate %s, seed %d, on %s",
            Numbers.counted(settings.epochs(), "epoch"),
            settings.batch(),
            settings.steps(),
            settings.optimizer(),
            Numbers.setting(settings.lr()),
            settings.seed(),
            settings.device()));
    reporter.line("run        " + run.path());
    data.known()
        .ifPresent(known ->
            reporter.line(
                "best       a model that knows the grammar reaches perplexity "
                    + Numbers.figure(known.best())));
  }

  private String line(Epochs.Epoch epoch, double speed, double seconds) {
    return String.format(
        Locale.ROOT,
        "epoch %d/%d  perplexity: train %s, valid %s  %s %s/s  learning rate %s  %s",
        epoch.number(),
        settings.epochs(),
        Numbers.figure(epoch.train()),
        Numbers.figure(epoch.valid()),
        Numbers.count(Math.round(speed)),
        settings.level().unit(),
        Numbers.setting(epoch.rate()),
        Numbers.time(seconds));
  }

  /** Says where the figure of an epoch's line is another than that of the end. */
  private String reading() {
    int parts = Evaluation.parts(data.corpus().valid(), settings.batch());
    return parts == 1 || ended.isEmpty()
        ? ""
        : String.format(
            Locale.ROOT,
            "; valid and test read as one, where the lines above read %d parts side by side",
            parts);
  }

  /** Measures the best weights exactly, and shows what they write; empty if that was stopped. */
  private Optional<Result> conclude(LanguageRun run, TrainingState state) {
    var model = state.model();
    state.best().giveTo(model);
    var best = state.epochs().best().orElseThrow();
    var valid = Evaluation.of(model, data.corpus().valid(), 1, this::stopped);
    var test = Evaluation.of(model, data.corpus().test(), 1, this::stopped);
    if (stopped()) {
      return Optional.empty();
    }
    var possible = data.known().map(known -> Numbers.figure(known.best()));
    reporter.line("");
    reporter.line("perplexity of the best weights, those of epoch " + best.number() + reading());
    reporter.line(
        String.format(
            Locale.ROOT, "  train  %8s   while they were learned", Numbers.figure(best.train())));
    reporter.line(String.format(Locale.ROOT, "  valid  %8s", Numbers.figure(valid.perplexity())));
    reporter.line(String.format(Locale.ROOT, "  test   %8s", Numbers.figure(test.perplexity())));
    possible.ifPresent(
        p -> reporter.line(String.format(Locale.ROOT, "  best   %8s   possible", p)));
    reporter.line("");
    var sampler = new Sampler(model, 1, Philox.of(settings.seed()).split(SAMPLES));
    Samples.of(sampler, data, settings.tokenizer()).forEach(reporter::line);
    reporter.line("");
    reporter.line("more of it:  ./carousel sample " + Reporter.argument(run.path()));
    return Optional.of(new Result(state.epochs(), valid.perplexity(), test.perplexity()));
  }
}
