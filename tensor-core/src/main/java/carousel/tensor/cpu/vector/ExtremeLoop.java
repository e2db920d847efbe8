package carousel.tensor.cpu.vector;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.op.Binary;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import jdk.incubator.vector.VectorSpecies;

/**
 * The greatest or the smallest element, which may see an element twice and in any order: in four
 * vectors that stay in memory while a pointwise program goes over the elements. In local variables of a
 * template they became objects, one per step, whenever C2 compiled things in an unfortunate order.
 */
final class ExtremeLoop implements Fold {
  private static final int WIDE = 4;
  private static final Object[] NO_ARRAYS = {};
  private static final int[] NO_OFFSETS = {};

  private final Binary op;
  private final Pointwise.Loop loop;
  private final boolean f64;
  private final int size;
  private final int bytes;

  ExtremeLoop(Binary op, VectorSpecies<?> species, DType type) {
    this.op = op;
    this.loop = loop(op, species);
    this.f64 = type == DType.F64;
    this.size = type.bytes();
    this.bytes = species.vectorByteSize();
  }

  /** Four vectors of elements, slots 0 to 3, each with one that stays, slots 4 to 7. */
  private static Pointwise.Loop loop(Binary op, VectorSpecies<?> species) {
    List<Pointwise.Instruction> code = new ArrayList<>();
    List<Boolean> fixed = new ArrayList<>();
    for (int k = 0; k < 2 * WIDE; k++) {
      code.add(new Pointwise.Load(k));
      fixed.add(k >= WIDE);
    }
    for (int k = 0; k < WIDE; k++) {
      code.add(new Pointwise.Apply(op, List.of(WIDE + k, k)));
    }
    for (int k = 0; k < WIDE; k++) {
      code.add(new Pointwise.Store(2 * WIDE + k, WIDE + k));
    }
    return Objects.requireNonNull(
        PointwiseGenerator.define(new Pointwise(code, fixed, 0), species));
  }

  @Override
  public double run(long x, int n) {
    int step = WIDE * bytes;
    int count = step / size;
    long kept = Lanes.tail();
    // As it would be before the first element: with elements of its own.
    Bytes.splat(x, size, kept, count);
    if (n < count) {
      Lanes.copy(x, kept, n * size);
      return folded(kept, count);
    }
    Lanes.copy(x, kept, step);
    long[] at = new long[2 * WIDE];
    for (int k = 0; k < WIDE; k++) {
      at[WIDE + k] = kept + (long) k * bytes;
    }
    go(at, x, n / count);
    // The last four vectors may overlap those before: elements are folded twice.
    go(at, x + (long) (n - count) * size, 1);
    return folded(kept, count);
  }

  private void go(long[] at, long x, int times) {
    for (int k = 0; k < WIDE; k++) {
      at[k] = x + (long) k * bytes;
    }
    loop.run(at, (long) WIDE * bytes, NO_ARRAYS, NO_OFFSETS, 0, times);
  }

  private double folded(long at, int count) {
    double folded = element(at, 0);
    for (int i = 1; i < count; i++) {
      folded = op.scalar(folded, element(at, i));
    }
    return folded;
  }

  private double element(long at, int i) {
    return f64 ? Bytes.f64(at + 8L * i) : Bytes.f32(at + 4L * i);
  }
}
