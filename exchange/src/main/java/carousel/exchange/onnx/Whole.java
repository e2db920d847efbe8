package carousel.exchange.onnx;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * What operators compute of whole numbers. Those of a file have up to 64 bits, I32 has 32 and wraps: so
 * they are computed in F64, which holds all sums and quotients of 32 bits, and of products all that may
 * come out right, and what leaves I32 is refused.
 */
final class Whole {
  /** Up to here F64 has every whole number. */
  private static final double EXACT = 1L << 53;

  private Whole() {}

  /** Whether these are whole numbers. */
  static boolean is(Tensor x) {
    return x.dtype() == DType.I32;
  }

  /** A function of one operand that for whole numbers may leave I32. */
  static UnaryOperator<Tensor> unary(UnaryOperator<Tensor> f) {
    return x -> is(x) ? fitted(f.apply(wide(x))) : f.apply(x);
  }

  /** A function of two operands that for whole numbers may leave I32. */
  static BinaryOperator<Tensor> binary(BinaryOperator<Tensor> f) {
    return (a, b) -> is(a) && is(b) ? fitted(f.apply(wide(a), wide(b))) : f.apply(a, b);
  }

  static Tensor wide(Tensor x) {
    return x.cast(DType.F64);
  }

  /** Numbers as I32, cut towards zero; refused are those that do not fit, and what is no number. */
  static Tensor fitted(Tensor exact) {
    Tensor fits = exact.gt(Integer.MIN_VALUE - 1.0).and(exact.lt(Integer.MAX_VALUE + 1.0));
    if (fits.all().item() != 0) {
      return exact.cast(DType.I32);
    }
    double first =
        Arrays.stream(wide(exact).flatten().toDoubleArray())
            .filter(x -> !(x > Integer.MIN_VALUE - 1.0 && x < Integer.MAX_VALUE + 1.0))
            .findFirst()
            .orElseThrow();
    throw tooLarge(
        Double.isFinite(first)
            ? new BigDecimal(first).toBigInteger().toString()
            : Double.toString(first));
  }

  static int fitted(long number) {
    if (number != (int) number) {
      throw tooLarge(Long.toString(number));
    }
    return (int) number;
  }

  private static TensorException tooLarge(String number) {
    return new TensorException(
        String.format(
            Locale.ROOT,
            "gives %s, which is no whole number of 32 bits; those of 64 are computed with here only as far"
                + " as they fit into 32: let the model compute it as DOUBLE",
            number));
  }

  /** Cut towards zero. */
  static Tensor quotient(Tensor a, Tensor b) {
    if (b.eq(0).any().item() != 0) {
      throw new TensorException("a whole number is divided by 0");
    }
    return fitted(wide(a).div(wide(b)));
  }

  /** {@code a^b}; cut towards zero where b is negative or no whole number. */
  static Tensor power(Tensor a, Tensor b) {
    Tensor exponent = wide(b);
    Tensor power = wide(a).pow(exponent);
    // F64 may miss a whole power by its last bit.
    return fitted(Tensor.where(exponent.eq(exponent.floor()), power.round(), power));
  }

  /** Products whose parts are so large that their sum would be rounded are refused. */
  static Tensor matmul(Tensor a, Tensor b) {
    Tensor most = wide(a).abs().matmul(wide(b).abs());
    if (most.gt(EXACT).any().item() != 0) {
      fitted(most);
    }
    return fitted(wide(a).matmul(wide(b)));
  }

  /** The mean over axes, which stay, cut towards zero. */
  static Tensor mean(Tensor x, int... axes) {
    double count = Arrays.stream(axes).mapToDouble(x::dim).reduce(1, (a, b) -> a * b);
    return fitted(wide(x).sum(axes, true).div(count));
  }
}
