package carousel.nn.data;

import carousel.tensor.Philox;

/**
 * Random orders.
 *
 * <p>Source: R. Durstenfeld, Algorithm 235: random permutation, CACM 7 (1964), known as the
 * Fisher-Yates shuffle; every order has the same probability.
 */
public final class Shuffle {
  private Shuffle() {}

  /**
   * A random order of {@code 0 … n − 1}.
   *
   * @param n how many, at least 0
   * @param random moved on by n − 1 draws or a few more
   * @return each number once
   */
  public static int[] permutation(int n, Philox random) {
    var order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    shuffle(order, random);
    return order;
  }

  /** Puts an array into random order, in place. */
  static void shuffle(int[] array, Philox random) {
    for (int i = array.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = array[i];
      array[i] = array[j];
      array[j] = swapped;
    }
  }
}
