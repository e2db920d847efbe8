package carousel.tensor.cpu.vector;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Pointwise.Apply;
import carousel.tensor.cpu.loop.Pointwise.Load;
import carousel.tensor.cpu.loop.Pointwise.Store;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code out[i] = factor · e^(x[i] − max)}, and the sum of the powers: in vectors over runs of {@link
 * #RUN} elements, and over these in double precision.
 *
 * <p>The loops are pointwise programs that keep the sum of a run in memory, in a slot that stays where
 * it is. In a local variable of a template it became an object, one per vector of x, whenever C2
 * compiled things in an unfortunate order.
 */
final class ExponentialsLoop implements Exponentials {
  private static final int RUN = 2048;
  private static final Object[] NO_ARRAYS = {};
  private static final int[] NO_OFFSETS = {};

  /** Vectors per step, each with its own sum: one sum would wait for its last store. */
  private static final int WIDE = 2;

  // Slots of the programs, those with a vector of their own at the first of these.
  private static final int X = 0;
  private static final int SUM = X + WIDE;
  private static final int OUT = SUM + WIDE;
  private static final int MAX = OUT + WIDE;
  private static final int FACTOR = MAX + 1;

  private final Pointwise.Executable sums;
  private final Pointwise.Executable writes;
  private final boolean f64;
  private final int vector;
  private final int lanes;
  private final int size;

  ExponentialsLoop(VectorSpecies<?> species, DType type) {
    this.sums = loop(species, false);
    this.writes = loop(species, true);
    this.f64 = type == DType.F64;
    this.vector = species.vectorByteSize();
    this.lanes = WIDE * species.length();
    this.size = type.bytes();
  }

  private static Pointwise.Executable loop(VectorSpecies<?> species, boolean writes) {
    List<Pointwise.Instruction> code = new ArrayList<>();
    code.add(new Load(MAX));
    code.add(new Load(FACTOR));
    for (int k = 0; k < WIDE; k++) {
      int x = code.size();
      code.add(new Load(X + k));
      code.add(new Apply(Binary.SUB, List.of(x, 0)));
      code.add(new Apply(Unary.EXP, List.of(x + 1)));
      code.add(new Load(SUM + k));
      code.add(new Apply(Binary.ADD, List.of(x + 3, x + 2)));
      code.add(new Store(x + 4, SUM + k));
      if (writes) {
        code.add(new Apply(Binary.MUL, List.of(x + 2, 1)));
        code.add(new Store(x + 6, OUT + k));
      }
    }
    List<Boolean> fixed = new ArrayList<>();
    for (int slot = 0; slot <= FACTOR; slot++) {
      fixed.add(slot >= MAX || (slot >= SUM && slot < OUT));
    }
    return Objects.requireNonNull(
        PointwiseGenerator.define(new Pointwise(code, fixed, 0), species));
  }

  @Override
  public double run(long x, int n, double max, double factor, long out) {
    Pointwise.Executable loop = out == 0 ? sums : writes;
    long scratch = Lanes.tail();
    long[] at = new long[FACTOR + 1];
    place(at, SUM, scratch + (long) WIDE * vector);
    at[MAX] = scratch + 2L * WIDE * vector;
    at[FACTOR] = at[MAX] + vector;
    fill(at[MAX], max, lanes / WIDE);
    fill(at[FACTOR], factor, lanes / WIDE);
    int whole = n - n % lanes;
    double sum = 0;
    for (int first = 0; first < whole; first += RUN) {
      place(at, X, x + (long) first * size);
      place(at, OUT, out + (long) first * size);
      fill(at[SUM], 0, lanes);
      run(loop, at, Math.min(RUN, whole - first) / lanes);
      sum += added(at[SUM], lanes);
    }
    int rest = n - whole;
    if (rest > 0) {
      Lanes.copy(x + (long) whole * size, scratch, rest * size);
      place(at, X, scratch);
      place(at, OUT, scratch);
      fill(at[SUM], 0, lanes);
      run(loop, at, 1);
      sum += added(at[SUM], rest);
      if (out != 0) {
        Lanes.copy(scratch, out + (long) whole * size, rest * size);
      }
    }
    return sum;
  }

  /** Vectors that lie side by side. */
  private void place(long[] at, int slot, long address) {
    for (int k = 0; k < WIDE; k++) {
      at[slot + k] = address + (long) k * vector;
    }
  }

  private void run(Pointwise.Executable loop, long[] at, int times) {
    loop.run(at, (long) lanes * size, NO_ARRAYS, NO_OFFSETS, 0, times);
  }

  private void fill(long at, double value, int count) {
    for (int i = 0; i < count; i++) {
      if (f64) {
        Bytes.f64(at + 8L * i, value);
      } else {
        Bytes.f32(at + 4L * i, (float) value);
      }
    }
  }

  private double added(long at, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += f64 ? Bytes.f64(at + 8L * i) : Bytes.f32(at + 4L * i);
    }
    return sum;
  }
}
