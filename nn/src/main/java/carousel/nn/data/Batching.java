package carousel.nn.data;

import carousel.tensor.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which examples go together: {@code n examples → batches of indices}, each index in one batch, all
 * batches of the given size but for one that may be smaller.
 */
public final class Batching {
  private Batching() {}

  /**
   * Batches in the order of the examples, as for evaluation.
   *
   * @param examples n, at least 0
   * @param size examples per batch, at least 1
   * @return ⌈n / size⌉ batches, the last as small as what is left
   */
  public static List<int[]> inOrder(int examples, int size) {
    var order = new int[examples];
    for (int i = 0; i < examples; i++) {
      order[i] = i;
    }
    return cut(order, size);
  }

  /**
   * Batches in random order, as for one epoch of training.
   *
   * @param examples n, at least 0
   * @param size examples per batch, at least 1
   * @param random decides the order; one seed gives one order
   * @return ⌈n / size⌉ batches, the last as small as what is left
   */
  public static List<int[]> shuffled(int examples, int size, Philox random) {
    return cut(Shuffle.permutation(examples, random), size);
  }

  /**
   * Batches of sequences of nearly equal length, so that little is padded: the sequences sorted by
   * length, equals in random order, then cut, then the batches in random order. Within a batch the
   * longest comes first.
   *
   * @param lengths the length of each sequence
   * @param size sequences per batch, at least 1
   * @param random decides both orders; one seed gives one result
   * @return ⌈n / size⌉ batches, one of them as small as what is left
   */
  public static List<int[]> byLength(int[] lengths, int size, Philox random) {
    var order =
        Arrays.stream(Shuffle.permutation(lengths.length, random))
            .boxed()
            .sorted(Comparator.comparingInt((Integer i) -> lengths[i]).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
    var sorted = cut(order, size);
    return Arrays.stream(Shuffle.permutation(sorted.size(), random)).mapToObj(sorted::get).toList();
  }

  private static List<int[]> cut(int[] order, int size) {
    if (size < 1) {
      throw new IllegalArgumentException("batching: size must be 1 or more, got " + size);
    }
    var batches = new ArrayList<int[]>();
    for (int start = 0; start < order.length; start += size) {
      batches.add(Arrays.copyOfRange(order, start, Math.min(order.length, start + size)));
    }
    return batches;
  }
}
