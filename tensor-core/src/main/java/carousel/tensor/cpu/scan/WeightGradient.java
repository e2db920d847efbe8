package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.host.Bytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of weights, {@code dw = Σ_t sourceᵀ·dz} over all steps at once. All weights of one
 * block of gates are found in one pass over its cotangents, which lie as a product's right operand
 * wants them; the bias goes along as the weight of a source that is always 1.
 *
 * <p>A number is summed over rows in their order, by one thread: a block of {@link #DEPTH} rows is one chain that begins
 * with zero, blocks are added one after the other, and after every {@link #RUN} rows what there is goes to {@link Totals}. So a
 * gradient over a million rows rounds no more often than one over 32,768, and no shorter one pays for that.
 */
final class WeightGradient {
  /**
   * Rows per block of the sum. The deeper, the fewer times the gradient is read and written; a panel
   * of cotangents, and as many tiles as are passed over it, stay in the second cache.
   */
  private static final int DEPTH = 512;

  /** Rows of which a gradient is the plain sum of its blocks; more are joined from such. */
  private static final int RUN = 64 * DEPTH;

  private static final int NEAR_TILES = 12;

  /** Of any tile. */
  private static final int MAX_HEIGHT = 16;

  private final Frame frame;
  private final Tiles tiles;
  private final Pointwise.Executable copy;
  private final LongUnaryOperator memory;

  /**
   * The gradients of a sequence.
   *
   * @param copy reads its only slot and keeps it in its only array
   * @param memory gives so many bytes for as long as this is used
   */
  WeightGradient(Frame frame, Tiles tiles, Pointwise.Executable copy, LongUnaryOperator memory) {
    this.frame = frame;
    this.tiles = tiles;
    this.copy = copy;
    this.memory = memory;
  }

  /** What a weight is multiplied with; one of the two, or neither for ones. */
  record Source(@Nullable DenseRows matrix, @Nullable Slot slot, int width) {
    /** Rows of a sequence. */
    static Source of(DenseRows matrix, int width) {
      return new Source(matrix, null, width);
    }

    /** A value of the step. */
    static Source of(Slot slot, int width) {
      return new Source(null, slot, width);
    }

    /** 1 for every row. */
    static Source ones() {
      return new Source(null, null, 1);
    }
  }

  /**
   * A weight's gradient, dense.
   *
   * @param source what it is multiplied with
   * @param members for each member of the block of cotangents, the block of columns it belongs to:
   *     its row 0, first column
   */
  record Weight(Source source, List<DenseRows> members) {}

  /** The totals of a block of a gradient, and where that is. */
  private record Total(Totals totals, DenseRows gradient) {
    void add() {
      totals.add(gradient.address(), gradient.rowBytes());
    }

    void end() {
      totals.end(gradient.address(), gradient.rowBytes());
    }
  }

  /** A tile's worth of a source's columns. */
  private record Strip(Weight weight, int from, int height) {}

  /** Computes the gradients that belong to one block of cotangents. */
  void of(Block cotangents, List<Weight> weights) {
    List<Strip> strips = new ArrayList<>();
    for (Weight weight : weights) {
      cut(weight, strips);
    }
    int slack = frame.lanes();
    int[] offsets = new int[strips.size() + 1];
    for (int i = 0; i < strips.size(); i++) {
      offsets[i + 1] = offsets[i] + strips.get(i).height() * DEPTH + slack;
    }
    long rows = (long) frame.steps() * frame.batch();
    List<Total> totals = rows > RUN ? totals(cotangents, weights) : List.of();
    var heap = Heap.of(tiles);
    Object a = heap.lend(tiles, offsets[strips.size()]);
    int panels = frame.panels(cotangents);
    int perTask = Math.max(1, panels / (4 * Workers.threads()));
    for (long from = 0; from < rows; from += DEPTH) {
      long first = from;
      int depth = (int) Math.min(DEPTH, rows - from);
      int stripsPerTask = 8;
      Workers.parallel(
          Math.ceilDiv(strips.size(), stripsPerTask),
          task -> {
            int end = Math.min(strips.size(), (task + 1) * stripsPerTask);
            for (int i = task * stripsPerTask; i < end; i++) {
              pack(strips.get(i), first, depth, a, offsets[i]);
            }
          });
      Workers.parallel(
          Math.ceilDiv(panels, perTask),
          task -> {
            int end = Math.min(panels, (task + 1) * perTask);
            for (int s = 0; s < strips.size(); s += NEAR_TILES) {
              int last = Math.min(strips.size(), s + NEAR_TILES);
              for (int panel = task * perTask; panel < end; panel++) {
                multiply(strips, s, last, cotangents, panel, first, depth, a, offsets);
              }
            }
          });
      if (from + depth == rows || (from + depth) % RUN == 0) {
        totals.forEach(Total::add);
      }
    }
    totals.forEach(Total::end);
    heap.giveBack(a);
  }

  private List<Total> totals(Block cotangents, List<Weight> weights) {
    List<Total> all = new ArrayList<>();
    for (Weight weight : weights) {
      int rows = weight.source().width();
      for (DenseRows member : weight.members()) {
        long at = memory.applyAsLong(Totals.bytes(frame.size(), rows, cotangents.width()));
        all.add(new Total(new Totals(at, frame.size(), rows, cotangents.width()), member));
      }
    }
    return all;
  }

  /** Cuts columns into tiles, which never straddle panels. */
  private void cut(Weight weight, List<Strip> strips) {
    int panel = 2 * frame.lanes();
    int width = weight.source().width();
    int most = Math.min(tiles.maxRows(), frame.lanes()); // one vector holds a row of it
    for (int from = 0; from < width; from += panel) {
      int columns = Math.min(panel, width - from);
      int count = Math.ceilDiv(columns, most);
      for (int i = 0; i < count; i++) {
        int first = columns * i / count;
        strips.add(new Strip(weight, from + first, columns * (i + 1) / count - first));
      }
    }
  }

  private void pack(Strip strip, long first, int depth, Object a, int offset) {
    Source source = strip.weight().source();
    Slot slot = source.slot();
    DenseRows matrix = source.matrix();
    int height = strip.height();
    if (slot != null) {
      // Rows of a state are numbered otherwise than those of the cotangents: band by band.
      for (int band = 0; band < frame.bands(); band++) {
        long begin = (long) frame.steps() * frame.cuts()[band];
        long from = Math.max(first, begin);
        int count =
            (int) Math.min(first + depth, (long) frame.steps() * frame.cuts()[band + 1])
                - (int) from;
        if (count > 0) {
          long row =
              frame.first(slot.block(), band)
                  + (long) slot.ahead() * frame.rows(band)
                  + from
                  - begin;
          packSlot(slot, strip, row, count, a, offset + (int) (from - first) * height);
        }
      }
    } else if (matrix == null) {
      fill(a, offset, height * depth);
    } else {
      packRows(strip, matrix, (int) first, depth, a, offset);
    }
  }

  private void packSlot(Slot slot, Strip strip, long row, int count, Object a, int offset) {
    int lanes = frame.lanes();
    if (slot.block().members() == 1) {
      long address =
          frame.vector(slot.block(), 0, strip.from() / lanes)
              + (long) (strip.from() % lanes) * frame.size()
              + row * frame.rowBytes();
      copy.run(
          new long[] {address},
          frame.rowBytes(),
          new Object[] {a},
          new int[] {offset},
          strip.height(),
          count);
      return;
    }
    // Element by element: two halves of a panel of several values are not neighbours.
    for (int j = 0; j < strip.height(); j++) {
      int unit = strip.from() + j;
      long address =
          frame.vector(slot.block(), slot.member(), unit / lanes)
              + (long) (unit % lanes) * frame.size()
              + row * frame.rowBytes();
      for (int p = 0; p < count; p++) {
        set(a, offset + p * strip.height() + j, address + p * frame.rowBytes());
      }
    }
  }

  private void packRows(Strip strip, DenseRows x, int first, int depth, Object a, int offset) {
    int[] order = frame.order();
    long[] at = new long[1];
    Object[] arrays = {a};
    int[] offsets = new int[1];
    int height = strip.height();
    long column = x.address() + (long) strip.from() * frame.size();
    // A whole vector is read where less is wanted: only where that much of x follows.
    boolean inside = strip.from() + frame.lanes() <= strip.weight().source().width();
    for (int p = 0; p < depth; ) {
      long row = order[first + p];
      int run = 1;
      while (p + run < depth && order[first + p + run] == row + run) {
        run++;
      }
      if (inside) {
        at[0] = column + row * x.rowBytes();
        offsets[0] = offset + p * height;
        copy.run(at, x.rowBytes(), arrays, offsets, height, run);
      } else {
        for (int i = 0; i < run; i++) {
          for (int j = 0; j < strip.height(); j++) {
            long address = column + (row + i) * x.rowBytes() + (long) j * frame.size();
            set(a, offset + (p + i) * height + j, address);
          }
        }
      }
      p += run;
    }
  }

  private static void set(Object a, int index, long address) {
    if (a instanceof float[] floats) {
      floats[index] = Bytes.f32(address);
    } else {
      ((double[]) a)[index] = Bytes.f64(address);
    }
  }

  private static void fill(Object a, int offset, int count) {
    if (a instanceof float[] floats) {
      Arrays.fill(floats, offset, offset + count, 1f);
    } else {
      Arrays.fill((double[]) a, offset, offset + count, 1.0);
    }
  }

  /** One panel of cotangents under tiles of sources. */
  private void multiply(
      List<Strip> strips,
      int s,
      int end,
      Block block,
      int panel,
      long first,
      int depth,
      Object a,
      int[] offsets) {
    int lanes = frame.lanes();
    int size = frame.size();
    long full = (long) lanes * size;
    long rowBytes = frame.rowBytes();
    int members = block.members();
    int left = 2 * panel;
    boolean pair = left + 1 < frame.vectors(block);
    int right = pair ? left + 1 : left;
    int leftBytes = frame.filled(block.width(), left / members) * size;
    int rightBytes = pair ? frame.filled(block.width(), right / members) * size : 0;
    boolean whole = leftBytes == full && rightBytes == full;
    boolean fresh = first % RUN == 0;
    long scratch = Scratch.ofThread().address((2 * MAX_HEIGHT + 1) * rowBytes);
    long aside = scratch + MAX_HEIGHT * rowBytes;
    long zeros = aside + MAX_HEIGHT * rowBytes;
    Bytes.clear(zeros, rowBytes);
    long cotangents = frame.panel(block, panel) + first * rowBytes;
    for (int i = s; i < end; i++) {
      Strip strip = strips.get(i);
      int height = strip.height();
      var tile = tiles.tile(Tile.Packing.COLUMNS, height, 2);
      DenseRows leftOut = strip.weight().members().get(left % members);
      DenseRows rightOut = strip.weight().members().get(right % members);
      long outRow = leftOut.rowBytes();
      long rightRow = rightOut.rowBytes();
      long out = leftOut.address() + strip.from() * outRow + left / members * full;
      long outRight = rightOut.address() + strip.from() * rightRow + right / members * full;
      boolean inside = whole && outRow == rightRow;
      boolean inPlace = inside && fresh;
      tile.run(
          a,
          offsets[i],
          0,
          depth,
          cotangents,
          rowBytes,
          zeros,
          0,
          full,
          inPlace ? out : scratch,
          inPlace ? outRow : rowBytes,
          inPlace ? outRight - out : full);
      if (inside) {
        if (!fresh) {
          tiles.sum().add(scratch, out, outRow, outRight - out, height);
        }
        continue;
      }
      // The tile sticks out of the gradient: its inner part is copied, or added aside.
      long inner = scratch;
      if (!fresh) {
        inner = aside;
        for (int r = 0; r < height; r++) {
          Bytes.copy(out + r * outRow, aside + r * rowBytes, leftBytes);
          Bytes.copy(outRight + r * rightRow, aside + r * rowBytes + full, rightBytes);
        }
        tiles.sum().add(scratch, aside, rowBytes, full, height);
      }
      for (int r = 0; r < height; r++) {
        Bytes.copy(inner + r * rowBytes, out + r * outRow, leftBytes);
        Bytes.copy(inner + r * rowBytes + full, outRight + r * rightRow, rightBytes);
      }
    }
  }
}
