package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Workers;

/** {@code h_i = a_i · h_{i−1} + b_i} along an axis, carried in double precision. */
final class LinearScans {
  /** Lines that a thread runs side by side: neighbours, where steps lie far apart in memory. */
  private static final int BLOCK = 64;

  private LinearScans() {}

  static void run(Tensor aTensor, Tensor bTensor, int axis, Tensor hTensor) {
    int[] order = Lines.last(axis, hTensor.rank());
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
    Element element = hTensor.dtype() == DType.I32 ? null : Element.of(hTensor.dtype());
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(lines, perTask)),
        task -> {
          long first = task * perTask;
          int count = (int) Math.min(perTask, lines - first);
          var block =
              new Block(starts(a, first, count), starts(b, first, count), starts(h, first, count));
          if (element == null) {
            whole(block, a, b, h, n);
          } else {
            floating(block, element, a, b, h, n);
          }
        });
  }

  /** Where some lines start. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Block(long[] a, long[] b, long[] h) {}

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

  private static void floating(Block at, Element element, Strided a, Strided b, Strided h, int n) {
    double[] carried = new double[at.h.length];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < carried.length; k++) {
        double added = element.get(at.b[k] + i * step(b));
        carried[k] = i == 0 ? added : element.get(at.a[k] + i * step(a)) * carried[k] + added;
        element.set(at.h[k] + i * step(h), carried[k]);
      }
    }
  }

  private static void whole(Block at, Strided a, Strided b, Strided h, int n) {
    int[] carried = new int[at.h.length];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < carried.length; k++) {
        int added = Bytes.i32(at.b[k] + i * step(b));
        carried[k] = i == 0 ? added : Bytes.i32(at.a[k] + i * step(a)) * carried[k] + added;
        Bytes.i32(at.h[k] + i * step(h), carried[k]);
      }
    }
  }
}
