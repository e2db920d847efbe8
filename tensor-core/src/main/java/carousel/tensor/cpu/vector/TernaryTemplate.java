package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.Loop;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[i] = body(x[i], y[i], z[i])}; operands and result of one lane type. */
final class TernaryTemplate implements Loop {
  private static final VectorSpecies<?> S = Lanes.species(MethodHandles.lookup());
  private static final VectorSpecies<Byte> SB = S.withLanes(byte.class);
  private static final int LANES = S.length();
  private static final int WIDTH = S.vectorByteSize();
  private static final int SIZE = WIDTH / LANES;
  private static final boolean MASKED = Lanes.masked(S);

  @Override
  public void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n) {
    long dx = (long) xStep * WIDTH;
    long dy = (long) yStep * WIDTH;
    long dz = (long) zStep * WIDTH;
    int whole = n & -LANES;
    for (int i = 0; i < whole; i += LANES) {
      OpBody.apply(
              S.fromMemorySegment(ALL, x, ORDER),
              S.fromMemorySegment(ALL, y, ORDER),
              S.fromMemorySegment(ALL, z, ORDER))
          .intoMemorySegment(ALL, out, ORDER);
      x += dx;
      y += dy;
      z += dz;
      out += WIDTH;
    }
    int rest = (n - whole) * SIZE;
    if (rest == 0) {
      return;
    }
    if (MASKED) {
      VectorMask<Byte> mask = VectorMask.fromLong(SB, (1L << rest) - 1);
      Vector<?> a = ByteVector.fromMemorySegment(SB, ALL, x, ORDER, mask).reinterpretShape(S, 0);
      Vector<?> b = ByteVector.fromMemorySegment(SB, ALL, y, ORDER, mask).reinterpretShape(S, 0);
      Vector<?> c = ByteVector.fromMemorySegment(SB, ALL, z, ORDER, mask).reinterpretShape(S, 0);
      OpBody.apply(a, b, c).reinterpretAsBytes().intoMemorySegment(ALL, out, ORDER, mask);
    } else {
      long tail = Lanes.tail();
      Lanes.copy(x, tail, rest);
      Lanes.copy(y, tail + 64, rest);
      Lanes.copy(z, tail + 128, rest);
      OpBody.apply(
              S.fromMemorySegment(ALL, tail, ORDER),
              S.fromMemorySegment(ALL, tail + 64, ORDER),
              S.fromMemorySegment(ALL, tail + 128, ORDER))
          .intoMemorySegment(ALL, tail, ORDER);
      Lanes.copy(tail, out, rest);
    }
  }
}
