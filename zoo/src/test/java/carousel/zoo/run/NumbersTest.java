package carousel.zoo.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers are as short as what they say. */
class NumbersTest {
  @ParameterizedTest
  @CsvSource({
    "7.1324, 7.132",
    "182.44, 182.4",
    "10000.4, 10000",
    "-13, -13.000",
    "999999999, 999999999",
    "1e9, 1.000e9",
    "5.9384e56, 5.938e56",
    "-5.9384e156, -5.938e156",
    "1.7976931348623157e308, 1.798e308",
    "NaN, NaN",
    "Infinity, Infinity"
  })
  void figures(double x, String text) {
    assertThat(Numbers.figure(x)).isEqualTo(text);
  }

  @Test
  void noFigureIsLong() {
    for (double x = 1e-300; Double.isFinite(x); x *= 7) {
      assertThat(Numbers.figure(x)).hasSizeLessThan(11);
      assertThat(Double.parseDouble(Numbers.figure(x)))
          .isBetween(x * 0.999 - 0.001, x * 1.001 + 0.5);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1048576, 1.0 MiB",
    "1610612736, 1.5 GiB",
    "1.280e18, 1.1 EiB",
    "1.153e24, 1000068.1 EiB"
  })
  void bytes(double bytes, String text) {
    assertThat(Numbers.bytes(bytes)).isEqualTo(text);
  }
}
