package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Tiles;
import java.util.ArrayDeque;
import java.util.Deque;

/** Heap arrays of this thread, lent and taken back: what a tile broadcasts from. */
final class Heap {
  private static final ThreadLocal<Heap> F32 = ThreadLocal.withInitial(Heap::new);
  private static final ThreadLocal<Heap> F64 = ThreadLocal.withInitial(Heap::new);

  private final Deque<Object> free = new ArrayDeque<>();

  static Heap of(Tiles tiles) {
    return tiles.elementSize() == 4 ? F32.get() : F64.get();
  }

  /** An array of at least {@code length} elements, whatever they are. */
  Object lend(Tiles tiles, int length) {
    Object best = null;
    for (Object array : free) {
      if (length(array) >= length && (best == null || length(array) < length(best))) {
        best = array;
      }
    }
    if (best == null) {
      // Rather one that grows than many that lie about.
      free.pollFirst();
      return tiles.array(length);
    }
    Object found = best;
    free.removeIf(array -> array == found);
    return found;
  }

  void giveBack(Object array) {
    free.addLast(array);
  }

  private static int length(Object array) {
    return array instanceof float[] floats ? floats.length : ((double[]) array).length;
  }
}
