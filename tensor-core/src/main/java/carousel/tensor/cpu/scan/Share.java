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
 * One thread's share of a stage: some bands of rows and some vectors of units, at any step. All
 * addresses are worked out beforehand; what a step adds to them is the same for all.
 */
final class Share {
  private final Frame frame;

  /** From a vector of units to the next in a left operand. */
  private final int aBlock;

  private final int firstBand;
  private final int endBand;
  private final int firstUnit;
  private final int endUnit;

  private final Panels[] products;
  private final @Nullable Elements elements;

  Share(Frame frame, Tiles tiles, long zeros, Recurrence.Stage stage, int[] bands, int[] units) {
    this.frame = frame;
    this.aBlock = frame.arrayRows() * frame.lanes();
    this.firstBand = bands[0];
    this.endBand = bands[1];
    this.firstUnit = units[0];
    this.endUnit = units[1];
    List<Product> list = stage.products();
    this.products = new Panels[list.size()];
    Arrays.setAll(products, i -> new Panels(tiles, zeros, list.get(i)));
    this.elements = stage.loop() == null ? null : new Elements(stage);
  }

  /** Copies its part of the first rows of a block of one value into a left operand. */
  void load(Pointwise.Loop copy, Block block, Object array) {
    for (int u = firstUnit; u < endUnit; u++) {
      for (int band = firstBand; band < endBand; band++) {
        copy.run(
            new long[] {frame.vector(block, 0, u) + frame.first(block, band) * frame.rowBytes()},
            frame.rowBytes(),
            new Object[] {array},
            new int[] {u * aBlock + frame.arrayRow(band) * frame.lanes()},
            frame.lanes(),
            frame.rows(band));
      }
    }
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
        for (int band = firstBand; band < endBand; band++) {
          if (lengths == null) {
            elements.rows(u, k, band, 0, frame.rows(band));
          } else {
            elements.ragged(u, k, t, band, lengths);
          }
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
    private final long firstPanel;
    private final long panelBytes;
    private final long weightBytes;
    private final long zeros;
    private final boolean onto;
    private final long rowBytes = frame.rowBytes();
    private final long next = (long) frame.lanes() * frame.size();

    // Of each band of rows, which is one tile high:
    private final Tile[] pairs;
    private final Tile[] singles;
    private final int[] offsets;
    private final long[] begins;
    private final long[] perStep;
    private final long[] at;
    private int panel;

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
      int count = endBand - firstBand;
      this.pairs = new Tile[count];
      this.singles = new Tile[count];
      this.offsets = new int[count];
      this.begins = new long[count];
      this.perStep = new long[count];
      this.at = new long[count];
      boolean odd = (vectors & 1) == 1;
      for (int i = 0; i < count; i++) {
        int band = firstBand + i;
        int rows = frame.rows(band);
        pairs[i] = tiles.tile(Tile.Packing.ROWS, rows, 2);
        singles[i] = odd ? tiles.tile(Tile.Packing.ROWS, rows, 1) : pairs[i];
        offsets[i] = frame.arrayRow(band) * frame.lanes();
        begins[i] = frame.first(block, band) * rowBytes;
        perStep[i] = frame.perStep(block, band) * rowBytes;
      }
    }

    void begin(int k) {
      panel = firstUnit * members / 2;
      for (int i = 0; i < at.length; i++) {
        at[i] = firstPanel + begins[i] + k * perStep[i];
      }
    }

    void until(int u, int read) {
      int end = (u + 1) * members;
      for (; 2 * panel < end; panel++) {
        Tile[] tiles = 2 * panel + 1 < vectors ? pairs : singles;
        for (int q = 0; q < weights.length; q++) {
          boolean fresh = q == 0 && !onto;
          long b = weights[q] + panel * weightBytes;
          Object a = arrays[q][read];
          for (int i = 0; i < tiles.length; i++) {
            long out = at[i] + panel * panelBytes;
            tiles[i].run(
                a,
                offsets[i],
                aBlock,
                frame.units(),
                b,
                rowBytes,
                fresh ? zeros : out,
                fresh ? 0 : rowBytes,
                next,
                out,
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

    /** Where each slot begins, for every vector of units. */
    private final long[] bases;

    /** Where a band's rows begin in each slot; and what a step, and a row, add to that. */
    private final long[] begins;

    private final long[] perStep;
    private final long[] perRow;

    private final long[] at;
    private final int[] offsets;
    private final Object[] arrays;
    private final Object[] before;
    private final int aRow = frame.lanes();

    Elements(Recurrence.Stage stage) {
      this.loop = Objects.requireNonNull(stage.loop());
      this.program = Objects.requireNonNull(stage.program());
      this.pairs = stage.arrays();
      this.isAhead = stage.ahead();
      this.slots = program.slots().size();
      this.bases = new long[slots * frame.vectors()];
      this.begins = new long[slots * frame.bands()];
      this.perStep = new long[slots * frame.bands()];
      this.perRow = new long[slots];
      for (int i = 0; i < slots; i++) {
        Slot slot = program.slots().get(i);
        Block block = slot.block();
        perRow[i] = block.rows() == Rows.ONE ? 0 : frame.rowBytes();
        for (int band = firstBand; band < endBand; band++) {
          long step = frame.perStep(block, band) * frame.rowBytes();
          perStep[band * slots + i] = step;
          begins[band * slots + i] =
              frame.first(block, band) * frame.rowBytes() + slot.ahead() * step;
        }
        for (int u = firstUnit; u < endUnit; u++) {
          bases[u * slots + i] = frame.vector(block, slot.member(), u);
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

    /** Rows of a band, counted from its first. */
    void rows(int u, int k, int band, int from, int to) {
      for (int i = 0; i < slots; i++) {
        at[i] = address(i, u, k, band) + from * perRow[i];
      }
      Arrays.fill(offsets, u * aBlock + (frame.arrayRow(band) + from) * aRow);
      loop.run(at, frame.rowBytes(), arrays, offsets, aRow, to - from);
    }

    private long address(int slot, int u, int k, int band) {
      int i = band * slots + slot;
      return bases[u * slots + slot] + begins[i] + k * perStep[i];
    }

    void ragged(int u, int k, int t, int band, int[] lengths) {
      int first = frame.cuts()[band];
      int end = frame.rows(band);
      for (int n = 0; n < end; ) {
        int from = n;
        boolean valid = t < lengths[first + n];
        while (n < end && t < lengths[first + n] == valid) {
          n++;
        }
        if (valid) {
          rows(u, k, band, from, n);
        } else {
          skip(u, k, band, from, n);
        }
      }
    }

    /** Past a row's end the state stays, and everything else is zero. */
    private void skip(int u, int k, int band, int from, int to) {
      int bytes = frame.lanes() * frame.size();
      for (var instruction : program.code().code()) {
        if (!(instruction instanceof Pointwise.Store store)) {
          continue;
        }
        int i = store.slot();
        Rows rows = program.slots().get(i).block().rows();
        for (int n = from; n < to; n++) {
          long address = address(i, u, k, band) + n * perRow[i];
          if (rows == Rows.STATES) {
            Bytes.copy(address - perStep[band * slots + i], address, bytes);
          } else if (rows == Rows.STEPS) {
            Bytes.clear(address, bytes);
          }
        }
      }
      int first = u * aBlock + (frame.arrayRow(band) + from) * aRow;
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
