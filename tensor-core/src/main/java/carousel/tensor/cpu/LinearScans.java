package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.WholeNumbers;

/** {@code h_i = a_i · h_{i−1} + b_i} along an axis, carried in double precision. */
final class LinearScans {
  /** Lines that a thread runs side by side: neighbours, where steps lie far apart in memory. */
  private static final int BLOCK = 64;

  private LinearScans() {}

  static void run(Tensor aTensor, Tensor bTensor, int axis, Tensor hTensor) {
    int[] order = LineLoops.last(axis, hTensor.rank());
    Strided a = Strided.of(aTensor).permute(order);
    Strided b = Strided.of(bTensor).permute(order);
    Strided h = Strided.of(hTensor).permute(order);
    if (h.count() == 0) {
      return;
    }
    int n = h.dims()[order.length - 1];
    long lines = h.count() / n;
    // Longer lines in smaller groups, so that there is work for all threads.
    long perTask = Math.clamp(Table.COSTLY / n, 1, BLOCK);
    DType type = hTensor.dtype();
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(lines, perTask)),
        task -> {
          long first = task * perTask;
          int count = (int) Math.min(perTask, lines - first);
          long[][] at = {starts(a, first, count), starts(b, first, count), starts(h, first, count)};
          long[] steps = {step(a), step(b), step(h)};
          if (type == DType.I32) {
            whole(at, steps, n);
          } else {
            floating(Element.of(type), at, steps, n);
          }
        });
  }

  private static long[] starts(Strided x, long first, int count) {
    long[] starts = new long[count];
    for (int k = 0; k < count; k++) {
      starts[k] = x.row(first + k, x.dims().length - 1);
    }
    return starts;
  }

  private static long step(Strided x) {
    return x.strides()[x.strides().length - 1];
  }

  private static void floating(Element element, long[][] at, long[] steps, int n) {
    double[] carried = new double[at[0].length];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < carried.length; k++) {
        double added = element.get(at[1][k] + i * steps[1]);
        carried[k] = i == 0 ? added : element.get(at[0][k] + i * steps[0]) * carried[k] + added;
        element.set(at[2][k] + i * steps[2], carried[k]);
      }
    }
  }

  private static void whole(long[][] at, long[] steps, int n) {
    int[] carried = new int[at[0].length];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < carried.length; k++) {
        long next = Bytes.i32(at[1][k] + i * steps[1]);
        if (i > 0) {
          next += (long) Bytes.i32(at[0][k] + i * steps[0]) * carried[k];
        }
        carried[k] = WholeNumbers.fitting("linearScan", next);
        Bytes.i32(at[2][k] + i * steps[2], carried[k]);
      }
    }
  }
}
