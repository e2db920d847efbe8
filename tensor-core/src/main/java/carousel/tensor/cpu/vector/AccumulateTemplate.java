package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.host.Bytes;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[i] = y[i] + x[i]}, x in F32, y and out in F64; all contiguous. */
final class AccumulateTemplate implements Loop {
  private static final VectorSpecies<Double> S =
      Lanes.species(MethodHandles.lookup()).withLanes(double.class);
  private static final VectorSpecies<Float> HALF =
      VectorSpecies.of(float.class, VectorShape.forBitSize(S.vectorBitSize() / 2));
  private static final int LANES = S.length();

  @Override
  public void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var sum = DoubleVector.fromMemorySegment(S, ALL, y + 8L * i, ORDER);
      var term = FloatVector.fromMemorySegment(HALF, ALL, x + 4L * i, ORDER);
      sum.add(term.convertShape(VectorOperators.F2D, S, 0))
          .intoMemorySegment(ALL, out + 8L * i, ORDER);
    }
    for (; i < n; i++) {
      Bytes.f64(out + 8L * i, Bytes.f64(y + 8L * i) + Bytes.f32(x + 4L * i));
    }
  }
}
