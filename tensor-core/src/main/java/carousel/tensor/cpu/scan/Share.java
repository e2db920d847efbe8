package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.scan.Block.Rows;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.scan.Recurrence.Product;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One thread's share of a stage: some rows of the batch and some vectors of units, at any step. All
 * addresses are worked out beforehand; what a step adds to them is the same for all.
 */
final class Share {
  private final Frame frame;
  private final int firstRow;
  private final int endRow;
  private final int firstUnit;
  private final int endUnit;

  private final Panels[] products;
  private final @Nullable Elements elements;

  Share(Frame frame, Tiles tiles, long zeros, Recurrence.Stage stage, int[] rows, int[] units) {
    this.frame = frame;
    this.firstRow = rows[0];
    this.endRow = rows[1];
    this.firstUnit = units[0];
    this.endUnit = units[1];
    List<Product> list = stage.products();
    this.products = new Panels[list.size()];
    Arrays.setAll(products, i -> new Panels(tiles, zeros, list.get(i)));
    this.elements = stage.loop() == null ? null : new Elements(stage);
  }

  /**
   * Runs the share of a step.
   *
   * @param k the step
   * @param t where it stands in the sequence
   * @param lengths of the rows; null if all are as long as the sequence
   * @param read which of each pair of left operands products read
   * @param ahead which of each pair takes the state for the next step
   * @param write which of each pair takes everything else
   */
  void run(int k, int t, int @Nullable [] lengths, int read, int ahead, int write) {
    for (Panels product : products) {
      product.begin(k);
    }
    if (elements != null) {
      elements.begin(ahead, write);
    }
    for (int u = firstUnit; u < endUnit; u++) {
      // The panels that hold this vector's members; interleaved, so that all is still near.
      for (Panels product : products) {
        product.until(u, read);
      }
      if (elements != null) {
        if (lengths == null) {
          elements.rows(u, k, firstRow, endRow);
        } else {
          elements.ragged(u, k, t, lengths);
        }
      }
    }
  }

  /** The tiles of a product, panel by panel. */
  private final class Panels {
    private final int members;
    private final int vectors;
    private final long[] weights;
    private final Object[][] arrays;
    private final Tile[] pairs;
    private final Tile[] singles;
    private final int[] cuts;
    private final long firstPanel;
    private final long panelBytes;
    private final long weightBytes;
    private final long zeros;
    private final boolean onto;
    private final boolean perStep;
    private final long rowBytes = frame.rowBytes();
    private final long next = (long) frame.lanes() * frame.size();
    private final int aBlock = frame.batch() * frame.lanes();
    private int panel;
    private long row;

    Panels(Tiles tiles, long zeros, Product product) {
      Block block = product.out();
      this.members = block.members();
      this.vectors = frame.vectors() * members;
      this.weights = product.weights();
      this.arrays = product.arrays();
      this.firstPanel = frame.panel(block, 0);
      this.panelBytes = frame.panelBytes(block);
      this.weightBytes = rowBytes * frame.units();
      this.zeros = zeros;
      this.onto = product.onto();
      this.perStep = block.rows() != Rows.BATCH;
      int count = Math.ceilDiv(endRow - firstRow, tiles.maxRows());
      this.cuts = new int[count + 1];
      this.pairs = new Tile[count];
      this.singles = new Tile[count];
      for (int i = 0; i <= count; i++) {
        cuts[i] = firstRow + (endRow - firstRow) * i / count;
      }
      boolean odd = (vectors & 1) == 1;
      for (int i = 0; i < count; i++) {
        pairs[i] = tiles.tile(Tile.Packing.ROWS, cuts[i + 1] - cuts[i], 2);
        singles[i] = odd ? tiles.tile(Tile.Packing.ROWS, cuts[i + 1] - cuts[i], 1) : pairs[i];
      }
    }

    void begin(int k) {
      panel = firstUnit * members / 2;
      row = perStep ? (long) k * frame.batch() : 0;
    }

    void until(int u, int read) {
      int end = (u + 1) * members;
      for (; 2 * panel < end; panel++) {
        Tile[] tiles = 2 * panel + 1 < vectors ? pairs : singles;
        long out = firstPanel + panel * panelBytes + row * rowBytes;
        for (int q = 0; q < weights.length; q++) {
          boolean fresh = q == 0 && !onto;
          long b = weights[q] + panel * weightBytes;
          Object a = arrays[q][read];
          for (int i = 0; i < tiles.length; i++) {
            int from = cuts[i];
            long at = out + from * rowBytes;
            tiles[i].run(
                a,
                from * frame.lanes(),
                aBlock,
                frame.units(),
                b,
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
    }
  }

  /** The elementwise program, one vector of units after the other. */
  private final class Elements {
    private final Pointwise.Loop loop;
    private final Program program;
    private final Object[][] pairs;
    private final boolean[] isAhead;
    private final int slots;

    /** Where row 0 of step 0 of each slot begins, for every vector of units. */
    private final long[] bases;

    /** What a step, and a row of the batch, add to it. */
    private final long[] perStep;

    private final long[] perRow;

    private final long[] at;
    private final int[] offsets;
    private final Object[] arrays;
    private final Object[] before;
    private final int aRow = frame.lanes();
    private final int aBlock = frame.batch() * frame.lanes();

    Elements(Recurrence.Stage stage) {
      this.loop = Objects.requireNonNull(stage.loop());
      this.program = Objects.requireNonNull(stage.program());
      this.pairs = stage.arrays();
      this.isAhead = stage.ahead();
      this.slots = program.slots().size();
      this.bases = new long[slots * frame.vectors()];
      this.perStep = new long[slots];
      this.perRow = new long[slots];
      for (int i = 0; i < slots; i++) {
        Slot slot = program.slots().get(i);
        Rows rows = slot.block().rows();
        perRow[i] = rows == Rows.ONE ? 0 : frame.rowBytes();
        perStep[i] =
            rows == Rows.STEPS || rows == Rows.STATES ? frame.batch() * frame.rowBytes() : 0;
        for (int u = firstUnit; u < endUnit; u++) {
          bases[u * slots + i] =
              frame.vector(slot.block(), slot.member(), u) + slot.ahead() * perStep[i];
        }
      }
      this.at = new long[slots];
      this.offsets = new int[pairs.length];
      this.arrays = new Object[pairs.length];
      this.before = new Object[pairs.length];
    }

    void begin(int ahead, int write) {
      for (int i = 0; i < pairs.length; i++) {
        int parity = isAhead[i] ? ahead : write;
        arrays[i] = pairs[i][parity];
        before[i] = pairs[i][1 - parity];
      }
    }

    void rows(int u, int k, int from, int to) {
      for (int i = 0; i < slots; i++) {
        at[i] = bases[u * slots + i] + k * perStep[i] + from * perRow[i];
      }
      Arrays.fill(offsets, u * aBlock + from * aRow);
      loop.run(at, frame.rowBytes(), arrays, offsets, aRow, to - from);
    }

    void ragged(int u, int k, int t, int[] lengths) {
      for (int n = firstRow; n < endRow; ) {
        int from = n;
        boolean valid = t < lengths[n];
        while (n < endRow && t < lengths[n] == valid) {
          n++;
        }
        if (valid) {
          rows(u, k, from, n);
        } else {
          skip(u, k, from, n);
        }
      }
    }

    /** Past a row's end the state stays, and everything else is zero. */
    private void skip(int u, int k, int from, int to) {
      int bytes = frame.lanes() * frame.size();
      for (var instruction : program.code().code()) {
        if (!(instruction instanceof Pointwise.Store store)) {
          continue;
        }
        int i = store.slot();
        Rows rows = program.slots().get(i).block().rows();
        for (int n = from; n < to; n++) {
          long address = bases[u * slots + i] + k * perStep[i] + n * perRow[i];
          if (rows == Rows.STATES) {
            Bytes.copy(address - perStep[i], address, bytes);
          } else if (rows == Rows.STEPS) {
            Bytes.clear(address, bytes);
          }
        }
      }
      int first = u * aBlock + from * aRow;
      int count = (to - from) * aRow;
      for (int i = 0; i < arrays.length; i++) {
        if (isAhead[i]) {
          System.arraycopy(before[i], first, arrays[i], first, count);
        } else if (arrays[i] instanceof float[] floats) {
          Arrays.fill(floats, first, first + count, 0f);
        } else {
          Arrays.fill((double[]) arrays[i], first, first + count, 0.0);
        }
      }
    }
  }
}
