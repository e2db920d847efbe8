package carousel.tensor.contract;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Long sums on every device: every row of the catalogue that sums, of terms of one sign and of both, against exact sums.
 */
class LongSumTest {
  /** A new row is listed, with a way to sum or as one that does not. */
  @Test
  void everyRowThatSumsIsTried() {
    Set<String> rows =
        OpCases.all()
            .map(OpCase::row)
            .filter(row -> !row.matches("(Unary|Binary|Ternary)[.].*"))
            .filter(row -> !row.startsWith("Composite.") || LongSums.ways().containsKey(row))
            .collect(Collectors.toSet());
    Set<String> known = new HashSet<>(LongSums.NO_SUMS);
    known.addAll(LongSums.ways().keySet());
    assertThat(known).isEqualTo(rows);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aHundredThousandTerms(DType type) {
    for (Device device : Devices.underTest()) {
      boolean slow = device != Device.cpu();
      assertThat(LongSums.violations(device, type, slow ? 48_000 : 120_000, slow ? 2 : 5))
          .as("%s", device)
          .isEmpty();
    }
  }

  @Tag("cpu")
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void tenMillionTerms(DType type) {
    assertThat(LongSums.violations(Device.cpu(), type, 9_999_840, 1)).isEmpty();
  }
}
