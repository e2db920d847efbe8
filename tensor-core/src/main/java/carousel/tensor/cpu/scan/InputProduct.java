package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import java.util.List;

/**
 * The products of all steps at once between the input and the blocks of gates: {@code x·wx + b} on
 * the way there, {@code dx = dz·wxᵀ} on the way back.
 */
final class InputProduct {
  /** Terms of a sum at a time: a panel of weights stays in the second cache. */
  private static final int DEPTH = 1024;

  /** Parts of a sum that are added one after the other; more are joined from such, as {@link Totals}. */
  private static final int RUN = 32;

  private final Frame frame;
  private final Tiles tiles;
  private final Pointwise.Executable copy;
  private final int inputs;

  /**
   * Products of a sequence.
   *
   * @param copy reads its only slot and keeps it in its only array
   * @param inputs D
   */
  InputProduct(Frame frame, Tiles tiles, Pointwise.Executable copy, int inputs) {
    this.frame = frame;
    this.tiles = tiles;
    this.copy = copy;
    this.inputs = inputs;
  }

  /**
   * A block of gates.
   *
   * @param block where they lie
   * @param weights packed {@code wx}
   * @param bias packed {@code b}
   */
  record Gates(Block block, long weights, long bias) {}

  /**
   * One gate's cotangent.
   *
   * @param block where it lies
   * @param member which of the block
   * @param weights its block of {@code wxᵀ}, packed
   */
  record Cotangent(Block block, int member, long weights) {}

  /** {@code gates = x·wx + b}. */
  void project(DenseRows x, List<Gates> gates) {
    share((from, rows) -> {
      int lanes = frame.lanes();
      int blocks = Math.ceilDiv(inputs, lanes);
      var heap = Heap.of(tiles);
      Object a = heap.lend(tiles, blocks * rows * lanes);
      packRows(x, (int) from, rows, a);
      for (Gates gate : gates) {
        int vectors = frame.vectors(gate.block());
        for (int panel = 0; panel < frame.panels(gate.block()); panel++) {
          long bias = gate.bias() + panel * frame.rowBytes();
          long out = frame.panel(gate.block(), panel) + from * frame.rowBytes();
          tiles(
              a,
              0,
              rows,
              inputs,
              gate.weights() + panel * frame.rowBytes() * inputs,
              Math.min(2, vectors - 2 * panel),
              bias,
              0,
              out);
        }
      }
      heap.giveBack(a);
    });
  }

  /** {@code dx = Σ dz·wxᵀ}. */
  void returned(List<Cotangent> cotangents, DenseRows dx) {
    share((from, rows) -> {
      int lanes = frame.lanes();
      int[] offsets = new int[cotangents.size() + 1];
      for (int i = 0; i < cotangents.size(); i++) {
        int vectors = frame.vectors(cotangents.get(i).block().width());
        offsets[i + 1] = offsets[i] + vectors * rows * lanes;
      }
      var heap = Heap.of(tiles);
      Object a = heap.lend(tiles, offsets[cotangents.size()]);
      for (int i = 0; i < cotangents.size(); i++) {
        packCotangent(cotangents.get(i), from, rows, a, offsets[i]);
      }
      long scratch = Scratch.ofThread().address((rows + 1) * frame.rowBytes());
      long zeros = scratch + rows * frame.rowBytes();
      Bytes.clear(zeros, frame.rowBytes());
      int width = 2 * lanes;
      for (int panel = 0; panel * width < inputs; panel++) {
        int columns = Math.min(width, inputs - panel * width);
        for (int i = 0; i < cotangents.size(); i++) {
          int k = cotangents.get(i).block().width();
          tiles(
              a,
              offsets[i],
              rows,
              k,
              cotangents.get(i).weights() + panel * frame.rowBytes() * k,
              Math.ceilDiv(columns, lanes),
              i == 0 ? zeros : scratch,
              i == 0 ? 0 : frame.rowBytes(),
              scratch);
        }
        long bytes = (long) columns * frame.size();
        for (int r = 0; r < rows; r++) {
          Bytes.copy(
              scratch + r * frame.rowBytes(),
              dx.address()
                  + frame.order()[(int) from + r] * dx.rowBytes()
                  + panel * frame.rowBytes(),
              bytes);
        }
      }
      heap.giveBack(a);
    });
  }

  /** A chunk of the {@code T·N} rows. */
  @FunctionalInterface
  private interface Chunk {
    void run(long from, int rows);
  }

  private void share(Chunk chunk) {
    long rows = (long) frame.steps() * frame.batch();
    // Some per thread, so that none waits long; few, so that weights are read few times.
    int wanted = Workers.threads() == 1 ? 1 : 4 * Workers.threads();
    int most = 16 * tiles.maxRows();
    int count =
        (int)
            Math.max(
                Math.min(wanted, Math.ceilDiv(rows, tiles.maxRows())), Math.ceilDiv(rows, most));
    Workers.parallel(
        count,
        i -> {
          long from = rows * i / count;
          chunk.run(from, (int) (rows * (i + 1) / count - from));
        });
  }

  private void tiles(
      Object a,
      int offset,
      int rows,
      int k,
      long weights,
      int vectors,
      long init,
      long initRow,
      long out) {
    int lanes = frame.lanes();
    long next = (long) lanes * frame.size();
    int high = tiles.maxRows();
    int count = Math.ceilDiv(rows, high);
    // Of a long sum, only as many terms at a time as a panel of weights has room for in a near
    // cache.
    int parts = Math.ceilDiv(k, DEPTH);
    int part = Math.ceilDiv(Math.ceilDiv(k, lanes), parts) * lanes;
    long aside = 0;
    long zeros = 0;
    Totals totals = null;
    if (parts > 1) {
      int columns = 2 * lanes;
      long tile = (high + 1) * frame.rowBytes();
      aside = Scratch.forTotals().address(tile + Totals.bytes(frame.size(), rows, columns));
      zeros = aside + high * frame.rowBytes();
      Bytes.clear(zeros, frame.rowBytes());
      totals = parts > RUN ? new Totals(aside + tile, frame.size(), rows, columns) : null;
    }
    for (int p = 0; p < k; p += part) {
      if (totals != null && p > 0 && p / part % RUN == 0) {
        totals.add(out, frame.rowBytes());
        Bytes.clear(out, rows * frame.rowBytes());
      }
      // A later part begins with zero and is added to what there is.
      boolean first = p == 0;
      for (int i = 0; i < count; i++) {
        int from = rows * i / count;
        int to = rows * (i + 1) / count;
        long at = out + from * frame.rowBytes();
        tiles
            .tile(Tile.Packing.ROWS, to - from, vectors)
            .run(
                a,
                offset + p * rows + from * lanes,
                rows * lanes,
                Math.min(part, k - p),
                weights + p * frame.rowBytes(),
                frame.rowBytes(),
                first ? init + from * initRow : zeros,
                first ? initRow : 0,
                next,
                first ? at : aside,
                frame.rowBytes(),
                next);
        if (!first) {
          tiles.sum().add(aside, at, frame.rowBytes(), next, to - from);
        }
      }
    }
    if (totals != null) {
      totals.add(out, frame.rowBytes());
      totals.end(out, frame.rowBytes());
    }
  }

  private void packRows(DenseRows x, int from, int rows, Object a) {
    int[] order = frame.order();
    int lanes = frame.lanes();
    long[] at = new long[1];
    Object[] arrays = {a};
    int[] offsets = new int[1];
    int blocks = inputs / lanes;
    // Rows that follow each other in x, too, are copied in one go.
    for (int r = 0; r < rows; ) {
      long first = order[from + r];
      int run = 1;
      while (r + run < rows && order[from + r + run] == first + run) {
        run++;
      }
      for (int block = 0; block < blocks; block++) {
        at[0] = x.address() + first * x.rowBytes() + (long) block * lanes * frame.size();
        offsets[0] = (block * rows + r) * lanes;
        copy.run(at, x.rowBytes(), arrays, offsets, lanes, run);
      }
      for (int i = 0; i < run; i++) {
        for (int j = blocks * lanes; j < inputs; j++) {
          long address = x.address() + (first + i) * x.rowBytes() + (long) j * frame.size();
          int index = (blocks * rows + r + i) * lanes + j - blocks * lanes;
          if (a instanceof float[] floats) {
            floats[index] = Bytes.f32(address);
          } else {
            ((double[]) a)[index] = Bytes.f64(address);
          }
        }
      }
      r += run;
    }
  }

  private void packCotangent(Cotangent cotangent, long from, int rows, Object a, int offset) {
    long[] at = new long[1];
    Object[] arrays = {a};
    int[] offsets = new int[1];
    for (int u = 0; u < frame.vectors(cotangent.block().width()); u++) {
      at[0] = frame.vector(cotangent.block(), cotangent.member(), u) + from * frame.rowBytes();
      offsets[0] = offset + u * rows * frame.lanes();
      copy.run(at, frame.rowBytes(), arrays, offsets, frame.lanes(), rows);
    }
  }
}
