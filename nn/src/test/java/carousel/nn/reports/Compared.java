package carousel.nn.reports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.Tensor;

/** What two ways of computing give. */
final class Compared {
  private Compared() {}

  static void same(Tensor a, Tensor b) {
    assertThat(a.shape()).isEqualTo(b.shape());
    assertThat(a.toDoubleArray()).containsExactly(b.toDoubleArray(), within(1e-13));
  }
}
