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
 * would read all of them from a farther one at every step; then they take some units each, and wait for
 * each other at every stage. A number is
 * computed in the same order either way.
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
   * A product of left operands on the heap with packed weights.
   *
   * @param out where it is put
   * @param onto whether it is added to what is there
   * @param arrays the left operands, {@code [array][parity]}
   * @param weights the packed weights of each term
   */
  record Product(Block out, boolean onto, Object[][] arrays, long[] weights) {}

  /**
   * A stage.
   *
   * @param products run first
   * @param loop run then, on every vector of units; null if there is none
   * @param program what the loop does
   * @param arrays the heap arrays it stores to, {@code [array][parity]}
   * @param ahead which of them hold a state for the next step
   */
  record Stage(
      List<Product> products,
      Pointwise.@Nullable Loop loop,
      @Nullable Program program,
      Object[][] arrays,
      boolean[] ahead) {}

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
  void forward(List<Stage> stages, Map<Block, Object> initial, Pointwise.Loop copy) {
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

  /** From the last step to the first; {@code carried} are the products that close a step. */
  void backward(List<Stage> stages, List<Product> carried) {
    List<Stage> all = new ArrayList<>(stages);
    all.add(new Stage(carried, null, null, new Object[0][], new boolean[0]));
    int close = stages.size();
    run(
        all,
        team -> {
          for (int k = frame.steps() - 1; k >= 0; k--) {
            for (int s = 0; s < close; s++) {
              team.run(s, k, k & 1, k & 1, k & 1);
            }
            team.run(close, k, k & 1, 0, 0);
          }
        });
  }

  /** Who runs a stage of a step. */
  private interface Team {
    /** Copies the first rows of blocks into left operands. */
    void load(Map<Block, Object> initial, Pointwise.Loop copy);

    void run(int stage, int k, int read, int ahead, int write);
  }

  private void run(List<Stage> stages, Consumer<Team> steps) {
    int threads = Workers.threads();
    int[] bands = {0, frame.bands()};
    int[] units = {0, frame.vectors()};
    if (threads == 1) {
      steps.accept(new Alone(shares(stages, bands, units)));
    } else if (frame.bands() < threads
        || (weightBytes > NEAR && frame.batch() < ENOUGH_ROWS * threads)) {
      int[] cuts = cut(frame.vectors(), threads, 2);
      Share[][] shares = new Share[cuts.length - 1][];
      for (int i = 0; i < shares.length; i++) {
        shares[i] = shares(stages, bands, new int[] {cuts[i], cuts[i + 1]});
      }
      steps.accept(new Together(shares));
    } else {
      int[] cuts = cut(frame.bands(), threads, 1);
      Workers.parallel(
          cuts.length - 1,
          i -> steps.accept(new Alone(shares(stages, new int[] {cuts[i], cuts[i + 1]}, units))));
    }
  }

  /** One thread, with its own bands of rows. */
  private final class Alone implements Team {
    private final Share[] shares;

    Alone(Share[] shares) {
      this.shares = shares;
    }

    @Override
    public void load(Map<Block, Object> initial, Pointwise.Loop copy) {
      initial.forEach((block, array) -> shares[0].load(copy, block, array));
    }

    @Override
    public void run(int stage, int k, int read, int ahead, int write) {
      shares[stage].run(k, place(k), lengths, read, ahead, write);
    }
  }

  /** All threads, each with its own units; they wait for each other after every stage. */
  private final class Together implements Team, IntConsumer {
    private final Share[][] shares;
    private int stage;
    private int k;
    private int read;
    private int ahead;
    private int write;

    Together(Share[][] shares) {
      this.shares = shares;
    }

    @Override
    public void load(Map<Block, Object> initial, Pointwise.Loop copy) {
      initial.forEach((block, array) -> {
        for (Share[] share : shares) {
          share[0].load(copy, block, array);
        }
      });
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
    public void accept(int i) {
      shares[i][stage].run(k, place(k), lengths, read, ahead, write);
    }
  }

  private Share[] shares(List<Stage> stages, int[] bands, int[] units) {
    Share[] shares = new Share[stages.size()];
    Arrays.setAll(shares, s -> new Share(frame, tiles, zeros, stages.get(s), bands, units));
    return shares;
  }

  /** Where step k of the run stands in the sequence. */
  private int place(int k) {
    return reverse ? frame.steps() - 1 - k : k;
  }

  /** Even parts that begin at multiples of {@code unit}. */
  private static int[] cut(int whole, int parts, int unit) {
    int blocks = Math.ceilDiv(whole, unit);
    int count = Math.min(parts, blocks);
    int[] at = new int[count + 1];
    for (int i = 0; i <= count; i++) {
      at[i] = Math.min(whole, (int) ((long) blocks * i / count) * unit);
    }
    return at;
  }
}
