package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Workers;
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
    for (; i + 8 <= bytes; i += 8) {
      Bytes.i64(to + i, Bytes.i64(from + i));
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

  /** Rows of a block from a dense matrix {@code [rows,H]}; row r of the block is row {@code map(r)}. */
  void scatter(Matrix from, long rows, RowMap map, Block block) {
    rows(
        rows,
        (r, panel, at, bytes) ->
            Bytes.copy(
                from.address() + map.of(r) * from.rowBytes() + panel * frame.rowBytes(), at, bytes),
        block,
        0);
  }

  /** Rows of a block to a dense matrix {@code [rows,H]}. */
  void gather(Block block, long first, long rows, RowMap map, Matrix to) {
    rows(
        rows,
        (r, panel, at, bytes) ->
            Bytes.copy(
                at, to.address() + map.of(r) * to.rowBytes() + panel * frame.rowBytes(), bytes),
        block,
        first);
  }

  /** Where a row is in another order. */
  @FunctionalInterface
  interface RowMap {
    long of(long row);
  }

  @FunctionalInterface
  private interface Move {
    void row(long row, int panel, long at, int bytes);
  }

  private void rows(long rows, Move move, Block block, long first) {
    int perTask = Math.max(1, 16_384 / frame.units());
    int panels = frame.panels(block);
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(rows, perTask)),
        task -> {
          long from = (long) task * perTask;
          long to = Math.min(rows, from + perTask);
          for (int panel = 0; panel < panels; panel++) {
            int bytes =
                Math.min(2 * frame.lanes(), frame.units() - panel * 2 * frame.lanes())
                    * frame.size();
            long at = frame.panel(block, panel) + (first + from) * frame.rowBytes();
            for (long r = from; r < to; r++, at += frame.rowBytes()) {
              move.row(r, panel, at, bytes);
            }
          }
        });
  }
}
