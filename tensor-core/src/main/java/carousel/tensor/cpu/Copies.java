package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Transpose;
import carousel.tensor.cpu.loop.Workers;

/** Copies between layouts without converting elements. */
final class Copies {
  /** Elements that a task transposes. */
  private static final int GRAIN = 16_384;

  private final Transpose words;
  private final Transpose longs;

  Copies(Kernels kernels) {
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
    // The plane of both axes last, the others before.
    int[] order = new int[last + 1];
    int rank = 0;
    for (int k = 0; k < last; k++) {
      if (k != across) {
        order[rank++] = k;
      }
    }
    order[rank++] = across;
    order[rank] = last;
    Planes planes = new Planes(from.permute(order), to.permute(order));
    Workers.parallel(planes.tasks(), planes::copy);
  }

  /** The plane of the last two axes: {@code to[j,i] = from[j,i]}, from contiguous in j, to in i. */
  private final class Planes {
    private final Strided from;
    private final Strided to;
    private final int outer;
    private final int height;
    private final int width;
    private final long fromRow;
    private final long toRow;
    private final int strip;
    private final int strips;

    Planes(Strided from, Strided to) {
      this.from = from;
      this.to = to;
      this.outer = from.dims().length - 2;
      this.height = from.dims()[outer];
      this.width = from.dims()[outer + 1];
      this.fromRow = from.strides()[outer + 1];
      this.toRow = to.strides()[outer];
      int side = kernel() == null ? 1 : kernel().side();
      this.strip = side * Math.max(1, GRAIN / (side * Math.max(1, width)));
      this.strips = Math.ceilDiv(height, strip);
    }

    private Transpose kernel() {
      return from.size() == 8 ? longs : words;
    }

    int tasks() {
      long count = from.count() / height / width;
      return Math.toIntExact(count * strips);
    }

    void copy(int task) {
      int first = task % strips * strip;
      int end = Math.min(height, first + strip);
      int size = from.size();
      long source = from.row(task / strips, outer);
      long target = to.row(task / strips, outer);
      int j = first;
      if (size >= 4) {
        int side = kernel().side();
        int blocks = width / side;
        for (; j + side <= end && blocks > 0; j += side) {
          kernel()
              .run(
                  source + (long) j * size,
                  fromRow,
                  side * fromRow,
                  target + j * toRow,
                  toRow,
                  (long) side * size,
                  blocks);
          int done = blocks * side;
          for (int row = j; row < j + side; row++) {
            rest(source, target, row, done);
          }
        }
      }
      for (; j < end; j++) {
        rest(source, target, j, 0);
      }
    }

    private void rest(long source, long target, int j, int done) {
      int size = from.size();
      strided(
          source + (long) j * size + done * fromRow,
          fromRow,
          target + j * toRow + (long) done * size,
          size,
          size,
          width - done);
    }
  }
}
