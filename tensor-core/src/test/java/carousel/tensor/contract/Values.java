package carousel.tensor.contract;

import carousel.tensor.DType;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Where the elements of an operand come from: any number of them, always the same. */
@FunctionalInterface
public interface Values {
  /** The most operands that a case has. */
  int OPERANDS = 3;

  /**
   * The first values.
   *
   * @param count how many
   * @return that many values
   */
  double[] take(int count);

  /** The given values over and over. */
  static Values of(double... values) {
    return count -> {
      double[] out = new double[count];
      Arrays.setAll(out, i -> values[i % values.length]);
      return out;
    };
  }

  /** Normal with deviation 2; whole numbers up to 1000 for I32; 0 and 1 for BOOL. */
  static Values random(DType dtype, long seed) {
    return count -> {
      var random = new SplittableRandom(seed);
      double[] out = new double[count];
      Arrays.setAll(
          out,
          i ->
              switch (dtype) {
                case F32 -> (float) (2 * random.nextGaussian());
                case F64 -> 2 * random.nextGaussian();
                case I32 -> random.nextInt(-1000, 1001);
                case BOOL -> random.nextInt(2);
              });
      return out;
    };
  }

  /** 1 and −1 but for a few, whose product fits in I32. */
  static Values fewFactors(long seed) {
    return count -> {
      var random = new SplittableRandom(seed);
      double[] out = new double[count];
      Arrays.setAll(out, i -> random.nextInt(2) * 2 - 1);
      // Few and small: a broadcast column repeats them.
      for (int factor : new int[] {2, 3, 2}) {
        if (count > 0) {
          out[random.nextInt(count)] *= factor;
        }
      }
      return out;
    };
  }

  /** Near 1, half of them negative: a product of thousands stays in range. */
  static Values nearOne(long seed) {
    return count -> {
      var random = new SplittableRandom(seed);
      double[] out = new double[count];
      Arrays.setAll(
          out, i -> (float) (Math.exp(0.05 * random.nextGaussian()) * (random.nextInt(2) * 2 - 1)));
      return out;
    };
  }

  /** Few different whole numbers, so that there are ties. */
  static Values ties(int different, long seed) {
    return count -> new SplittableRandom(seed).ints(count, 0, different).asDoubleStream().toArray();
  }

  /** Indices into an axis of n positions, repeated ones and both ends among them. */
  static Values indices(int n, long seed) {
    return count -> {
      double[] out = ties(n, seed).take(count);
      if (count > 1) {
        out[0] = n - 1;
        out[count - 1] = 0;
      }
      return out;
    };
  }

  /**
   * Where implementations go wrong: NaN, infinities, zeros, subnormals, the largest numbers, the
   * edges of overflow of exp, halves, large arguments for trigonometry, and a spread of magnitudes.
   */
  static Values special(DType dtype) {
    return of(Specials.of(dtype));
  }

  /** As {@link #special}, but few enough to try every pair. */
  static Values fewSpecial(DType dtype) {
    return of(Specials.few(dtype));
  }

  /**
   * Values at which piecewise functions are smooth: between 0.2 and 2.3 in magnitude, of both signs,
   * 0.03 away from every multiple of ½, from the poles of the tangent by more, and 0.02 from one
   * another, also across the operands of one case.
   *
   * @param operand which operand of the case
   * @return distinct values
   */
  static Values apart(int operand) {
    return count -> {
      // Every third one: operands of different sizes do not overlap.
      double[] all = apartFrom(OPERANDS * count);
      return IntStream.range(0, count).mapToDouble(i -> all[OPERANDS * i + operand]).toArray();
    };
  }

  private static double[] apartFrom(int count) {
    var random = new SplittableRandom(7);
    double[] chosen = new double[count];
    for (int n = 0; n < count; ) {
      double x = random.nextDouble(0.2, 2.3) * (random.nextInt(3) == 0 ? -1 : 1);
      boolean clear =
          Math.abs(2 * x - Math.rint(2 * x)) > 0.06 && Math.abs(Math.abs(x) - Math.PI / 2) > 0.2;
      for (int i = 0; i < n && clear; i++) {
        clear = Math.abs(x - chosen[i]) > 0.02;
      }
      if (clear) {
        chosen[n++] = x;
      }
    }
    return chosen;
  }

  /** The same values without their signs. */
  default Values abs() {
    return count -> DoubleStream.of(take(count)).map(Math::abs).toArray();
  }
}
