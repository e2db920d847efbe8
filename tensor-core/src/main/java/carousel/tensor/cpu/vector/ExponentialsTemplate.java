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
 * {@code out[i] = factor · e^(x[i] − max)}, and the sum of the powers: in vectors over runs of {@link
 * #RUN} elements, and over these in double precision.
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
  public double run(long x, int n, double max, double factor, long out) {
    int whole = n & -LANES;
    int rest = n - whole;
    double sum = out == 0 ? sum(x, whole, max) : write(x, whole, max, factor, out);
    if (rest > 0) {
      long scratch = Lanes.tail();
      Lanes.copy(x + (long) whole * SIZE, scratch, rest * SIZE);
      Vector<Object> v = S.fromMemorySegment(ALL, scratch, ORDER);
      Vector<Object> e = Body.map(v.lanewise(VectorOperators.SUB, constant(max)));
      e.intoMemorySegment(ALL, scratch, ORDER);
      sum += lanes(scratch, rest);
      if (out != 0) {
        e.lanewise(VectorOperators.MUL, constant(factor)).intoMemorySegment(ALL, scratch, ORDER);
        Lanes.copy(scratch, out + (long) whole * SIZE, rest * SIZE);
      }
    }
    return sum;
  }

  private static double sum(long x, int whole, double max) {
    Vector<Object> shift = constant(max);
    long sums = Lanes.tail();
    double sum = 0;
    for (int run = 0; run < whole; run += RUN) {
      int end = Math.min(whole, run + RUN);
      Bytes.clear(sums, 2L * WIDTH);
      for (int i = run; i < end; i += LANES) {
        long at = (long) i * SIZE;
        Vector<Object> v = S.fromMemorySegment(ALL, x + at, ORDER);
        add(Body.map(v.lanewise(VectorOperators.SUB, shift)), sums + (at & WIDTH));
      }
      sum += lanes(sums, 2 * LANES);
    }
    return sum;
  }

  private static double write(long x, int whole, double max, double factor, long out) {
    Vector<Object> shift = constant(max);
    Vector<Object> scale = constant(factor);
    long sums = Lanes.tail();
    double sum = 0;
    for (int run = 0; run < whole; run += RUN) {
      int end = Math.min(whole, run + RUN);
      Bytes.clear(sums, 2L * WIDTH);
      for (int i = run; i < end; i += LANES) {
        long at = (long) i * SIZE;
        Vector<Object> v = S.fromMemorySegment(ALL, x + at, ORDER);
        Vector<Object> e = Body.map(v.lanewise(VectorOperators.SUB, shift));
        add(e, sums + (at & WIDTH));
        e.lanewise(VectorOperators.MUL, scale).intoMemorySegment(ALL, out + at, ORDER);
      }
      sum += lanes(sums, 2 * LANES);
    }
    return sum;
  }

  /**
   * Adds to one of two sums in memory, in turn. In a local variable they would be a little faster when
   * all goes well; but C2 then makes an object of a sum in every iteration, or not, as the order of
   * its compilations has it.
   */
  private static void add(Vector<Object> e, long sum) {
    S.fromMemorySegment(ALL, sum, ORDER)
        .lanewise(VectorOperators.ADD, e)
        .intoMemorySegment(ALL, sum, ORDER);
  }

  @SuppressWarnings("unchecked") // as above
  private static Vector<Object> constant(double value) {
    return (Vector<Object>)
        (Vector<?>)
            (F64
                ? DoubleVector.broadcast(S.withLanes(double.class), value)
                : FloatVector.broadcast(S.withLanes(float.class), (float) value));
  }

  private static double lanes(long at, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += F64 ? Bytes.f64(at + 8L * i) : Bytes.f32(at + 4L * i);
    }
    return sum;
  }
}
