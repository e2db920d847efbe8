package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.RowKind;
import java.util.List;

/**
 * The blocks of a plan in memory, for given sizes.
 *
 * <p>The batch is cut into bands of rows, a tile high, and a band's rows of all steps lie together:
 * row n of step k of band b, which is the rows from {@code cuts[b]} to {@code cuts[b+1]}, is row
 * {@code T·cuts[b] + k·(cuts[b+1] − cuts[b]) + n − cuts[b]}. Threads work on bands of their own. Were
 * the steps outermost, what one thread fetches ahead would be what another is writing. The bands
 * depend on the batch alone, so that sums over rows have one order.
 *
 * @param steps T
 * @param batch N
 * @param lanes L, the elements of a vector
 * @param size bytes of an element
 * @param cuts where bands begin, and N
 * @param order for each row of {@code T·N} in the order of the bands, the row of {@code [T,N]} in the
 *     order of the sequence
 * @param bases where each block begins; 0 if it is not there
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Frame(int steps, int batch, int lanes, int size, int[] cuts, int[] order, long[] bases) {
  /** Panels begin this much further apart than their rows need, or all would fall into one cache set. */
  private static final int STAGGER = 192;

  /**
   * Rows left empty in left operands after each band: else threads would write to one cache line at
   * every step, and wait for it.
   */
  private static final int GAP = 4;

  /**
   * A frame without blocks.
   *
   * @param reverse whether the first step of the run is the last of the sequence
   * @param most the rows of a tile
   * @param blocks how many blocks there will be
   */
  static Frame of(
      int steps, int batch, int lanes, int size, boolean reverse, int most, int blocks) {
    // An even number, so that two threads have the same to do.
    int bands = Math.min(batch, 2 * Math.ceilDiv(batch, 2 * most));
    int[] cuts = new int[bands + 1];
    for (int b = 0; b <= bands; b++) {
      cuts[b] = (int) ((long) batch * b / bands);
    }
    int[] order = new int[steps * batch];
    int r = 0;
    for (int b = 0; b < bands; b++) {
      for (int k = 0; k < steps; k++) {
        int t = reverse ? steps - 1 - k : k;
        for (int n = cuts[b]; n < cuts[b + 1]; n++) {
          order[r++] = t * batch + n;
        }
      }
    }
    return new Frame(steps, batch, lanes, size, cuts, order, new long[blocks]);
  }

  int bands() {
    return cuts.length - 1;
  }

  /** Rows of a band. */
  int rows(int band) {
    return cuts[band + 1] - cuts[band];
  }

  /** Where the rows of a band begin in a block. */
  long first(Block block, int band) {
    return switch (block.rows()) {
      case STEPS -> (long) steps * cuts[band];
      case STATES -> (steps + 1L) * cuts[band];
      case BATCH -> cuts[band];
      case ONE -> 0;
    };
  }

  /** How many rows further a band's rows of the next step are. */
  int perStep(Block block, int band) {
    return block.rows() == RowKind.STEPS || block.rows() == RowKind.STATES ? rows(band) : 0;
  }

  /** The first row of a band in a left operand. */
  int arrayRow(int band) {
    return cuts[band] + GAP * band;
  }

  /** Rows of a left operand. */
  int arrayRows() {
    return arrayRow(bands());
  }

  /** The vectors that hold so many columns. */
  int vectors(int width) {
    return Math.ceilDiv(width, lanes);
  }

  /** The vectors that hold a row of a block. */
  int vectors(Block block) {
    return vectors(block.width()) * block.members();
  }

  /** Bytes from a row of a panel to the next. */
  long rowBytes() {
    return 2L * lanes * size;
  }

  long rows(Block block) {
    return switch (block.rows()) {
      case STEPS -> (long) steps * batch;
      case STATES -> (steps + 1L) * batch;
      case BATCH -> batch;
      case ONE -> 1;
    };
  }

  int panels(Block block) {
    return Math.ceilDiv(vectors(block), 2);
  }

  long panelBytes(Block block) {
    return rows(block) * rowBytes() + STAGGER;
  }

  long bytes(Block block) {
    return panels(block) * panelBytes(block);
  }

  /** Bytes for all these blocks. */
  long bytes(List<Block> blocks) {
    return blocks.stream().mapToLong(this::bytes).sum();
  }

  /** Puts blocks one after the other from an address on. */
  void place(List<Block> blocks, long address) {
    for (Block block : blocks) {
      bases[block.id()] = address;
      address += bytes(block);
    }
  }

  /** The address of row 0 of a panel. */
  long panel(Block block, int panel) {
    return bases[block.id()] + panel * panelBytes(block);
  }

  /** The address of vector u of a member, row 0. */
  long vector(Block block, int member, int u) {
    int v = u * block.members() + member;
    return panel(block, v >> 1) + (long) (v & 1) * lanes * size;
  }

  /** Elements of vector u that stand for columns. */
  int filled(int width, int u) {
    return Math.min(lanes, width - u * lanes);
  }

  /** Even parts that begin at multiples of {@code unit}; some are empty where there is too little. */
  static int[] cut(int whole, int parts, int unit) {
    int blocks = Math.ceilDiv(whole, unit);
    int[] at = new int[parts + 1];
    for (int i = 0; i <= parts; i++) {
      at[i] = Math.min(whole, (int) ((long) blocks * i / parts) * unit);
    }
    return at;
  }
}
