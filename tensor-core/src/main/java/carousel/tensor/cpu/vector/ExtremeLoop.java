package carousel.tensor.cpu.vector;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import jdk.incubator.vector.VectorSpecies;

/**
 * The greatest or the smallest element, which may see an element twice and in any order: in eight
 * vectors (fewer, and each would wait for its last store) that stay in memory while a pointwise program goes over the elements. In local variables of a
 * template they became objects, one per step, whenever C2 compiled things in an unfortunate order.
 */
final class ExtremeLoop implements Fold {
  private static final int WIDE = 8;
  private static final Object[] NO_ARRAYS = {};
  private static final int[] NO_OFFSETS = {};

  private final Binary op;
  private final Pointwise.Executable loop;
  private final Pointwise.Executable join;
  private final boolean f64;
  private final int size;
  private final int bytes;

  ExtremeLoop(Binary op, VectorSpecies<?> species, DType type) {
    this.op = op;
    this.loop = loop(op, species);
    this.join = join(op, species);
    this.f64 = type == DType.F64;
    this.size = type.bytes();
    this.bytes = species.vectorByteSize();
  }

  /** Vectors of elements, the first slots, each with one that stays, the others. */
  private static Pointwise.Executable loop(Binary op, VectorSpecies<?> species) {
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

  /** The vectors that stay, joined in the first of them. */
  private static Pointwise.Executable join(Binary op, VectorSpecies<?> species) {
    List<Pointwise.Instruction> code = new ArrayList<>();
    for (int k = 0; k < WIDE; k++) {
      code.add(new Pointwise.Load(k));
    }
    for (int k = 1; k < WIDE; k++) {
      code.add(new Pointwise.Apply(op, List.of(k == 1 ? 0 : WIDE + k - 2, k)));
    }
    code.add(new Pointwise.Store(code.size() - 1, 0));
    return Objects.requireNonNull(
        PointwiseGenerator.define(
            new Pointwise(code, Collections.nCopies(WIDE, true), 0), species));
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
      return folded(kept);
    }
    Lanes.copy(x, kept, step);
    long[] at = new long[2 * WIDE];
    for (int k = 0; k < WIDE; k++) {
      at[WIDE + k] = kept + (long) k * bytes;
    }
    go(at, x, n / count);
    // The last vectors may overlap those before: elements are folded twice.
    go(at, x + (long) (n - count) * size, 1);
    return folded(kept);
  }

  private void go(long[] at, long x, int times) {
    for (int k = 0; k < WIDE; k++) {
      at[k] = x + (long) k * bytes;
    }
    loop.run(at, (long) WIDE * bytes, NO_ARRAYS, NO_OFFSETS, 0, times);
  }

  private double folded(long kept) {
    long[] at = new long[WIDE];
    for (int k = 0; k < WIDE; k++) {
      at[k] = kept + (long) k * bytes;
    }
    join.run(at, 0, NO_ARRAYS, NO_OFFSETS, 0, 1);
    double folded = element(kept, 0);
    for (int i = 1; i < bytes / size; i++) {
      folded = op.scalar(folded, element(kept, i));
    }
    return folded;
  }

  private double element(long at, int i) {
    return f64 ? Bytes.f64(at + 8L * i) : Bytes.f32(at + 4L * i);
  }
}
