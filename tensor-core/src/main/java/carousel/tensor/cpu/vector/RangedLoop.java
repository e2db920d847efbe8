package carousel.tensor.cpu.vector;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.host.Bytes;

/**
 * A function of one operand by a vector loop that serves arguments up to a magnitude, and by another
 * loop, the definition's, for those beyond, of which there are hardly ever any. Which one takes an
 * element depends on that element alone.
 */
final class RangedLoop implements Loop {
  /** Elements looked at together: they stay in the nearest cache. */
  private static final int CHUNK = 2048;

  private final Loop within;
  private final Loop beyond;
  private final double limit;
  private final Fold max;
  private final Fold min;
  private final boolean f64;
  private final int size;

  RangedLoop(Loop within, Loop beyond, double limit, Fold max, Fold min, DType type) {
    this.within = within;
    this.beyond = beyond;
    this.limit = limit;
    this.max = max;
    this.min = min;
    this.f64 = type == DType.F64;
    this.size = type.bytes();
  }

  @Override
  public void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n) {
    if (xStep == 0) {
      run(isBeyond(x) ? beyond : within, x, 0, out, n);
      return;
    }
    for (int from = 0; from < n; from += CHUNK) {
      long moved = (long) from * size;
      int m = Math.min(CHUNK, n - from);
      // A NaN, which is both the greatest and the smallest, fails this, too.
      if (max.run(x + moved, m) <= limit && min.run(x + moved, m) >= -limit) {
        run(within, x + moved, 1, out + moved, m);
      } else {
        each(x + moved, out + moved, m);
      }
    }
  }

  private void each(long x, long out, int n) {
    int from = 0;
    for (int i = 0; i <= n; i++) {
      if (i == n || isBeyond(x + (long) i * size)) {
        run(within, x + (long) from * size, 1, out + (long) from * size, i - from);
        run(beyond, x + (long) i * size, 1, out + (long) i * size, i == n ? 0 : 1);
        from = i + 1;
      }
    }
  }

  private static void run(Loop loop, long x, int step, long out, int n) {
    if (n > 0) {
      loop.run(x, step, x, step, x, step, out, n);
    }
  }

  private boolean isBeyond(long at) {
    return Math.abs(f64 ? Bytes.f64(at) : Bytes.f32(at)) > limit;
  }
}
