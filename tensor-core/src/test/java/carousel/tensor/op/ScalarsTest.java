package carousel.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The definitions that Java has no function for, against sums of 60 and more digits. */
class ScalarsTest {
  private static final MathContext DIGITS = new MathContext(400);
  private static final BigDecimal PI =
      new BigDecimal(
          "3.14159265358979323846264338327950288419716939937510582097494459230781640628");

  /** {@code 2/√π Σ (−1)ⁿ x^(2n+1) / (n! (2n+1))}: alternates, so it needs many digits for large x. */
  private static BigDecimal erf(BigDecimal x) {
    BigDecimal square = x.multiply(x, DIGITS).negate();
    BigDecimal power = x;
    BigDecimal sum = x;
    for (int n = 1; power.abs().compareTo(BigDecimal.ONE.scaleByPowerOfTen(-350)) > 0; n++) {
      power = power.multiply(square, DIGITS).divide(BigDecimal.valueOf(n), DIGITS);
      sum = sum.add(power.divide(BigDecimal.valueOf(2L * n + 1), DIGITS), DIGITS);
    }
    return sum.multiply(BigDecimal.TWO).divide(PI.sqrt(DIGITS), DIGITS);
  }

  private static double ulps(double actual, BigDecimal exact) {
    BigDecimal error = new BigDecimal(actual).subtract(exact).abs();
    return error.doubleValue() / Math.ulp(exact.doubleValue());
  }

  private static DoubleStream points() {
    return DoubleStream.concat(
        DoubleStream.iterate(0.01, x -> x < 6.2, x -> x * 1.07 + 0.003),
        DoubleStream.of(1e-300, 1e-10, 0.7499999, 0.75, 0.7500001, 2.5));
  }

  @Test
  void erfIsGoodToTwoUlp() {
    points()
        .forEach(x -> {
          BigDecimal exact = erf(new BigDecimal(x));
          assertThat(ulps(Scalars.erf(x), exact)).as("erf %s", x).isLessThan(2.5);
          assertThat(Scalars.erf(-x)).isEqualTo(-Scalars.erf(x));
        });
    assertThat(Scalars.erf(0)).isZero();
    assertThat(Scalars.erf(Double.POSITIVE_INFINITY)).isEqualTo(1);
    assertThat(Scalars.erf(Double.NEGATIVE_INFINITY)).isEqualTo(-1);
    assertThat(Scalars.erf(40)).isEqualTo(1);
    assertThat(Scalars.erf(Double.NaN)).isNaN();
    assertThat(Scalars.erf(5e-324)).isEqualTo(5e-324);
  }

  /** Also where Φ is tiny: {@code x/2 (1 + erf(x/√2))} as PyTorch has it loses every digit there. */
  @Test
  void geluKeepsItsDigitsInTheTail() {
    BigDecimal rootHalf = new BigDecimal("0.5").sqrt(DIGITS);
    DoubleStream.concat(points(), DoubleStream.of(8, 9.5))
        .flatMap(x -> DoubleStream.of(x, -x))
        .forEach(x -> {
          var at = new BigDecimal(x);
          BigDecimal exact =
              erf(at.multiply(rootHalf, DIGITS))
                  .add(BigDecimal.ONE)
                  .multiply(at, DIGITS)
                  .divide(BigDecimal.TWO, DIGITS);
          assertThat(ulps(Scalars.gelu(x), exact)).as("gelu %s", x).isLessThan(8);
        });
    assertThat(Scalars.gelu(Double.POSITIVE_INFINITY)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(Scalars.gelu(-100)).isZero();
    assertThat(Scalars.gelu(Double.NaN)).isNaN();
  }

  @ParameterizedTest
  @ValueSource(doubles = {-800, -40, -5, -1e-9, 0, 1e-9, 5, 40, 800})
  void sigmoidAndSoftplusNeverOverflow(double x) {
    double s = Scalars.sigmoid(x);
    assertThat(s).isBetween(0.0, 1.0);
    assertThat(s + Scalars.sigmoid(-x)).isCloseTo(1, within(3e-16));
    assertThat(Scalars.softplus(x)).isBetween(Math.max(x, 0), Math.max(x, 0) + 0.7);
    // Both tails keep their relative precision.
    if (x == -40) {
      assertThat(s).isEqualTo(Math.exp(-40));
      assertThat(Scalars.softplus(x)).isEqualTo(Math.exp(-40));
    }
  }

  @Test
  void powIsThatOfIeee754() {
    double nan = Double.NaN;
    double inf = Double.POSITIVE_INFINITY;
    assertThat(Scalars.pow(1, nan)).isEqualTo(1);
    assertThat(Scalars.pow(1, -inf)).isEqualTo(1);
    assertThat(Scalars.pow(-1, inf)).isEqualTo(1);
    assertThat(Scalars.pow(-1, nan)).isNaN();
    assertThat(Scalars.pow(nan, 0)).isEqualTo(1);
    assertThat(Scalars.pow(-8, 1.0 / 3)).isNaN();
    assertThat(Scalars.pow(-2, 3)).isEqualTo(-8);
    assertThat(Scalars.pow(0, -1)).isEqualTo(inf);
  }
}
