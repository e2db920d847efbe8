package carousel.tensor.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryCapTest {
  @ParameterizedTest
  @CsvSource({
    "4096,4096",
    "64k,65536",
    "512m,536870912",
    "8g,8589934592",
    " 8GB ,8589934592",
    "99999999999,99999999999"
  })
  void readsSizes(String written, long bytes) {
    assertThat(SlabPool.size(written)).isEqualTo(bytes);
    assertThat(Setting.MEMORY.takes(written)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "-1", "8 g", "8.5g", "lots", "8x", "9999999999999999999", "99999999999t"})
  void refusesWhatIsNoSize(String written) {
    assertThat(SlabPool.size(written)).isZero();
    assertThat(Setting.MEMORY.takes(written)).isFalse();
  }
}
