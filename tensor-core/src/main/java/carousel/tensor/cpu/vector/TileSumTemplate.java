package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Lanes.ALL;
import static carousel.tensor.cpu.vector.Lanes.ORDER;

import carousel.tensor.cpu.loop.TileSum;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[r] += tile[r]}, two vectors per row. */
final class TileSumTemplate implements TileSum {
  @SuppressWarnings("unchecked") // the lane type does not matter to an addition
  private static final VectorSpecies<Object> S =
      (VectorSpecies<Object>) Lanes.species(MethodHandles.lookup());

  private static final int WIDTH = S.vectorByteSize();

  @Override
  public void add(long tile, long out, long outRow, long outNext, int rows) {
    for (int r = 0; r < rows; r++, tile += 2L * WIDTH, out += outRow) {
      Vector<Object> left = S.fromMemorySegment(ALL, tile, ORDER);
      Vector<Object> right = S.fromMemorySegment(ALL, tile + WIDTH, ORDER);
      Vector<Object> toLeft = S.fromMemorySegment(ALL, out, ORDER);
      Vector<Object> toRight = S.fromMemorySegment(ALL, out + outNext, ORDER);
      toLeft.add(left).intoMemorySegment(ALL, out, ORDER);
      toRight.add(right).intoMemorySegment(ALL, out + outNext, ORDER);
    }
  }
}
