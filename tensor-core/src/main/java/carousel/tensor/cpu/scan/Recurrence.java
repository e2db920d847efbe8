package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.Bytes;
import carousel.tensor.cpu.Pointwise;
import carousel.tensor.cpu.Tiles;
import carousel.tensor.cpu.Workers;
import carousel.tensor.cpu.scan.Block.Rows;
import carousel.tensor.cpu.scan.Block.Slot;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the stages of a plan over the steps of a sequence, one way.
 *
 * <p>Rows of a batch do not depend on each other, so threads take some rows each and run all steps
 * without waiting. Where few rows stand against large weights, every thread would read all weights at
 * every step; then they take some units each, and wait for each other at every stage. A number is
 * computed in the same order either way.
 */
final class Recurrence {
  /** Bytes of weights that a thread can reread at every step: most of a second cache. */
  private static final long NEAR = 768 * 1024;

  /** Rows per thread from which on weights pay off their way from the third cache. */
  private static final int ENOUGH_ROWS = 16;

  private final Frame frame;
  private final Tiles tiles;
  private final int @Nullable [] lengths;
  private final long zeros;
  private final long weightBytes;

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

  private final boolean reverse;

  /** From the first step to the last. */
  void forward(List<Stage> stages) {
    share((rows, units) -> {
      for (int k = 0; k < frame.steps(); k++) {
        for (Stage stage : stages) {
          each(rows, units, stage, k, k & 1, (k + 1) & 1, k & 1);
        }
      }
    });
  }

  /** From the last step to the first; {@code carried} are the products that close a step. */
  void backward(List<Stage> stages, List<Product> carried) {
    Stage close = new Stage(carried, null, null, new Object[0][], new boolean[0]);
    share((rows, units) -> {
      for (int k = frame.steps() - 1; k >= 0; k--) {
        if (k < frame.steps() - 1) {
          each(rows, units, close, k, (k + 1) & 1, 0, 0);
        }
        for (Stage stage : stages) {
          each(rows, units, stage, k, k & 1, k & 1, k & 1);
        }
      }
      each(rows, units, close, 0, 0, 0, 0);
    });
  }

  /** Rows and units of a chunk of work: {@code from[i]} to {@code from[i + 1]}. */
  @FunctionalInterface
  private interface Run {
    void over(int[] rows, int[] units);
  }

  private void share(Run run) {
    int threads = Workers.threads();
    int batch = frame.batch();
    int[] allRows = {0, batch};
    int[] allUnits = {0, frame.vectors()};
    boolean byUnits = batch < threads || (weightBytes > NEAR && batch / threads < ENOUGH_ROWS);
    if (threads == 1) {
      run.over(allRows, allUnits);
    } else if (byUnits) {
      run.over(allRows, cut(frame.vectors(), threads, 2));
    } else {
      int[] rows = cut(batch, threads, 1);
      Workers.parallel(rows.length - 1, i -> run.over(new int[] {rows[i], rows[i + 1]}, allUnits));
    }
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

  private void each(
      int[] rows, int[] units, Stage stage, int k, int read, int writeAhead, int write) {
    if (stage.products().isEmpty() && stage.loop() == null) {
      return;
    }
    if (units.length == 2) {
      run(stage, k, rows[0], rows[1], units[0], units[1], read, writeAhead, write);
    } else {
      Workers.parallel(
          units.length - 1,
          i -> run(stage, k, rows[0], rows[1], units[i], units[i + 1], read, writeAhead, write));
    }
  }

  private void run(
      Stage stage, int k, int n0, int n1, int u0, int u1, int read, int writeAhead, int write) {
    List<Product> products = stage.products();
    int[] done = new int[products.size()];
    for (int i = 0; i < done.length; i++) {
      done[i] = u0 * products.get(i).out().members() / 2;
    }
    Cursor cursor = stage.loop() == null ? null : new Cursor(stage, writeAhead, write);
    for (int u = u0; u < u1; u++) {
      // The panels that hold this vector's members; interleaved, so that all is still near.
      for (int i = 0; i < done.length; i++) {
        Product product = products.get(i);
        int members = product.out().members();
        while (2 * done[i] < (u + 1) * members) {
          panel(product, done[i]++, k, n0, n1, read);
        }
      }
      if (cursor != null) {
        cursor.run(u, k, n0, n1);
      }
    }
  }

  private void panel(Product product, int panel, int k, int n0, int n1, int parity) {
    Block block = product.out();
    int vectors = Math.min(2, frame.vectors() * block.members() - 2 * panel);
    int lanes = frame.lanes();
    long next = (long) lanes * frame.size();
    long rowBytes = frame.rowBytes();
    long row = block.rows() == Rows.BATCH ? 0 : (long) k * frame.batch();
    long out = frame.panel(block, panel) + row * rowBytes;
    int count = Math.ceilDiv(n1 - n0, tiles.maxRows());
    for (int q = 0; q < product.weights().length; q++) {
      boolean fresh = q == 0 && !product.onto();
      long weights = product.weights()[q] + panel * rowBytes * frame.units();
      Object a = product.arrays()[q][parity];
      for (int i = 0; i < count; i++) {
        int from = n0 + (n1 - n0) * i / count;
        int to = n0 + (n1 - n0) * (i + 1) / count;
        long at = out + from * rowBytes;
        tiles
            .byRows(to - from, vectors)
            .run(
                a,
                from * lanes,
                frame.batch() * lanes,
                frame.units(),
                weights,
                rowBytes,
                fresh ? zeros : at,
                fresh ? 0 : rowBytes,
                next,
                at,
                rowBytes,
                next);
      }
    }
  }

  /** Runs a program on one vector of units after the other. */
  private final class Cursor {
    private final Pointwise.Loop loop;
    private final Program program;
    private final Object[] arrays;
    private final Object[] before;
    private final boolean[] ahead;
    private final long[] at;
    private final int[] offsets;

    Cursor(Stage stage, int writeAhead, int write) {
      this.loop = java.util.Objects.requireNonNull(stage.loop());
      this.program = java.util.Objects.requireNonNull(stage.program());
      this.ahead = stage.ahead();
      this.arrays = new Object[stage.arrays().length];
      this.before = new Object[arrays.length];
      for (int i = 0; i < arrays.length; i++) {
        int parity = ahead[i] ? writeAhead : write;
        arrays[i] = stage.arrays()[i][parity];
        before[i] = stage.arrays()[i][1 - parity];
      }
      this.at = new long[program.slots().size()];
      this.offsets = new int[arrays.length];
    }

    void run(int u, int k, int n0, int n1) {
      if (lengths == null) {
        rows(u, k, n0, n1);
        return;
      }
      int t = reverse ? frame.steps() - 1 - k : k;
      for (int n = n0; n < n1; ) {
        int from = n;
        boolean valid = t < lengths[n];
        while (n < n1 && t < lengths[n] == valid) {
          n++;
        }
        if (valid) {
          rows(u, k, from, n);
        } else {
          skip(u, k, from, n);
        }
      }
    }

    private void rows(int u, int k, int from, int to) {
      List<Slot> slots = program.slots();
      for (int i = 0; i < at.length; i++) {
        Slot slot = slots.get(i);
        at[i] =
            frame.vector(slot.block(), slot.member(), u)
                + frame.row(slot, k, from) * frame.rowBytes();
      }
      for (int i = 0; i < offsets.length; i++) {
        offsets[i] = (u * frame.batch() + from) * frame.lanes();
      }
      loop.run(at, frame.rowBytes(), arrays, offsets, frame.lanes(), to - from);
    }

    /** Past a row's end the state stays, and everything else is zero. */
    private void skip(int u, int k, int from, int to) {
      int bytes = frame.lanes() * frame.size();
      for (var instruction : program.code().code()) {
        if (!(instruction instanceof Pointwise.Store store)) {
          continue;
        }
        Slot slot = program.slots().get(store.slot());
        for (int n = from; n < to; n++) {
          long vector = frame.vector(slot.block(), slot.member(), u);
          long address = vector + frame.row(slot, k, n) * frame.rowBytes();
          if (slot.block().rows() == Rows.STATES) {
            Bytes.copy(address - frame.batch() * frame.rowBytes(), address, bytes);
          } else if (slot.block().rows() == Rows.STEPS) {
            Bytes.clear(address, bytes);
          }
        }
      }
      int first = (u * frame.batch() + from) * frame.lanes();
      int count = (to - from) * frame.lanes();
      for (int i = 0; i < arrays.length; i++) {
        if (ahead[i]) {
          System.arraycopy(before[i], first, arrays[i], first, count);
        } else if (arrays[i] instanceof float[] floats) {
          java.util.Arrays.fill(floats, first, first + count, 0f);
        } else {
          java.util.Arrays.fill((double[]) arrays[i], first, first + count, 0.0);
        }
      }
    }
  }
}
