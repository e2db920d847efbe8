package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.Loop;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[i] = body(x[i])}; operands and result of one lane type. */
final class UnaryTemplate implements Loop {
  private static final VectorSpecies<?> S = Lanes.species(MethodHandles.lookup());
  private static final VectorSpecies<Byte> SB = S.withLanes(byte.class);
  private static final int LANES = S.length();
  private static final int WIDTH = S.vectorByteSize();
  private static final int SIZE = WIDTH / LANES;
  private static final boolean MASKED = Lanes.masked(S);

  @Override
  public void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n) {
    long dx = (long) xStep * WIDTH;
    int whole = n & -LANES;
    for (int i = 0; i < whole; i += LANES) {
      OpBody.apply(S.fromMemorySegment(ALL, x, ORDER)).intoMemorySegment(ALL, out, ORDER);
      x += dx;
      out += WIDTH;
    }
    int rest = n - whole;
    if (rest > 0 && MASKED) {
      masked(x, out, rest * SIZE);
    } else if (rest > 0) {
      long tail = Lanes.tail();
      Lanes.copy(x, tail, rest * SIZE);
      run(tail, 1, tail, 1, tail, 1, tail, LANES);
      Lanes.copy(tail, out, rest * SIZE);
    }
  }

  /** Less than a vector; a method of its own because each holds the body, and a large one is never compiled. */
  private static void masked(long x, long out, int bytes) {
    VectorMask<Byte> mask = VectorMask.fromLong(SB, (1L << bytes) - 1);
    Vector<?> a = ByteVector.fromMemorySegment(SB, ALL, x, ORDER, mask).reinterpretShape(S, 0);
    OpBody.apply(a).reinterpretAsBytes().intoMemorySegment(ALL, out, ORDER, mask);
  }
}
