package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Workers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs the stages of a plan over the steps of a sequence, one way.
 *
 * <p>Rows of a batch do not depend on each other, so threads take some rows each and run all steps
 * without waiting. Where few rows stand against weights that outgrow a thread's own cache, every thread
 * would read all of them from a farther one at every step; then they take some columns each, and wait for
 * each other at every stage; but each folds all columns of some rows. A number is computed in the same
 * order either way.
 */
final class Recurrence {
  /** Bytes of weights that a thread can reread at every step: most of a second cache. */
  private static final long NEAR = 768 * 1024;

  /** Rows of a thread from which on weights pay off their way from the third cache. */
  private static final int ENOUGH_ROWS = 24;

  private final Frame frame;
  private final Tiles tiles;
  private final int @Nullable [] lengths;
  private final long zeros;
  private final long weightBytes;
  private final boolean reverse;

  /**
   * A run.
   *
   * @param lengths of the rows; null if all are as long as the sequence
   * @param reverse whether step k of the run is the last but k of the sequence
   * @param zeros the address of two vectors of zeros
   * @param weightBytes bytes of all packed weights that a step reads
   */
  Recurrence(
      Frame frame,
      Tiles tiles,
      int @Nullable [] lengths,
      boolean reverse,
      long zeros,
      long weightBytes) {
    this.frame = frame;
    this.tiles = tiles;
    this.lengths = lengths;
    this.reverse = reverse;
    this.zeros = zeros;
    this.weightBytes = weightBytes;
  }

  /**
   * From the first step to the last.
   *
   * @param initial blocks whose first rows are left operands of the first step, with their array
   * @param copy reads its only slot and keeps it in its only array
   */
  void forward(List<PlacedStage> stages, Map<Block, Object> initial, Pointwise.Executable copy) {
    run(
        stages,
        team -> {
          team.load(initial, copy);
          for (int k = 0; k < frame.steps(); k++) {
            for (int s = 0; s < stages.size(); s++) {
              team.run(s, k, k & 1, (k + 1) & 1, k & 1);
            }
          }
        });
  }

  /**
   * From the last step to the first.
   *
   * @param carried the products that close a step
   * @param gathered what all steps add to
   */
  void backward(List<PlacedStage> stages, List<PlacedStage.Product> carried, Gathered gathered) {
    List<PlacedStage> all = new ArrayList<>(stages);
    all.add(new PlacedStage(false, carried, List.of()));
    int close = stages.size();
    run(
        all,
        team -> {
          for (int k = frame.steps() - 1; k >= 0; k--) {
            for (int s = 0; s < close; s++) {
              team.run(s, k, k & 1, k & 1, k & 1);
            }
            team.run(close, k, k & 1, 0, 0);
            gathered.after(k, team.firstBand(), team.endBand());
          }
        });
  }

  /** Who runs a stage of a step. */
  private interface Crew {
    /** Copies the first rows of blocks into left operands. */
    void load(Map<Block, Object> initial, Pointwise.Executable copy);

    void run(int stage, int k, int read, int ahead, int write);

    /** The bands of rows that it has. */
    int firstBand();

    int endBand();
  }

  private void run(List<PlacedStage> stages, Consumer<Crew> steps) {
    int threads = Workers.threads();
    int[] all = {0, frame.bands()};
    if (threads == 1) {
      steps.accept(new Alone(stages, all));
    } else if (frame.bands() < threads
        || (weightBytes > NEAR && frame.batch() < ENOUGH_ROWS * threads)) {
      steps.accept(new Together(stages, threads));
    } else {
      int parts = Math.min(threads, frame.bands());
      int[] cuts = Frame.cut(frame.bands(), parts, 1);
      Workers.parallel(
          parts, i -> steps.accept(new Alone(stages, new int[] {cuts[i], cuts[i + 1]})));
    }
  }

  /** One thread, with its own bands of rows. */
  private final class Alone implements Crew {
    private final Share[] shares;
    private final int[] bands;

    Alone(List<PlacedStage> stages, int[] bands) {
      this.bands = bands;
      this.shares = new Share[stages.size()];
      Arrays.setAll(shares, s -> new Share(frame, tiles, zeros, stages.get(s), bands, 0, 1));
    }

    @Override
    public void load(Map<Block, Object> initial, Pointwise.Executable copy) {
      Recurrence.this.load(initial, copy, bands);
    }

    @Override
    public void run(int stage, int k, int read, int ahead, int write) {
      shares[stage].run(k, place(k), lengths, read, ahead, write);
    }

    @Override
    public int firstBand() {
      return bands[0];
    }

    @Override
    public int endBand() {
      return bands[1];
    }
  }

  /** All threads, each with its own columns; they wait for each other after every stage. */
  private final class Together implements Crew, IntConsumer {
    private final Share[][] shares;
    private int stage;
    private int k;
    private int read;
    private int ahead;
    private int write;

    Together(List<PlacedStage> stages, int parts) {
      int[] bands = Frame.cut(frame.bands(), parts, 1);
      int[] all = {0, frame.bands()};
      this.shares = new Share[parts][stages.size()];
      for (int i = 0; i < parts; i++) {
        int[] own = {bands[i], bands[i + 1]};
        for (int s = 0; s < stages.size(); s++) {
          PlacedStage of = stages.get(s);
          shares[i][s] =
              of.folds()
                  ? new Share(frame, tiles, zeros, of, own, 0, 1)
                  : new Share(frame, tiles, zeros, of, all, i, parts);
        }
      }
    }

    @Override
    public void load(Map<Block, Object> initial, Pointwise.Executable copy) {
      Recurrence.this.load(initial, copy, new int[] {0, frame.bands()});
    }

    @Override
    public void run(int stage, int k, int read, int ahead, int write) {
      this.stage = stage;
      this.k = k;
      this.read = read;
      this.ahead = ahead;
      this.write = write;
      Workers.parallel(shares.length, this);
    }

    @Override
    public int firstBand() {
      return 0;
    }

    @Override
    public int endBand() {
      return frame.bands();
    }

    @Override
    public void accept(int i) {
      shares[i][stage].run(k, place(k), lengths, read, ahead, write);
    }
  }

  /** Copies the first rows of blocks of one value into left operands. */
  private void load(Map<Block, Object> initial, Pointwise.Executable copy, int... bands) {
    int aBlock = frame.arrayRows() * frame.lanes();
    initial.forEach((block, array) -> {
      for (int u = 0; u < frame.vectors(block.width()); u++) {
        for (int band = bands[0]; band < bands[1]; band++) {
          copy.run(
              new long[] {frame.vector(block, 0, u) + frame.first(block, band) * frame.rowBytes()},
              frame.rowBytes(),
              new Object[] {array},
              new int[] {u * aBlock + frame.arrayRow(band) * frame.lanes()},
              frame.lanes(),
              frame.rows(band));
        }
      }
    });
  }

  /** Where step k of the run stands in the sequence. */
  private int place(int k) {
    return reverse ? frame.steps() - 1 - k : k;
  }
}
