package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
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

  /** Bytes of panels for {@code members} blocks of {@code width} columns and {@code k} rows. */
  long bytes(int members, int width, int k) {
    return Math.ceilDiv(frame.vectors(width) * members, 2) * frame.rowBytes() * k;
  }

  /** Bytes of panels that stand for {@code columns} columns and {@code k} rows. */
  long bytesOfColumns(int columns, int k) {
    return Math.ceilDiv(columns, 2 * frame.lanes()) * frame.rowBytes() * k;
  }

  /**
   * Packs blocks of columns, interleaved vector by vector as in a {@link Block}; a single column fills its
   * vector.
   *
   * @param blocks where each begins: row 0, its first column
   * @param width columns of a block
   * @param k how many rows
   */
  void interleave(List<DenseRows> blocks, int width, int k, long into) {
    int chunks = Math.ceilDiv(k, ROWS);
    int perTask = Math.max(1, 32_768 / (ROWS * width * blocks.size()));
    Workers.parallel(
        Math.ceilDiv(chunks, perTask),
        task -> {
          int end = Math.min(chunks, (task + 1) * perTask);
          for (int chunk = task * perTask; chunk < end; chunk++) {
            int from = chunk * ROWS;
            interleaveRows(blocks, width, k, from, Math.min(k, from + ROWS), into);
          }
        });
  }

  private void interleaveRows(
      List<DenseRows> blocks, int width, int k, int from, int to, long into) {
    int members = blocks.size();
    int full = frame.lanes() * frame.size();
    long rowBytes = frame.rowBytes();
    int vectors = frame.vectors(width) * members;
    for (int v = 0; v < vectors; v++) {
      int u = v / members;
      DenseRows block = blocks.get(v % members);
      int bytes = frame.filled(width, u) * frame.size();
      long source = block.address() + (long) u * full + from * block.rowBytes();
      long target = into + (v >> 1) * rowBytes * k + (long) (v & 1) * full + from * rowBytes;
      for (int p = from; p < to; p++, source += block.rowBytes(), target += rowBytes) {
        if (width == 1) {
          Bytes.splat(source, frame.size(), target, frame.lanes());
        } else {
          copyPadded(source, target, bytes, full);
        }
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

  /** Packs {@code bᵀ}, where b has {@code columns} rows of k elements; a single column fills its vector. */
  void transpose(DenseRows b, int k, int columns, long into) {
    if (columns == 1) {
      for (int p = 0; p < k; p++) {
        long from = b.address() + (long) p * frame.size();
        Bytes.splat(from, frame.size(), into + p * frame.rowBytes(), 2 * frame.lanes());
      }
      return;
    }
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
}
