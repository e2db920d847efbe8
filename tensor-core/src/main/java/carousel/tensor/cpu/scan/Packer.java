package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.scan.Block.Slot;
import java.util.List;

/**
 * Brings weights into the order in which tiles read them: panels of two vectors, {@code
 * [panel][k][2L]}.
 */
final class Packer {
  /** Rows whose vectors are copied side by side. */
  private static final int ROWS = 16;

  private final Frame frame;
  private final Tiles tiles;

  Packer(Frame frame, Tiles tiles) {
    this.frame = frame;
    this.tiles = tiles;
  }

  /** Bytes of panels for {@code members} blocks of H columns and {@code k} rows. */
  long bytes(int members, int k) {
    return Math.ceilDiv(frame.vectors() * members, 2) * frame.rowBytes() * k;
  }

  /** Bytes of panels that stand for {@code columns} columns and {@code k} rows. */
  long bytesOfColumns(int columns, int k) {
    return Math.ceilDiv(columns, 2 * frame.lanes()) * frame.rowBytes() * k;
  }

  /**
   * Packs blocks of H columns, interleaved vector by vector as in a {@link Block}.
   *
   * @param blocks where each begins: row 0, its first column
   * @param k how many rows
   */
  void interleave(List<Matrix> blocks, int k, long into) {
    int chunks = Math.ceilDiv(k, ROWS);
    int perTask = Math.max(1, 32_768 / (ROWS * frame.units() * blocks.size()));
    Workers.parallel(
        Math.ceilDiv(chunks, perTask),
        task -> {
          int end = Math.min(chunks, (task + 1) * perTask);
          for (int chunk = task * perTask; chunk < end; chunk++) {
            int from = chunk * ROWS;
            interleaveRows(blocks, k, from, Math.min(k, from + ROWS), into);
          }
        });
  }

  private void interleaveRows(List<Matrix> blocks, int k, int from, int to, long into) {
    int members = blocks.size();
    int full = frame.lanes() * frame.size();
    long rowBytes = frame.rowBytes();
    int vectors = frame.vectors() * members;
    for (int v = 0; v < vectors; v++) {
      int u = v / members;
      Matrix block = blocks.get(v % members);
      int bytes = frame.filled(u) * frame.size();
      long source = block.address() + (long) u * full + from * block.rowBytes();
      long target = into + (v >> 1) * rowBytes * k + (long) (v & 1) * full + from * rowBytes;
      for (int p = from; p < to; p++, source += block.rowBytes(), target += rowBytes) {
        copyPadded(source, target, bytes, full);
      }
    }
    if ((vectors & 1) == 1) {
      long target = into + (vectors >> 1) * rowBytes * k + full + from * rowBytes;
      for (int p = from; p < to; p++, target += rowBytes) {
        copyPadded(0, target, 0, full);
      }
    }
  }

  /** Copies {@code bytes} bytes, and zeros up to {@code full}; both are multiples of 4. */
  private static void copyPadded(long from, long to, int bytes, int full) {
    int i = 0;
    // Half a vector at a time: loads that wait for no store, and a quarter of the jumps.
    for (; i + 32 <= bytes; i += 32) {
      long a = Bytes.i64(from + i);
      long b = Bytes.i64(from + i + 8);
      long c = Bytes.i64(from + i + 16);
      long d = Bytes.i64(from + i + 24);
      Bytes.i64(to + i, a);
      Bytes.i64(to + i + 8, b);
      Bytes.i64(to + i + 16, c);
      Bytes.i64(to + i + 24, d);
    }
    for (; i < bytes; i += 4) {
      Bytes.i32(to + i, Bytes.i32(from + i));
    }
    for (; i < full; i += 4) {
      Bytes.i32(to + i, 0);
    }
  }

  /** Packs {@code bᵀ}, where b has {@code columns} rows of k elements. */
  void transpose(Matrix b, int k, int columns, long into) {
    int width = 2 * frame.lanes();
    int panels = Math.ceilDiv(columns, width);
    int perTask = Math.max(1, 32_768 / (width * k));
    Workers.parallel(
        Math.ceilDiv(panels, perTask),
        task -> {
          int end = Math.min(panels, (task + 1) * perTask);
          for (int panel = task * perTask; panel < end; panel++) {
            int j = panel * width;
            tiles.packB(
                b.address() + j * b.rowBytes(),
                frame.size(),
                b.rowBytes(),
                k,
                Math.min(width, columns - j),
                into + panel * frame.rowBytes() * k);
          }
        });
  }

  /** Rows of a block from a sequence {@code [T,N,H]}. */
  void scatter(Matrix from, Block block) {
    sequence(
        new Slot(block, 0, 0),
        (row, panel, at, bytes) ->
            Bytes.copy(from.address() + row * from.rowBytes() + panel, at, bytes));
  }

  /** A sequence {@code [T,N,H]} from a block of one value. */
  void gather(Slot slot, Matrix to) {
    sequence(
        slot,
        (row, panel, at, bytes) ->
            Bytes.copy(at, to.address() + row * to.rowBytes() + panel, bytes));
  }

  /** The rows of one step of a block from a matrix {@code [N,H]}. */
  void scatter(Matrix from, Block block, int step) {
    batch(
        block,
        step,
        (row, panel, at, bytes) ->
            Bytes.copy(from.address() + row * from.rowBytes() + panel, at, bytes));
  }

  /** A matrix {@code [N,H]} from the rows of one step of a block. */
  void gather(Block block, int step, Matrix to) {
    batch(
        block,
        step,
        (row, panel, at, bytes) ->
            Bytes.copy(at, to.address() + row * to.rowBytes() + panel, bytes));
  }

  /** Moves what one row has in one panel. */
  @FunctionalInterface
  private interface Move {
    void row(long row, long panelBytes, long at, int bytes);
  }

  private void sequence(Slot slot, Move move) {
    Block block = slot.block();
    int perTask = Math.max(1, 16_384 / (frame.units() * frame.batch()));
    int[] order = frame.order();
    Workers.parallel(
        Math.ceilDiv(frame.steps(), perTask),
        task -> {
          int from = task * perTask;
          int to = Math.min(frame.steps(), from + perTask);
          for (int band = 0; band < frame.bands(); band++) {
            int rows = frame.rows(band);
            int first = frame.steps() * frame.cuts()[band] + from * rows;
            int last = first + (to - from) * rows;
            long start = frame.first(block, band) + (long) (from + slot.ahead()) * rows;
            for (int panel = 0; panel < frame.panels(block); panel++) {
              int bytes = bytes(panel);
              long at = frame.panel(block, panel) + start * frame.rowBytes();
              for (int r = first; r < last; r++, at += frame.rowBytes()) {
                move.row(order[r], panel * frame.rowBytes(), at, bytes);
              }
            }
          }
        });
  }

  private void batch(Block block, int step, Move move) {
    for (int panel = 0; panel < frame.panels(block); panel++) {
      int bytes = bytes(panel);
      for (int band = 0; band < frame.bands(); band++) {
        long row = frame.first(block, band) + (long) step * frame.perStep(block, band);
        long at = frame.panel(block, panel) + row * frame.rowBytes();
        for (int n = frame.cuts()[band]; n < frame.cuts()[band + 1]; n++, at += frame.rowBytes()) {
          move.row(n, panel * frame.rowBytes(), at, bytes);
        }
      }
    }
  }

  /** The one row of a block from a vector {@code [H]}. */
  void scatterVector(long from, Block block) {
    for (int panel = 0; panel < frame.panels(block); panel++) {
      Bytes.copy(from + panel * frame.rowBytes(), frame.panel(block, panel), bytes(panel));
    }
  }

  /** Bytes of a panel's row that stand for units, of one value. */
  private int bytes(int panel) {
    int width = 2 * frame.lanes();
    return Math.min(width, frame.units() - panel * width) * frame.size();
  }
}
