package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.Bytes;
import carousel.tensor.cpu.Exponentials;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code out[i] = e^(x[i] − max)}, and their sum: in vectors over runs of {@link #RUN} elements, and
 * over these in double precision.
 */
final class ExponentialsTemplate implements Exponentials {
  private static final int RUN = 2048;

  @SuppressWarnings("unchecked") // the lane type does not matter to the loop
  private static final VectorSpecies<Object> S =
      (VectorSpecies<Object>) Lanes.species(MethodHandles.lookup());

  private static final boolean F64 = S.elementSize() == 64;
  private static final int LANES = S.length();
  private static final int WIDTH = S.vectorByteSize();
  private static final int SIZE = WIDTH / LANES;

  @Override
  @SuppressWarnings("unchecked") // as above
  public double run(long x, int n, double max, long out) {
    Vector<Object> shift =
        (Vector<Object>)
            (Vector<?>)
                (F64
                    ? DoubleVector.broadcast(S.withLanes(double.class), max)
                    : FloatVector.broadcast(S.withLanes(float.class), (float) max));
    long scratch = Lanes.tail();
    double sum = 0;
    int whole = n & -LANES;
    for (int run = 0; run < whole; run += RUN) {
      int end = Math.min(whole, run + RUN);
      Vector<Object> s = S.zero();
      for (int i = run; i < end; i += LANES) {
        Vector<Object> v = S.fromMemorySegment(ALL, x + (long) i * SIZE, ORDER);
        Vector<Object> e = Body.map(v.lanewise(VectorOperators.SUB, shift));
        s = s.lanewise(VectorOperators.ADD, e);
        if (out != 0) {
          e.intoMemorySegment(ALL, out + (long) i * SIZE, ORDER);
        }
      }
      s.intoMemorySegment(ALL, scratch, ORDER);
      sum += lanes(scratch, LANES);
    }
    int rest = n - whole;
    if (rest > 0) {
      Lanes.copy(x + (long) whole * SIZE, scratch, rest * SIZE);
      Vector<Object> v = S.fromMemorySegment(ALL, scratch, ORDER);
      Body.map(v.lanewise(VectorOperators.SUB, shift)).intoMemorySegment(ALL, scratch, ORDER);
      sum += lanes(scratch, rest);
      if (out != 0) {
        Lanes.copy(scratch, out + (long) whole * SIZE, rest * SIZE);
      }
    }
    return sum;
  }

  private static double lanes(long at, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += F64 ? Bytes.f64(at + 8L * i) : Bytes.f32(at + 4L * i);
    }
    return sum;
  }
}
