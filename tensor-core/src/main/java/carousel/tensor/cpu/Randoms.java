package carousel.tensor.cpu;

import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Distribution;

/** Fills with random numbers: element i is {@link Distribution#sample} of i, whoever computes it. */
final class Randoms {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;

  /** Elements per task; a multiple of what a Philox block gives. */
  private static final int GRAIN = 8192;

  private Randoms() {}

  static void fill(Distribution distribution, long seed, long counter, Tensor y) {
    long n = y.size();
    long address = y.address();
    Element element = Element.of(y.dtype());
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(n, GRAIN)),
        task -> {
          long from = (long) task * GRAIN;
          long to = Math.min(n, from + GRAIN);
          if (distribution == Distribution.UNIFORM) {
            uniform(seed, counter, from, to, element, address);
          } else {
            for (long i = from; i < to; i++) {
              element.set(address + i * element.size(), distribution.sample(seed, counter, i));
            }
          }
        });
  }

  /** All four words of every block at once; {@link Philox#word} computes them one by one. */
  private static void uniform(
      long seed, long counter, long from, long to, Element element, long address) {
    for (long i = from; i < to; i += 4) {
      long block = counter + (i >>> 2);
      int c0 = (int) block;
      int c1 = (int) (block >>> 32);
      int c2 = 0;
      int c3 = 0;
      int k0 = (int) seed;
      int k1 = (int) (seed >>> 32);
      for (int round = 0; round < 10; round++) {
        long p0 = (M0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
        long p1 = (M1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
        c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
        c1 = (int) p1;
        c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
        c3 = (int) p0;
        k0 += W0;
        k1 += W1;
      }
      long at = address + i * element.size();
      element.set(at, unit(c0));
      if (i + 1 < to) {
        element.set(at + element.size(), unit(c1));
      }
      if (i + 2 < to) {
        element.set(at + 2L * element.size(), unit(c2));
      }
      if (i + 3 < to) {
        element.set(at + 3L * element.size(), unit(c3));
      }
    }
  }

  private static double unit(int word) {
    return (word >>> 8) * 0x1p-24;
  }
}
