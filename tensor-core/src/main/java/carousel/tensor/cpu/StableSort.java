package carousel.tensor.cpu;

/** A stable sort of keys that tells where each came from. */
final class StableSort {
  private static final int RUN = 8;

  private StableSort() {}

  /** A number whose order is that of the values; zeros are equal, NaN is above all. */
  static long key(double value) {
    long bits = Double.doubleToLongBits(value == 0 ? 0.0 : value);
    return bits ^ ((bits >> 63) & Long.MAX_VALUE);
  }

  /** The positions of the keys in ascending order; equal keys keep theirs. */
  static int[] of(long[] keys) {
    int n = keys.length;
    int[] from = new int[n];
    for (int i = 0; i < n; i++) {
      from[i] = i;
    }
    for (int start = 0; start < n; start += RUN) {
      insert(keys, from, start, Math.min(n, start + RUN));
    }
    int[] to = new int[n];
    for (int run = RUN; run < n; run *= 2) {
      for (int start = 0; start < n; start += 2 * run) {
        merge(keys, from, to, start, Math.min(n, start + run), Math.min(n, start + 2 * run));
      }
      int[] swap = from;
      from = to;
      to = swap;
    }
    return from;
  }

  private static void insert(long[] keys, int[] order, int start, int end) {
    for (int i = start + 1; i < end; i++) {
      int moving = order[i];
      int at = i;
      for (; at > start && keys[order[at - 1]] > keys[moving]; at--) {
        order[at] = order[at - 1];
      }
      order[at] = moving;
    }
  }

  private static void merge(long[] keys, int[] from, int[] to, int start, int middle, int end) {
    int left = start;
    int right = middle;
    for (int i = start; i < end; i++) {
      boolean takeLeft = left < middle && (right >= end || keys[from[left]] <= keys[from[right]]);
      to[i] = takeLeft ? from[left++] : from[right++];
    }
  }
}
