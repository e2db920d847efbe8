package carousel.zoo.run;

import carousel.nn.io.Checkpoints;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.util.Locale;

/**
 * Writes the checkpoints of a run when they are due. One that cannot be written is no reason to end a
 * training, unless that was asked for: it is reported, and the next one is tried when it is due.
 */
public final class CheckpointWriter {
  private static final long NONE = -1;

  private final RunFolder run;
  private final Checkpoints checkpoints;
  private final Saving saving;
  private final Reporter reporter;
  private final String command;
  private long tried;
  private long good = NONE;
  private boolean failing;

  /**
   * Writes nothing yet.
   *
   * @param run where they go
   * @param saving when, and how many stay
   * @param reporter is told what went wrong
   * @param command what goes on with a run whose folder follows, for messages
   */
  public CheckpointWriter(RunFolder run, Saving saving, Reporter reporter, String command) {
    this.run = run;
    this.command = command;
    this.checkpoints = run.checkpoints(saving.keep());
    this.saving = saving;
    this.reporter = reporter;
    this.tried = System.nanoTime();
  }

  /**
   * Restores the newest checkpoint, if there is one; damaged ones are reported.
   *
   * @param state takes what it holds
   * @throws IOException if none can be read
   * @throws Failure if all are damaged, or the newest is of another run
   */
  public void restore(Resumable state) throws IOException {
    var damaged = new boolean[1];
    var newest =
        checkpoints.newest(line -> {
          damaged[0] = true;
          reporter.warning(line);
        });
    if (newest.isEmpty() && damaged[0]) {
      throw new Failure(
          String.format(
              Locale.ROOT, "no checkpoint of %s is sound; begin a new run with --out", run.path()));
    }
    if (newest.isPresent()) {
      state.restore(newest.get()).forEach(reporter::warning);
      good = newest.get().step();
    }
  }

  /**
   * After a step: writes a checkpoint if it is time for one.
   *
   * @param state what it holds
   */
  public void stepped(Resumable state) {
    if (saving.every().due(state.step(), (System.nanoTime() - tried) * 1e-9)) {
      write(state);
    }
  }

  /**
   * Writes a checkpoint, and the results that go with it; reports it if that fails.
   *
   * @param state what it holds
   */
  public void write(Resumable state) {
    try {
      tryWrite(state);
    } catch (IOException e) {
      if (saving.stopOnError()) {
        throw failure(unwritten(state) + ", and the training was stopped", e);
      }
      if (!failing) {
        reporter.warning(
            String.format(
                Locale.ROOT,
                "%s: %s. The training goes on and tries again; %s. Make room or permission there",
                unwritten(state),
                Failure.reason(e),
                lastGood()));
      }
      failing = true;
    }
  }

  /**
   * Writes a checkpoint when no other will be tried.
   *
   * @param state what it holds
   * @throws Failure if it cannot be written
   */
  public void writeLast(Resumable state) {
    try {
      tryWrite(state);
    } catch (IOException e) {
      throw failure(unwritten(state), e);
    }
  }

  /**
   * Writes what could not be written so far.
   *
   * @param state what a checkpoint holds
   * @throws Failure if it cannot be written
   */
  public void retry(Resumable state) {
    if (failing) {
      writeLast(state);
    }
  }

  private void tryWrite(Resumable state) throws IOException {
    tried = System.nanoTime();
    try (var writing = TensorScope.open()) {
      checkpoints.save(state.step(), state.tensors(), state.metadata());
    }
    good = state.step();
    state.saveResults();
    if (failing) {
      reporter.warning("checkpoints are written again, the one of step " + good);
    }
    failing = false;
  }

  private String unwritten(Resumable state) {
    return good == state.step()
        ? "the history and the results cannot be written"
        : String.format(Locale.ROOT, "the checkpoint of step %d cannot be written", state.step());
  }

  private Failure failure(String what, IOException e) {
    return new Failure(
        String.format(
            Locale.ROOT,
            "%s: %s. Make room or permission there; %s, and %s %s goes on from there",
            what,
            Failure.reason(e),
            lastGood(),
            command,
            Reporter.argument(run.path())),
        e);
  }

  private String lastGood() {
    return good == NONE
        ? "there is none before it"
        : String.format(Locale.ROOT, "the last good one, of step %d, stays", good);
  }
}
