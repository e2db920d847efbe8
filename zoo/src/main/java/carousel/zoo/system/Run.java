package carousel.zoo.system;

import carousel.nn.io.AtomicFile;
import carousel.nn.io.Checkpoint;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.zoo.run.CheckpointWriter;
import carousel.zoo.run.Failure;
import carousel.zoo.run.History;
import carousel.zoo.run.Numbers;
import carousel.zoo.run.Pace;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.Resumable;
import carousel.zoo.run.RunFolder;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a system is given while it runs: random numbers, a history, progress for its user, and steps that can be
 * stopped and gone on with.
 */
public final class Run {
  private static final String HISTORY = "history.csv";

  private final long seed;
  private final RunFolder folder;
  private final Saving saving;
  private final Reporter reporter;
  private final BooleanSupplier stop;
  private final boolean resumed;
  private final String command;
  private History history = new History("step");
  private boolean stepped;

  Run(
      long seed,
      RunFolder folder,
      Saving saving,
      Reporter reporter,
      BooleanSupplier stop,
      boolean resumed,
      String command) {
    this.seed = seed;
    this.folder = folder;
    this.saving = saving;
    this.reporter = reporter;
    this.stop = stop;
    this.resumed = resumed;
    this.command = command;
  }

  /** One step of a work. */
  @FunctionalInterface
  public interface Step {
    /**
     * Makes it, in a scope of its own.
     *
     * @param number from 0
     */
    void make(long number);
  }

  /**
   * Random numbers of their own, of the seed and a number: those of step t need nothing of the steps before it.
   *
   * @param stream which, from 0
   * @return from their beginning
   */
  public Philox random(long stream) {
    return Philox.of(seed).split(stream);
  }

  /**
   * The table that becomes {@code history.csv}; made before the first step.
   *
   * @param columns their names
   * @return the table, to be added to
   */
  public History history(String... columns) {
    history = new History(columns);
    return history;
  }

  /**
   * Makes steps, the first or those that are left: shows how far they are, writes checkpoints when they are due, and
   * stops between two of them when asked to.
   *
   * @param total how many there are in all
   * @param unit what one is called, e.g. {@code episode}
   * @param saved what changes in a step, beside the history; belongs to a scope around
   * @param step makes one
   * @throws IOException if a run that goes on cannot be read
   */
  public void steps(long total, String unit, Saved saved, Step step) throws IOException {
    if (stepped) {
      throw new IllegalStateException("a run has one course of steps");
    }
    stepped = true;
    var course = new Course(saved);
    var checkpoints = new CheckpointWriter(folder, saving, reporter, command + " --resume");
    if (resumed) {
      checkpoints.restore(course);
      reporter.line(
          String.format(Locale.ROOT, "goes on    after %s", Numbers.counted(course.done, unit)));
    }
    var pace = new Pace();
    while (course.done < total) {
      if (isStopped()) {
        checkpoints.writeLast(course);
        reporter.line(
            String.format(
                Locale.ROOT,
                "stopped    after %s of %s",
                Numbers.count(course.done),
                Numbers.counted(total, unit)));
        throw new Stopped();
      }
      long start = System.nanoTime();
      try (var scope = TensorScope.open()) {
        step.make(course.done);
      }
      course.done++;
      pace.add((System.nanoTime() - start) * 1e-9);
      double left = (double) (total - course.done);
      reporter.progress(
          unit,
          course.done,
          total,
          pace.perStep().stream()
              .mapToObj(seconds -> Numbers.time(seconds * left) + " left")
              .findFirst()
              .orElse(""));
      checkpoints.stepped(course);
    }
    checkpoints.write(course);
    checkpoints.retry(course);
  }

  /**
   * Says something that stays on the screen.
   *
   * @param text a line
   */
  public void line(String text) {
    reporter.line(text);
  }

  /**
   * Whether it is time to put down the work; asked by those who do not do it in {@link #steps}.
   *
   * @return whether to save, and to throw {@link Stopped}
   */
  public boolean isStopped() {
    return stop.getAsBoolean() || Thread.currentThread().isInterrupted();
  }

  /**
   * Whether the run goes on with what is in its folder.
   *
   * @return false for a new one
   */
  public boolean isResumed() {
    return resumed;
  }

  /**
   * Where the results go; it is locked, and has its settings.
   *
   * @return the folder
   */
  public RunFolder folder() {
    return folder;
  }

  /**
   * When and how checkpoints are written.
   *
   * @return as its user asked
   */
  public Saving saving() {
    return saving;
  }

  /**
   * Shows how it goes.
   *
   * @return where lines and progress go
   */
  public Reporter reporter() {
    return reporter;
  }

  /**
   * What goes on with it, for messages.
   *
   * @return e.g. {@code ./carousel run hopfield}
   */
  public String command() {
    return command;
  }

  /** What a checkpoint of steps holds. */
  private final class Course implements Resumable {
    private final Saved saved;
    private long done;
    private @Nullable String written;

    Course(Saved saved) {
      this.saved = saved;
    }

    @Override
    public long step() {
      return done;
    }

    @Override
    public Map<String, Tensor> tensors() {
      return saved.tensors();
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of("history", history.csv());
    }

    @Override
    public List<String> restore(Checkpoint checkpoint) throws IOException {
      String origin = checkpoint.file().toString();
      String table = checkpoint.metadata().get("history");
      if (table == null) {
        throw new Failure(origin + ": it holds no history");
      }
      history.read(origin, table);
      saved.restore(checkpoint);
      done = checkpoint.step();
      return List.of();
    }

    @Override
    public void saveResults() throws IOException {
      String table = history.csv();
      if (table.equals(written)) {
        return;
      }
      AtomicFile.writeString(folder.path().resolve(HISTORY), table);
      written = table;
    }
  }
}
