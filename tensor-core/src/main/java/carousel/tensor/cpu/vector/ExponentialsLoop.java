package carousel.tensor.cpu.vector;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Pointwise.Apply;
import carousel.tensor.cpu.loop.Pointwise.Load;
import carousel.tensor.cpu.loop.Pointwise.Store;
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

  // Slots of the programs.
  private static final int X = 0;
  private static final int MAX = 1;
  private static final int SUM = 2;
  private static final int FACTOR = 3;
  private static final int OUT = 4;

  private final Pointwise.Loop sums;
  private final Pointwise.Loop writes;
  private final boolean f64;
  private final int lanes;
  private final int size;

  ExponentialsLoop(VectorSpecies<?> species, DType type) {
    this.sums = loop(species, false);
    this.writes = loop(species, true);
    this.f64 = type == DType.F64;
    this.lanes = species.length();
    this.size = type.bytes();
  }

  private static Pointwise.Loop loop(VectorSpecies<?> species, boolean writes) {
    List<Pointwise.Instruction> code =
        new ArrayList<>(
            List.of(
                new Load(X),
                new Load(MAX),
                new Apply(Binary.SUB, List.of(0, 1)),
                new Apply(Unary.EXP, List.of(2)),
                new Load(SUM),
                new Apply(Binary.ADD, List.of(4, 3)),
                new Store(5, SUM)));
    if (writes) {
      code.add(new Load(FACTOR));
      code.add(new Apply(Binary.MUL, List.of(3, 7)));
      code.add(new Store(8, OUT));
    }
    List<Boolean> fixed = List.of(false, true, true, true, false);
    return Objects.requireNonNull(
        PointwiseGenerator.define(new Pointwise(code, fixed, 0), species));
  }

  @Override
  public double run(long x, int n, double max, double factor, long out) {
    Pointwise.Loop loop = out == 0 ? sums : writes;
    long scratch = Lanes.tail();
    long[] at = {x, scratch + 64, scratch + 128, scratch + 192, out};
    fill(at[MAX], max);
    fill(at[FACTOR], factor);
    int whole = n - n % lanes;
    double sum = 0;
    for (int first = 0; first < whole; first += RUN) {
      at[X] = x + (long) first * size;
      at[OUT] = out + (long) first * size;
      fill(at[SUM], 0);
      run(loop, at, Math.min(RUN, whole - first) / lanes);
      sum += added(at[SUM], lanes);
    }
    int rest = n - whole;
    if (rest > 0) {
      Lanes.copy(x + (long) whole * size, scratch, rest * size);
      at[X] = scratch;
      at[OUT] = scratch;
      fill(at[SUM], 0);
      run(loop, at, 1);
      sum += added(at[SUM], rest);
      if (out != 0) {
        Lanes.copy(scratch, out + (long) whole * size, rest * size);
      }
    }
    return sum;
  }

  private void run(Pointwise.Loop loop, long[] at, int vectors) {
    loop.run(at, (long) lanes * size, NO_ARRAYS, NO_OFFSETS, 0, vectors);
  }

  private void fill(long at, double value) {
    for (int i = 0; i < lanes; i++) {
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
