package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.scan.PlacedStage.Product;
import java.util.Arrays;

/** The tiles of a product, panel by panel. */
final class Panels {
  private final int members;
  private final int vectors;
  private final long[] weights;
  private final Object[][] arrays;
  private final long firstPanel;
  private final long panelBytes;
  private final long[] weightBytes;

  /** Terms of each sum. */
  private final int[] depths;

  /** From a vector of a left operand to the next. */
  private final int aBlock;

  private final long zeros;
  private final boolean onto;
  private final long rowBytes;
  private final long next;

  // Of each band of rows, which is one tile high:
  private final Tile[] pairs;
  private final Tile[] singles;
  private final int[] offsets;
  private final long[] begins;
  private final long[] perStep;
  private final long[] at;
  private int panel;

  /**
   * The tiles of a product.
   *
   * @param zeros the address of two vectors of zeros
   * @param firstBand the first band of rows
   * @param endBand the band behind the last
   */
  Panels(Frame frame, Tiles tiles, long zeros, Product product, int firstBand, int endBand) {
    this.rowBytes = frame.rowBytes();
    this.next = (long) frame.lanes() * frame.size();
    this.aBlock = frame.arrayRows() * frame.lanes();
    Block block = product.out();
    this.members = block.members();
    this.vectors = frame.vectors(block);
    this.weights = product.weights();
    this.arrays = product.arrays();
    this.firstPanel = frame.panel(block, 0);
    this.panelBytes = frame.panelBytes(block);
    this.depths = product.depths();
    this.weightBytes = Arrays.stream(depths).mapToLong(depth -> rowBytes * depth).toArray();
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

  /** Begins a step, at a vector that begins a panel. */
  void begin(int k, int u) {
    panel = u * members / 2;
    for (int i = 0; i < at.length; i++) {
      at[i] = firstPanel + begins[i] + k * perStep[i];
    }
  }

  /** Computes the panels up to those that hold a vector of all members. */
  void until(int u, int read) {
    int end = (u + 1) * members;
    for (; 2 * panel < end; panel++) {
      Tile[] tiles = 2 * panel + 1 < vectors ? pairs : singles;
      for (int q = 0; q < weights.length; q++) {
        boolean fresh = q == 0 && !onto;
        long b = weights[q] + panel * weightBytes[q];
        Object a = arrays[q][read];
        for (int i = 0; i < tiles.length; i++) {
          long out = at[i] + panel * panelBytes;
          tiles[i].run(
              a,
              offsets[i],
              aBlock,
              depths[q],
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
