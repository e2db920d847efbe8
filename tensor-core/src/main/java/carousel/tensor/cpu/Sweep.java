package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.spi.Memory;
import java.util.function.IntConsumer;

/**
 * Runs an elementwise loop over operands of any layout: {@code out_i = loop(in_i, ...)}.
 *
 * <p>Axes are merged until the last is as long as the strides allow. Along it an operand that is
 * contiguous goes to the loop as it is, one with stride 0 as a splat; others pass through a buffer
 * that fits in the nearest cache. A large operand that is contiguous along another axis is transposed
 * into a dense copy first. Work is cut by the number of elements and shared among threads.
 */
final class Sweep implements IntConsumer {
  private static final int BUFFER = 1024;
  private static final long BUFFER_BYTES = BUFFER * 8L;

  /** From so many elements on, transposing into a copy pays. */
  static final int COPIED = 4096;

  private static final int[] ONE_GROUP = new int[64];

  private final Loop loop;
  private final Strided[] operands;
  private final int axes;
  private final int length;
  private final long rows;
  private final int[] steps;
  private boolean buffered;
  private final int pieceLength;
  private final int pieces;
  private final long rowsPerTask;

  private Sweep(Loop loop, int grain, Strided[] operands) {
    this.loop = loop;
    this.operands = operands;
    int[] dims = operands[0].dims();
    this.axes = Math.max(0, dims.length - 1);
    this.length = dims.length == 0 ? 1 : dims[axes];
    this.rows = operands[0].count() / length;
    this.steps = new int[operands.length];
    for (int o = 0; o < operands.length; o++) {
      long stride = length == 1 ? operands[o].size() : operands[o].strides()[axes];
      // A step other than 0 and 1 marks an operand that needs a buffer.
      steps[o] = stride == 0 ? 0 : stride == operands[o].size() ? 1 : 2;
      buffered |= steps[o] == 2;
    }
    this.pieceLength = Math.min(length, grain);
    this.pieces = Math.ceilDiv(length, pieceLength);
    this.rowsPerTask = Math.max(1, grain / length);
  }

  /**
   * Runs a loop.
   *
   * @param grain elements per task
   * @param copies how to make dense copies
   * @param memory where to make them
   * @param target the result, which visits no element twice
   * @param sources one to three operands of its shape
   */
  static void run(
      Loop loop, int grain, CopyLoops copies, Memory memory, Strided target, Strided... sources) {
    if (target.count() == 0) {
      return;
    }
    Strided[] operands = new Strided[sources.length + 1];
    System.arraycopy(sources, 0, operands, 0, sources.length);
    operands[sources.length] = target;
    operands = arrange(operands);
    long[] copied = null;
    int rank = operands[0].dims().length;
    for (int o = 0; o < sources.length; o++) {
      if (rank > 1 && transposed(operands[o]) && operands[o].count() >= COPIED) {
        copied = copied == null ? new long[sources.length] : copied;
        operands[o] = dense(operands[o], copies, memory, copied, o);
      }
    }
    try {
      new Sweep(loop, grain, copied == null ? operands : arrange(operands)).run();
    } finally {
      for (int o = 0; copied != null && o < copied.length; o++) {
        if (copied[o] != 0) {
          memory.free(copied[o], operands[o].count() * operands[o].size());
        }
      }
    }
  }

  /** Merges axes, in the order in which the last operand is densest. */
  static Strided[] arrange(Strided... operands) {
    int[] order = Axes.byStride(operands[operands.length - 1]);
    boolean moved = false;
    for (int k = 0; k < order.length; k++) {
      moved |= order[k] != k;
    }
    if (moved) {
      operands = operands.clone();
      for (int o = 0; o < operands.length; o++) {
        operands[o] = operands[o].permute(order);
      }
    }
    return Axes.merge(ONE_GROUP, operands);
  }

  /** Whether an operand is contiguous along an axis, but not the last, along which it moves. */
  static boolean transposed(Strided x) {
    long[] strides = x.strides();
    int last = strides.length - 1;
    if (strides[last] == 0 || strides[last] == x.size()) {
      return false;
    }
    for (int k = 0; k < last; k++) {
      if (strides[k] == x.size()) {
        return true;
      }
    }
    return false;
  }

  private static Strided dense(
      Strided x, CopyLoops copies, Memory memory, long[] copied, int slot) {
    long address = memory.allocate(x.count() * x.size());
    if (address == 0) {
      // No room: the slower way through buffers needs none.
      return x;
    }
    copied[slot] = address;
    var copy = Strided.dense(address, x.dims(), x.size());
    copies.transpose(x, copy);
    return copy;
  }

  private void run() {
    long tasks = pieces > 1 ? rows * pieces : Math.ceilDiv(rows, rowsPerTask);
    Workers.parallel(Math.toIntExact(tasks), this);
  }

  @Override
  public void accept(int task) {
    if (pieces > 1) {
      long row = task / pieces;
      int from = task % pieces * pieceLength;
      piece(row, from, Math.min(pieceLength, length - from));
    } else {
      long first = task * rowsPerTask;
      long last = Math.min(rows, first + rowsPerTask);
      for (long row = first; row < last; row++) {
        piece(row, 0, length);
      }
    }
  }

  private void piece(long row, int from, int n) {
    int sources = operands.length - 1;
    long x = at(0, row, from);
    long y = sources > 1 ? at(1, row, from) : x;
    long z = sources > 2 ? at(2, row, from) : x;
    long out = at(sources, row, from);
    if (buffered) {
      throughBuffers(x, y, z, out, n);
      return;
    }
    int xStep = steps[0];
    int yStep = sources > 1 ? steps[1] : xStep;
    int zStep = sources > 2 ? steps[2] : xStep;
    if ((xStep & yStep & zStep) == 0) {
      long splats = Scratch.ofThread().address(3L * Loop.SPLAT_BYTES);
      x = splat(0, x, splats);
      y = sources > 1 ? splat(1, y, splats + Loop.SPLAT_BYTES) : x;
      z = sources > 2 ? splat(2, z, splats + 2L * Loop.SPLAT_BYTES) : x;
    }
    loop.run(x, xStep, y, yStep, z, zStep, out, n);
  }

  private long at(int operand, long row, int from) {
    Strided o = operands[operand];
    return o.row(row, axes) + (from == 0 ? 0 : from * o.strides()[axes]);
  }

  private long splat(int operand, long address, long into) {
    if (steps[operand] != 0) {
      return address;
    }
    int size = operands[operand].size();
    Bytes.splat(address, size, into, Loop.SPLAT_BYTES / size);
    return into;
  }

  private void throughBuffers(long x, long y, long z, long out, int n) {
    int sources = operands.length - 1;
    long scratch = Scratch.ofThread().address(4L * BUFFER_BYTES);
    for (int done = 0; done < n; done += BUFFER) {
      int m = Math.min(BUFFER, n - done);
      long a = load(0, x, done, m, scratch);
      long b = sources > 1 ? load(1, y, done, m, scratch + BUFFER_BYTES) : a;
      long c = sources > 2 ? load(2, z, done, m, scratch + 2 * BUFFER_BYTES) : a;
      int size = operands[sources].size();
      long stride = operands[sources].strides()[axes];
      long target = out + done * stride;
      boolean scatter = steps[sources] == 2;
      int aStep = Math.min(1, steps[0]);
      int bStep = sources > 1 ? Math.min(1, steps[1]) : aStep;
      int cStep = sources > 2 ? Math.min(1, steps[2]) : aStep;
      loop.run(a, aStep, b, bStep, c, cStep, scatter ? scratch + 3 * BUFFER_BYTES : target, m);
      if (scatter) {
        CopyLoops.strided(scratch + 3 * BUFFER_BYTES, size, target, stride, size, m);
      }
    }
  }

  private long load(int operand, long address, int done, int n, long buffer) {
    Strided o = operands[operand];
    if (steps[operand] == 2) {
      long stride = o.strides()[axes];
      CopyLoops.strided(address + done * stride, stride, buffer, o.size(), o.size(), n);
      return buffer;
    }
    return steps[operand] == 0 ? splat(operand, address, buffer) : address + (long) done * o.size();
  }
}
