package carousel.tensor.contract;

import carousel.tensor.DType;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;

/** The values at which implementations go wrong, per element type. */
final class Specials {
  private Specials() {}

  private static final double[] COMMON = {
    1e-8, 1e-5, 1e-3, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3.5, 7, 10, 20, 30, 40, 100, 1e4, 1e6, 1e10
  };
  private static final double[] F32 = {
    Float.MIN_VALUE,
    Float.MIN_NORMAL,
    0.49999997,
    87.3,
    88.5,
    88.73,
    89,
    103.2,
    104,
    105,
    8388607.5,
    16777216,
    1e20,
    1.7e38,
    Float.MAX_VALUE
  };
  private static final double[] F64 = {
    Double.MIN_VALUE,
    Double.MIN_NORMAL,
    1e-20,
    0.49999999999999994,
    708.3,
    709.7,
    710,
    744.4,
    746,
    4503599627370495.5,
    9007199254740992.0,
    1e155,
    1e300,
    Double.MAX_VALUE
  };
  private static final double[] I32 = {
    1, 2, 3, 7, 100, 46340, 46341, 65536, 1 << 24, (1 << 24) + 1, 1 << 30, Integer.MAX_VALUE
  };

  static double[] of(DType dtype) {
    return switch (dtype) {
      case F32 ->
          DoubleStream.concat(
                  DoubleStream.concat(signed(COMMON), signed(F32)),
                  DoubleStream.concat(magnitudes(-44, 38), exceptional()))
              .map(x -> (float) x)
              .toArray();
      case F64 ->
          DoubleStream.concat(
                  DoubleStream.concat(signed(COMMON), signed(F64)),
                  DoubleStream.concat(magnitudes(-320, 308), exceptional()))
              .toArray();
      case I32 -> DoubleStream.concat(signed(I32), DoubleStream.of(0, Integer.MIN_VALUE)).toArray();
      case BOOL -> new double[] {0, 1};
    };
  }

  static double[] few(DType dtype) {
    return switch (dtype) {
      case F32 ->
          DoubleStream.concat(
                  signed(0.5, 1, 2, 3, 2.5, 80, 1e-30, 3e38, Float.MIN_VALUE), exceptional())
              .map(x -> (float) x)
              .toArray();
      case F64 ->
          DoubleStream.concat(
                  signed(0.5, 1, 2, 3, 2.5, 700, 1e-290, 1e300, Double.MIN_VALUE), exceptional())
              .toArray();
      case I32, BOOL -> of(dtype);
    };
  }

  private static DoubleStream exceptional() {
    return DoubleStream.of(
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0);
  }

  private static DoubleStream signed(double... positive) {
    return DoubleStream.of(positive).flatMap(x -> DoubleStream.of(x, -x));
  }

  /** Magnitudes of all orders. */
  private static DoubleStream magnitudes(int from, int to) {
    var random = new SplittableRandom(3);
    return DoubleStream.generate(
            () -> Math.pow(10, random.nextDouble(from, to)) * (random.nextInt(2) * 2 - 1))
        .limit(64);
  }
}
