package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.Loop;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[i] = test(x[i], y[i]) ? 1 : 0}; the result is one byte per element. */
final class TestTemplate implements Loop {
  private static final VectorSpecies<?> S = Lanes.species(MethodHandles.lookup());
  private static final int LANES = S.length();
  private static final int WIDTH = S.vectorByteSize();
  private static final int SIZE = WIDTH / LANES;

  @Override
  public void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n) {
    long dx = (long) xStep * WIDTH;
    long dy = (long) yStep * WIDTH;
    int whole = n & -LANES;
    for (int i = 0; i < whole; i += LANES) {
      long bits =
          OpBody.test(S.fromMemorySegment(ALL, x, ORDER), S.fromMemorySegment(ALL, y, ORDER))
              .toLong();
      x += dx;
      y += dy;
      if (LANES >= 8) {
        for (int k = 0; k < LANES; k += 8) {
          ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, out + k, Lanes.bytes(bits >>> k));
        }
      } else if (LANES == 4) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, out, (int) Lanes.bytes(bits));
      } else {
        ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, out, (short) Lanes.bytes(bits));
      }
      out += LANES;
    }
    if (whole < n) {
      int rest = n - whole;
      long tail = Lanes.tail();
      Lanes.copy(x, tail, rest * SIZE);
      Lanes.copy(y, tail + 64, rest * SIZE);
      long bits =
          OpBody.test(
                  S.fromMemorySegment(ALL, tail, ORDER), S.fromMemorySegment(ALL, tail + 64, ORDER))
              .toLong();
      for (int k = 0; k < rest; k++) {
        ALL.set(ValueLayout.JAVA_BYTE, out + k, (byte) ((bits >>> k) & 1));
      }
    }
  }
}
