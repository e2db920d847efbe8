package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.host.Bytes;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * What every step adds to the gradients of vectors and of rows that all steps read: peepholes, gains, biases
 * within a step. Programs add it to a block of rows; after every {@link #RUN} steps that goes to totals, and
 * begins again, so that a long sequence rounds no more often than one of so many steps.
 */
final class Gathered {
  /** Steps that are added up one after the other. A sequence with no more has no totals. */
  static final int RUN = 512;

  private final Frame frame;
  private final List<Block> blocks;
  private final boolean isLong;

  /** Of each block its totals, then what they lost, both laid out as it is. */
  private final long[] totals;

  /**
   * Clears the blocks.
   *
   * @param memory gives so many bytes for as long as this is used
   */
  Gathered(Frame frame, List<Block> blocks, LongUnaryOperator memory) {
    this.frame = frame;
    this.blocks = blocks;
    this.isLong = frame.steps() > RUN;
    this.totals = new long[blocks.size()];
    for (int i = 0; i < totals.length; i++) {
      long bytes = frame.bytes(blocks.get(i));
      Bytes.clear(frame.panel(blocks.get(i), 0), bytes);
      if (isLong) {
        totals[i] = memory.applyAsLong(2 * bytes);
        Bytes.clear(totals[i], 2 * bytes);
      }
    }
  }

  /** Step k was taken, of those from the last to the first, by who has the bands from one to another. */
  void after(int k, int firstBand, int endBand) {
    if (!isLong || firstBand == endBand || (k > 0 && (frame.steps() - k) % RUN != 0)) {
      return;
    }
    for (int i = 0; i < totals.length; i++) {
      Block block = blocks.get(i);
      long base = frame.panel(block, 0);
      long bytes =
          (frame.first(block, endBand - 1)
                  - frame.first(block, firstBand)
                  + frame.rows(endBand - 1))
              * frame.rowBytes();
      for (int panel = 0; panel < frame.panels(block); panel++) {
        long at = frame.panel(block, panel) + frame.first(block, firstBand) * frame.rowBytes();
        long total = totals[i] + at - base;
        int n = Math.toIntExact(bytes / frame.size());
        Totals.add(frame.size(), at, total, total + frame.bytes(block), n);
        Bytes.clear(at, bytes);
        if (k == 0) {
          Totals.end(frame.size(), total, total + frame.bytes(block), at, n);
        }
      }
    }
  }
}
