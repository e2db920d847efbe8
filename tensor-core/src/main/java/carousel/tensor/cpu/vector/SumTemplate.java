package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.host.Bytes;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Folds F32 or F64 in double precision: {@code a = body(a, x)}, in four vectors whose lanes are
 * joined in a fixed order at the end. The second class datum is where a fold starts and what it may
 * be padded with: 0 for sums, 1 for products.
 */
final class SumTemplate implements Fold {
  private static final VectorSpecies<?> S = Lanes.species(MethodHandles.lookup());
  private static final double START = Lanes.datum(MethodHandles.lookup(), 1, Double.class);
  private static final VectorOperators.Associative JOIN =
      START == 0 ? VectorOperators.ADD : VectorOperators.MUL;

  private static final boolean F64 = S.elementType() == double.class;
  private static final VectorSpecies<Double> SD = S.withLanes(double.class);

  /** As many floats as SD has doubles. */
  private static final VectorSpecies<Float> HALF =
      VectorSpecies.of(float.class, VectorShape.forBitSize(S.vectorBitSize() / 2));

  private static final int LANES = SD.length();
  private static final int SIZE = F64 ? 8 : 4;
  private static final long WIDTH = (long) LANES * SIZE;

  @Override
  public double run(long x, int n) {
    Vector<Double> a0 = DoubleVector.broadcast(SD, START);
    Vector<Double> a1 = a0;
    Vector<Double> a2 = a0;
    Vector<Double> a3 = a0;
    long end = x + (long) (n & -(4 * LANES)) * SIZE;
    for (; x < end; x += 4 * WIDTH) {
      Vector<Double> x0;
      Vector<Double> x1;
      Vector<Double> x2;
      Vector<Double> x3;
      if (F64) {
        x0 = DoubleVector.fromMemorySegment(SD, ALL, x, ORDER);
        x1 = DoubleVector.fromMemorySegment(SD, ALL, x + WIDTH, ORDER);
        x2 = DoubleVector.fromMemorySegment(SD, ALL, x + 2 * WIDTH, ORDER);
        x3 = DoubleVector.fromMemorySegment(SD, ALL, x + 3 * WIDTH, ORDER);
      } else {
        var f0 = FloatVector.fromMemorySegment(HALF, ALL, x, ORDER);
        var f1 = FloatVector.fromMemorySegment(HALF, ALL, x + WIDTH, ORDER);
        var f2 = FloatVector.fromMemorySegment(HALF, ALL, x + 2 * WIDTH, ORDER);
        var f3 = FloatVector.fromMemorySegment(HALF, ALL, x + 3 * WIDTH, ORDER);
        x0 = f0.convertShape(VectorOperators.F2D, SD, 0);
        x1 = f1.convertShape(VectorOperators.F2D, SD, 0);
        x2 = f2.convertShape(VectorOperators.F2D, SD, 0);
        x3 = f3.convertShape(VectorOperators.F2D, SD, 0);
      }
      a0 = OpBody.fold(a0, x0);
      a1 = OpBody.fold(a1, x1);
      a2 = OpBody.fold(a2, x2);
      a3 = OpBody.fold(a3, x3);
    }
    long scratch = Lanes.tail();
    a0.lanewise(JOIN, a1)
        .lanewise(JOIN, a2.lanewise(JOIN, a3))
        .intoMemorySegment(ALL, scratch, ORDER);
    for (int rest = n & (4 * LANES - 1); rest > 0; rest -= LANES, x += WIDTH) {
      long padded = x;
      if (rest < LANES) {
        padded = scratch + 64;
        pad(padded);
        Lanes.copy(x, padded, rest * SIZE);
      }
      Vector<Double> joined = DoubleVector.fromMemorySegment(SD, ALL, scratch, ORDER);
      Vector<Double> more;
      if (F64) {
        more = DoubleVector.fromMemorySegment(SD, ALL, padded, ORDER);
      } else {
        var f = FloatVector.fromMemorySegment(HALF, ALL, padded, ORDER);
        more = f.convertShape(VectorOperators.F2D, SD, 0);
      }
      OpBody.fold(joined, more).intoMemorySegment(ALL, scratch, ORDER);
    }
    double folded = Bytes.f64(scratch);
    for (int lane = 1; lane < LANES; lane++) {
      double more = Bytes.f64(scratch + 8L * lane);
      folded = START == 0 ? folded + more : folded * more;
    }
    return folded;
  }

  private static void pad(long scratch) {
    for (int lane = 0; lane < LANES; lane++) {
      if (F64) {
        Bytes.f64(scratch + 8L * lane, START);
      } else {
        Bytes.f32(scratch + 4L * lane, (float) START);
      }
    }
  }
}
