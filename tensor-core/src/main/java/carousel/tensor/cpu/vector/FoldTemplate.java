package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.Bytes;
import carousel.tensor.cpu.Fold;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Folds elements in their own type: {@code a = body(a, x)}, in four vectors. For max
 * and min, which may see an element twice and in any order.
 */
final class FoldTemplate implements Fold {
  private static final VectorSpecies<?> S = Lanes.species(MethodHandles.lookup());
  private static final int LANES = S.length();
  private static final long WIDTH = S.vectorByteSize();
  private static final int SIZE = S.elementSize() / 8;
  private static final boolean F64 = SIZE == 8;

  @Override
  public double run(long x, int n) {
    long scratch = Lanes.tail();
    if (n < 4 * LANES) {
      // Padded with its own first element.
      Bytes.splat(x, SIZE, scratch, 4 * LANES);
      Lanes.copy(x, scratch, n * SIZE);
      x = scratch;
      n = 4 * LANES;
    }
    Vector<?> a0 = S.fromMemorySegment(ALL, x, ORDER);
    Vector<?> a1 = S.fromMemorySegment(ALL, x + WIDTH, ORDER);
    Vector<?> a2 = S.fromMemorySegment(ALL, x + 2 * WIDTH, ORDER);
    Vector<?> a3 = S.fromMemorySegment(ALL, x + 3 * WIDTH, ORDER);
    // The last four vectors may overlap those before: elements are folded twice.
    long last = x + (long) (n - 4 * LANES) * SIZE;
    for (long at = x + 4 * WIDTH; at < last; at += 4 * WIDTH) {
      a0 = Body.apply(a0, S.fromMemorySegment(ALL, at, ORDER));
      a1 = Body.apply(a1, S.fromMemorySegment(ALL, at + WIDTH, ORDER));
      a2 = Body.apply(a2, S.fromMemorySegment(ALL, at + 2 * WIDTH, ORDER));
      a3 = Body.apply(a3, S.fromMemorySegment(ALL, at + 3 * WIDTH, ORDER));
    }
    a0 = Body.apply(a0, S.fromMemorySegment(ALL, last, ORDER));
    a1 = Body.apply(a1, S.fromMemorySegment(ALL, last + WIDTH, ORDER));
    a2 = Body.apply(a2, S.fromMemorySegment(ALL, last + 2 * WIDTH, ORDER));
    a3 = Body.apply(a3, S.fromMemorySegment(ALL, last + 3 * WIDTH, ORDER));
    a0 = Body.apply(Body.apply(a0, a1), Body.apply(a2, a3));
    // Halves the lanes that count; those beyond hold anything.
    for (int half = LANES / 2; half > 0; half /= 2) {
      a0.intoMemorySegment(ALL, scratch, ORDER);
      a0 = Body.apply(a0, S.fromMemorySegment(ALL, scratch + (long) half * SIZE, ORDER));
    }
    a0.intoMemorySegment(ALL, scratch, ORDER);
    return F64 ? Bytes.f64(scratch) : Bytes.f32(scratch);
  }
}
