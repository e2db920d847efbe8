package carousel.cuda.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.cuda.Cuda;
import carousel.cuda.driver.CudaDriver;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When an index out of range is told of that a kernel found. */
class IndexErrorsTest {
  private static final String LATER =
      "; an op before this read found it on the device: with -Dcarousel.cuda.blocking=true that op"
          + " throws it";

  private Device device;

  @BeforeEach
  void open() {
    device = device(Cuda.emulated());
  }

  private static Device device(CudaDriver driver) {
    return Device.of("watched", Cuda.backend(driver));
  }

  @Test
  void atTheNextRead() {
    try (var scope = TensorScope.open(device)) {
      Tensor y = Tensor.of(1, 2, 3).gather(Tensor.of(2, 3, 0), 0);
      assertThatThrownBy(y::toIntArray)
          .isInstanceOf(TensorException.class)
          .hasMessage("gather: index 3 is out of range [0,3)" + LATER);
      // Once: the device goes on, and what was in range is there.
      assertThat(y.get(0)).isEqualTo(3);
      assertThat(y.get(2)).isEqualTo(1);
    }
  }

  @Test
  void afterItsScopeWasClosedAndOtherOpsRan() {
    try (var scope = TensorScope.open(device)) {
      Tensor table = Tensor.of(Shape.of(2, 2), 1f, 2f, 3f, 4f);
      try (var step = TensorScope.open()) {
        Tensor unread = table.indexSelect(Tensor.of(0, -1), 0);
        assertThat(unread.shape()).isEqualTo(Shape.of(2, 2));
      }
      Tensor other = table.add(1);
      assertThatThrownBy(other::toFloatArray)
          .isInstanceOf(TensorException.class)
          .hasMessage("indexSelect: index -1 is out of range [0,2)" + LATER);
      assertThat(other.toFloatArray()).containsExactly(2, 3, 4, 5);
    }
  }

  @Test
  void theFirstOfSeveral() {
    try (var scope = TensorScope.open(device)) {
      Tensor x = Tensor.of(1f, 2f);
      Tensor first = x.scatterAdd(Tensor.of(0, 7), x, 0);
      Tensor second = x.indexAdd(Tensor.of(0, 9), x, 0);
      assertThatThrownBy(second::toFloatArray)
          .hasMessageStartingWith("scatterAdd: index 7 is out of range [0,2)");
      assertThat(first.toFloatArray()).containsExactly(2, 2);
      assertThat(second.toFloatArray()).containsExactly(2, 2);
    }
  }

  @Test
  void byTheOpWhereItBlocks() {
    System.setProperty(CudaDriver.BLOCKING, "true");
    try (var scope = TensorScope.open(device(Cuda.emulated()))) {
      Tensor x = Tensor.of(1f, 2f);
      assertThatThrownBy(() -> x.gather(Tensor.of(2), 0))
          .isInstanceOf(TensorException.class)
          .hasMessage("gather: index 2 is out of range [0,2)");
      assertThat(x.toFloatArray()).containsExactly(1, 2);
    } finally {
      System.clearProperty(CudaDriver.BLOCKING);
    }
  }
}
