package carousel.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import carousel.tensor.TensorException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the system properties ask for. */
class PrecisionTest {
  @AfterEach
  void clear() {
    System.clearProperty("carousel.cuda.tf32");
    System.clearProperty("carousel.cuda.bf16");
  }

  @Test
  void isFullUnlessAskedOtherwise() {
    assertThat(Precision.configured()).isEqualTo(Precision.F32);
    System.setProperty("carousel.cuda.tf32", "true");
    assertThat(Precision.configured()).isEqualTo(Precision.TF32);
    System.setProperty("carousel.cuda.tf32", "false");
    System.setProperty("carousel.cuda.bf16", "true");
    assertThat(Precision.configured()).isEqualTo(Precision.BF16);
  }

  @Test
  void isNotBoth() {
    System.setProperty("carousel.cuda.tf32", "true");
    System.setProperty("carousel.cuda.bf16", "true");
    assertThatExceptionOfType(TensorException.class)
        .isThrownBy(Precision::configured)
        .withMessageContaining("-Dcarousel.cuda.tf32=true")
        .withMessageContaining("-Dcarousel.cuda.bf16=true")
        .withMessageContaining("leave out one");
  }
}
