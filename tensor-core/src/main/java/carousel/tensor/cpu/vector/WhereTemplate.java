package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.Loop;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[i] = x[i] ≠ 0 ? y[i] : z[i]}; the condition is one byte per element. */
final class WhereTemplate implements Loop {
  @SuppressWarnings("unchecked") // the lane type does not matter to a blend
  private static final VectorSpecies<Object> S =
      (VectorSpecies<Object>) Lanes.species(MethodHandles.lookup());

  private static final int LANES = S.length();
  private static final int WIDTH = S.vectorByteSize();
  private static final int SIZE = WIDTH / LANES;

  @Override
  public void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n) {
    long dx = (long) xStep * LANES;
    long dy = (long) yStep * WIDTH;
    long dz = (long) zStep * WIDTH;
    int whole = n & -LANES;
    for (int i = 0; i < whole; i += LANES) {
      long bits = 0;
      if (LANES >= 8) {
        for (int k = 0; k < LANES; k += 8) {
          bits |= Lanes.bits(ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, x + k)) << k;
        }
      } else if (LANES == 4) {
        bits = Lanes.bits(ALL.get(ValueLayout.JAVA_INT_UNALIGNED, x));
      } else {
        bits = Lanes.bits(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, x));
      }
      VectorMask<Object> mask = VectorMask.fromLong(S, bits);
      Vector<Object> yes = S.fromMemorySegment(ALL, y, ORDER);
      Vector<Object> no = S.fromMemorySegment(ALL, z, ORDER);
      no.blend(yes, mask).intoMemorySegment(ALL, out, ORDER);
      x += dx;
      y += dy;
      z += dz;
      out += WIDTH;
    }
    for (int k = 0; k < n - whole; k++) {
      long from =
          ALL.get(ValueLayout.JAVA_BYTE, x + (long) k * xStep) != 0
              ? y + (long) k * yStep * SIZE
              : z + (long) k * zStep * SIZE;
      Lanes.copy(from, out + (long) k * SIZE, SIZE);
    }
  }
}
