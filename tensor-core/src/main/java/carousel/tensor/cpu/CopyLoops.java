package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Transpose;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;

/** Copies between layouts without converting elements. */
final class CopyLoops {
  /** Elements that a task transposes, at least. */
  private static final int GRAIN = 16_384;

  /** Elements along a side of a tile, a multiple of every kernel's side; of bytes four times as many. */
  private static final int TILE = 64;

  /** Elements of a row from which on it has a loop of its own. */
  private static final int SHORT = 16;

  private final Transpose bytes;
  private final Transpose words;
  private final Transpose longs;

  CopyLoops(Kernels kernels) {
    this.bytes = kernels.transpose(1);
    this.words = kernels.transpose(4);
    this.longs = kernels.transpose(8);
  }

  /** Copies {@code n} elements from one stride to another, in bytes. */
  static void strided(long from, long fromStride, long to, long toStride, int size, int n) {
    switch (size) {
      case 4 -> {
        for (int i = 0; i < n; i++) {
          Bytes.i32(to + i * toStride, Bytes.i32(from + i * fromStride));
        }
      }
      case 8 -> {
        for (int i = 0; i < n; i++) {
          Bytes.i64(to + i * toStride, Bytes.i64(from + i * fromStride));
        }
      }
      default -> {
        for (int i = 0; i < n; i++) {
          Bytes.i8(to + i * toStride, Bytes.i8(from + i * fromStride));
        }
      }
    }
  }

  /** Copies what is no run of memory in good order: transpositions, and many short rows. If it is, does nothing. */
  boolean scattered(Strided from, Strided to) {
    Strided[] both = Sweep.arrange(from, to);
    Strided source = both[0];
    Strided target = both[1];
    int last = target.dims().length - 1;
    if (last < 1 || target.count() < Sweep.COPIED) {
      return false;
    }
    if (Sweep.transposed(source) && target.strides()[last] == target.size()) {
      transpose(source, target);
      return true;
    }
    if (target.dims()[last] < SHORT) {
      shortRows(source, target);
      return true;
    }
    return false;
  }

  /** Rows too short for a loop each: some dozens of them are copied together, one position after the other. */
  private static void shortRows(Strided from, Strided to) {
    int last = from.dims().length - 1;
    int length = from.dims()[last];
    int rows = from.dims()[last - 1];
    int pieces = Math.ceilDiv(rows, TILE);
    long units = from.count() / length / rows * pieces;
    long perTask = Math.max(1, GRAIN / ((long) Math.min(rows, TILE) * length));
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(units, perTask)),
        task -> {
          for (long unit = task * perTask; unit < Math.min(units, (task + 1) * perTask); unit++) {
            int first = (int) (unit % pieces) * TILE;
            long source = from.row(unit / pieces, last - 1) + first * from.strides()[last - 1];
            long target = to.row(unit / pieces, last - 1) + first * to.strides()[last - 1];
            for (int i = 0; i < length; i++) {
              strided(
                  source + i * from.strides()[last],
                  from.strides()[last - 1],
                  target + i * to.strides()[last],
                  to.strides()[last - 1],
                  from.size(),
                  Math.min(TILE, rows - first));
            }
          }
        });
  }

  /**
   * Copies where the target is contiguous along the last axis and the source along another: in
   * square blocks, so that both sides are read and written by whole vectors.
   */
  void transpose(Strided from, Strided to) {
    int last = from.dims().length - 1;
    int across = 0;
    while (from.strides()[across] != from.size()) {
      across++;
    }
    // The plane of both axes last, the others before, those last in which the source is densest.
    int[] order = new int[last + 1];
    int rank = 0;
    for (int k : Axes.byStride(from)) {
      if (k != across && k != last) {
        order[rank++] = k;
      }
    }
    order[rank++] = across;
    order[rank] = last;
    var planes = new Planes(from.permute(order), to.permute(order));
    Workers.parallel(planes.tasks(), planes::copy);
  }

  /**
   * The planes of the last two axes: {@code to[j,i] = from[j,i]}, from contiguous in j, to in i. By tiles, of which the
   * nearest cache holds both sides, so that each line of memory is fetched once, whatever the strides.
   */
  private final class Planes {
    private final Strided from;
    private final Strided to;
    private final Transpose kernel;
    private final int size;
    private final int side;
    private final int tile;
    private final int outer;
    private final int height;
    private final int width;
    private final long fromRow;
    private final long toRow;

    /** Tiles of a plane. */
    private final int down;

    private final int along;

    /** Planes that lie within the rows of others: the lines of memory that they share are read for all of them at once. */
    private final long interleaved;

    private final long units;
    private final long unitsPerTask;

    Planes(Strided from, Strided to) {
      this.from = from;
      this.to = to;
      this.size = from.size();
      this.kernel = size == 8 ? longs : size == 4 ? words : bytes;
      this.side = kernel.side();
      this.tile = size == 1 ? 4 * TILE : TILE;
      this.outer = from.dims().length - 2;
      this.height = from.dims()[outer];
      this.width = from.dims()[outer + 1];
      this.fromRow = from.strides()[outer + 1];
      this.toRow = to.strides()[outer];
      this.down = Math.ceilDiv(height, tile);
      this.along = Math.ceilDiv(width, tile);
      long within = 1;
      for (int k = outer - 1; k >= 0 && Math.abs(from.strides()[k]) < Math.abs(fromRow); k--) {
        within *= from.dims()[k];
      }
      this.interleaved = within;
      this.units = from.count() / height / width * down * along;
      this.unitsPerTask =
          Math.max(1, GRAIN / ((long) Math.min(tile, height) * Math.min(tile, width)));
    }

    int tasks() {
      return Math.toIntExact(Math.ceilDiv(units, unitsPerTask));
    }

    void copy(int task) {
      long unit = task * unitsPerTask;
      for (long last = Math.min(units, unit + unitsPerTask); unit < last; unit++) {
        long place = unit / interleaved;
        int row = (int) (place % down) * tile;
        int column = (int) (place / down % along) * tile;
        long plane = place / down / along * interleaved + unit % interleaved;
        tile(
            from.row(plane, outer) + (long) row * size + column * fromRow,
            to.row(plane, outer) + row * toRow + (long) column * size,
            Math.min(tile, height - row),
            Math.min(tile, width - column));
      }
    }

    private void tile(long source, long target, int rows, int columns) {
      int blocks = columns / side;
      int whole = blocks * side;
      int full = rows / side * side;
      for (int j = 0; j < full && blocks > 0; j += side) {
        kernel.run(
            source + (long) j * size,
            fromRow,
            side * fromRow,
            target + j * toRow,
            toRow,
            (long) side * size,
            blocks);
      }
      // What is left of whole blocks: columns along the rows, then rows along the columns.
      for (int i = whole; i < columns; i++) {
        strided(source + i * fromRow, size, target + (long) i * size, toRow, size, full);
      }
      for (int j = full; j < rows; j++) {
        strided(source + (long) j * size, fromRow, target + j * toRow, size, size, columns);
      }
    }
  }
}
