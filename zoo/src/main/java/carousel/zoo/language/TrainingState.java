package carousel.zoo.language;

import carousel.nn.data.Batchified;
import carousel.nn.io.Checkpoint;
import carousel.nn.io.SafetensorsException;
import carousel.nn.recurrent.CarriedState;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Arithmetic;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Resumable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a training is between two steps, which is what its checkpoints hold: the weights, what the
 * optimiser remembers, the place in the text with the state carried there and the loss so far, the
 * place in the random numbers, what the epochs gave, and the best weights.
 */
final class TrainingState implements Resumable {
  private static final String MODEL = "model.";
  private static final String OPTIMIZER = "optimizer.";
  private static final String CARRIED = "carried.";
  private static final String BEST = "best.";
  private static final String DATA = "data";
  private static final String HISTORY = "history";
  private static final String ARITHMETIC = "arithmetic";

  private final Trainer trainer;
  private final Batchified text;
  private final String fingerprint;
  private final BestWeights best = new BestWeights();
  private final LanguageRun run;
  private Epochs epochs = new Epochs(List.of());
  private int saved = -1;
  private Progress next = Progress.before(0);
  private Map<String, Tensor> nextCarried = Map.of();
  private @Nullable Pass pass;

  /**
   * Before the first step; what it holds belongs to the innermost scope.
   *
   * @param trainer the weights and the optimiser
   * @param text what is read
   * @param fingerprint tells the data from any other
   * @param run where the results go
   */
  TrainingState(Trainer trainer, Batchified text, String fingerprint, LanguageRun run) {
    this.run = run;
    this.trainer = trainer;
    this.text = text;
    this.fingerprint = fingerprint;
  }

  /** Steps of all epochs so far. */
  @Override
  public long step() {
    return trainer.optimizer().steps();
  }

  LanguageRun run() {
    return run;
  }

  LanguageModel model() {
    return trainer.model();
  }

  Epochs epochs() {
    return epochs;
  }

  BestWeights best() {
    return best;
  }

  Progress progress() {
    var now = pass;
    return now == null ? next : now.progress();
  }

  /** Goes on with the epoch at hand; what it carries belongs to the innermost scope. */
  Pass pass() {
    var begun =
        next.windows() == 0
            ? trainer.pass(text, next.epoch())
            : trainer.pass(text, next, carried());
    pass = begun;
    return begun;
  }

  private CarriedState carried() {
    try {
      var state = new CarriedState();
      state.restore(zeros(), nextCarried);
      return state;
    } catch (TensorException e) {
      throw new Failure("the checkpoint is of another model: " + e.getMessage(), e);
    }
  }

  /** States as the layers give them, for their types and shapes. */
  private List<RecurrentState> zeros() {
    try (var looking = TensorScope.open()) {
      return model().read(Tensor.zeros(DType.I32, 1, text.batch()), List.of()).state();
    }
  }

  /** Ends the epoch at hand. */
  void ended(Epochs.Epoch done) {
    next = Progress.before(progress().epoch() + 1);
    nextCarried = Map.of();
    pass = null;
    epochs = epochs.with(done);
    if (epochs.best().orElseThrow() == done) {
      best.take(model().weights());
    }
  }

  /** What a checkpoint holds as tensors. */
  @Override
  public Map<String, Tensor> tensors() {
    var now = pass;
    var tensors = new LinkedHashMap<String, Tensor>();
    put(tensors, MODEL, model().weights());
    put(tensors, OPTIMIZER, trainer.optimizer().state());
    put(tensors, CARRIED, now == null ? nextCarried : now.carried());
    put(tensors, BEST, best.tensors());
    return tensors;
  }

  private static void put(Map<String, Tensor> all, String part, Map<String, Tensor> tensors) {
    tensors.forEach((name, tensor) -> all.put(part + name, tensor));
  }

  private String arithmetic() {
    return Arithmetic.of(trainer.settings().device());
  }

  /** What a checkpoint holds as strings. */
  @Override
  public Map<String, String> metadata() {
    var metadata = new LinkedHashMap<>(progress().values());
    metadata.put(DATA, fingerprint);
    metadata.put(HISTORY, epochs.csv());
    metadata.put(ARITHMETIC, arithmetic());
    return metadata;
  }

  /**
   * Goes on from a checkpoint.
   *
   * @return what is to be said of that, in lines: whether other arithmetic computed it
   * @throws Failure if it is of another text, or its parts do not agree
   * @throws SafetensorsException if it is of another model
   */
  @Override
  public List<String> restore(Checkpoint checkpoint) throws IOException {
    String origin = checkpoint.file().toString();
    var metadata = checkpoint.metadata();
    next = Progress.of(metadata, origin);
    if (!fingerprint.equals(metadata.get(DATA))) {
      throw new Failure(
          origin
              + ": the run was trained on another text, or the text has changed; a run goes on with"
              + " the very same (--data says where it is now), or begin a new one with --out");
    }
    epochs = Epochs.parse(origin, metadata.getOrDefault(HISTORY, ""));
    checkpoint.loadInto(MODEL, model().weights());
    if (!epochs.list().isEmpty()) {
      best.take(model().weights());
    } // of their types and shapes
    checkpoint.loadInto(BEST, best.tensors());
    nextCarried = checkpoint.load(CARRIED);
    try (var copying = TensorScope.open()) {
      restore(checkpoint.file(), checkpoint.load(OPTIMIZER));
    }
    requireAgreement(checkpoint);
    String before = metadata.getOrDefault(ARITHMETIC, "");
    return before.equals(arithmetic())
        ? List.of()
        : List.of(
            String.format(
                Locale.ROOT,
                "the run was computed on %s and goes on on %s: from here its last bits may be others",
                before,
                arithmetic()));
  }

  private void restore(Path origin, Map<String, Tensor> state) {
    try {
      trainer.optimizer().restore(state);
    } catch (TensorException e) {
      throw new Failure(origin + ": " + e.getMessage(), e);
    }
  }

  /** The checksum was right; what is wrong here was written so, or the file has another's name. */
  private void requireAgreement(Checkpoint checkpoint) {
    int read = epochs.list().size();
    int windows = text.windowCount(trainer.settings().steps());
    require(
        next.epoch() == read,
        checkpoint,
        String.format(
            Locale.ROOT,
            "it is of epoch %d, and its history has %d epochs",
            next.epoch() + 1,
            read));
    require(
        next.windows() <= windows,
        checkpoint,
        String.format(
            Locale.ROOT, "it is after %d windows of a text of %d", next.windows(), windows));
    require(
        next.windows() > 0 || nextCarried.isEmpty(),
        checkpoint,
        "it carries a state, and is before the first window of an epoch");
    require(
        step() == checkpoint.step(),
        checkpoint,
        String.format(
            Locale.ROOT, "its name says step %d, it is of step %d", checkpoint.step(), step()));
  }

  @Override
  public void saveResults() throws IOException {
    int now = epochs.list().size();
    if (now == saved) {
      return;
    }
    run.saveResults(epochs, best);
    saved = now;
  }

  private static void require(boolean agrees, Checkpoint checkpoint, String problem) {
    if (agrees) {
      return;
    }
    throw new Failure(
        String.format(
            Locale.ROOT,
            "%s: %s; remove it to go on from the one before",
            checkpoint.file(),
            problem));
  }

  /** Overwrites a model by the weights of a checkpoint, and leaves the rest. */
  static void restoreWeights(Checkpoint checkpoint, LanguageModel model) throws IOException {
    checkpoint.loadInto(MODEL, model.weights());
  }
}
