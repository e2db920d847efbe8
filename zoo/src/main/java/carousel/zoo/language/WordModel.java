package carousel.zoo.language;

import carousel.nn.data.TokenBatch;
import carousel.nn.recurrent.CarriedState;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.zoo.plot.Axis;
import carousel.zoo.plot.Chart;
import carousel.zoo.run.Failure;
import carousel.zoo.run.History;
import carousel.zoo.system.About;
import carousel.zoo.system.Differentiable;
import carousel.zoo.system.Figure;
import carousel.zoo.system.Options;
import carousel.zoo.system.Outcome;
import carousel.zoo.system.Preset;
import carousel.zoo.system.Run;
import carousel.zoo.system.Stopped;
import carousel.zoo.system.ZooSystem;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The recurrent language model: on a generated text it is held to the entropy of its grammar, on Penn Treebank to what
 * was published.
 */
public final class WordModel implements ZooSystem<Settings> {
  /** Words to learn from, of which a network of some size comes near the best. */
  private static final long ENOUGH = 1_000_000;

  /** Of the system. */
  static final String NAME = "language-model";

  /** There is one. */
  public WordModel() {}

  @Override
  public About about() {
    return new About(
        NAME,
        "predicts the next word of a text by an LSTM, against the best possible",
        "Zaremba, Sutskever & Vinyals 2014, Recurrent neural network regularization");
  }

  @Override
  public Class<Settings> options() {
    return Settings.class;
  }

  @Override
  public Map<String, String> preset(Preset preset) {
    var values =
        switch (preset) {
          case QUICK, SMALL -> Recipe.AGREEMENT.settings();
          case PAPER -> Recipe.ZAREMBA_SMALL.settings();
        };
    if (preset == Preset.SMALL) {
      values.putAll(Map.of("tokens", "50000", "hidden", "48", "epochs", "2", "lr", "0.02"));
    }
    values.put("data", preset == Preset.PAPER ? "" : Data.GENERATED);
    return values;
  }

  @Override
  public List<Figure> figures(Settings settings) {
    var test = Figure.of("test-perplexity", "e to the mean loss of a token of the test text");
    var valid =
        Figure.of("valid-perplexity", "the same of the text that the best epoch is chosen by");
    if (!settings.data().equals(Data.GENERATED)) {
      return List.of(
          valid.published("120.7 (2014, table 1, small)"),
          test.atMost(116).published("114.5 (2014, table 1, small)"));
    }
    return List.of(
        valid,
        test,
        Figure.of("best-perplexity", "e to the entropy of the grammar"),
        Figure.of("excess", "test perplexity over the best possible")
            .atLeast(0.97) // of a text of that length, by chance
            .atMost((long) settings.tokens() * settings.epochs() < ENOUGH ? 1.25 : 1.06));
  }

  @Override
  public void require(Settings settings) {
    if (settings.data().isEmpty()) {
      throw Failure.usage("the paper's text is Penn Treebank: say with --data where it is");
    }
    settings.requireDevice();
    ModelSize.of(settings, Settings.LEAST_VOCABULARY)
        .require(Device.of(settings.device()).backend().memory().limit());
  }

  @Override
  public Outcome run(Settings settings, Run run) throws IOException {
    var folder = new LanguageRun(run.folder());
    var data =
        run.isResumed()
            ? Data.read(settings.data(), folder.vocabulary(), settings)
            : Data.read(settings);
    if (!run.isResumed()) {
      folder.save(data.corpus().vocabulary());
    }
    var training = new TrainingRun(settings, data, run.saving(), run.reporter(), run::isStopped);
    var result = training.go(folder, run.isResumed(), run.command()).orElseThrow(Stopped::new);
    var outcome =
        new Outcome()
            .figure("valid-perplexity", result.valid())
            .figure("test-perplexity", result.test())
            .plot("perplexity", plot(result.epochs().table(), data));
    data.known()
        .ifPresent(known ->
            outcome
                .figure("best-perplexity", known.best())
                .figure("excess", result.test() / known.best()));
    return outcome;
  }

  private static Chart plot(History epochs, Data data) {
    var x = epochs.column("epoch");
    var chart =
        Chart.of(
                "Perplexity falls with every reading of the text",
                Axis.of("epoch", ""),
                Axis.of("perplexity", "").logarithmic())
            .curve("train, while it is learned", x, epochs.column("train_perplexity"))
            .curve("valid", x, epochs.column("valid_perplexity"));
    return data.known().map(known -> chart.level("best possible", known.best())).orElse(chart);
  }

  @Override
  public Optional<Differentiable> loss() {
    var values = preset(Preset.SMALL);
    values.putAll(Map.of("hidden", "3", "layers", "2", "bound", "0.8"));
    var model = LanguageModel.of(Options.of(Settings.class).read(values), 5);
    var rng = Philox.of(1);
    var window = new TokenBatch(rng.integers(0, 5, 4, 2), rng.integers(0, 5, 4, 2));
    return Optional.of(
        new Differentiable(
            () -> model.loss(window, new CarriedState()), model.parameters().stream().toList()));
  }
}
