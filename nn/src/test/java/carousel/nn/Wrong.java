package carousel.nn;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.function.Supplier;

/** Indices that are no classes: named at once, or by a device that nothing waits for when it is read. */
public final class Wrong {
  private Wrong() {}

  /** Code that uses a wrong index fails, and says so in as many words as it can. */
  public static void index(Supplier<Tensor> code, int index, String atOnce) {
    boolean later = Device.standard().backend().isAsynchronous();
    assertThatThrownBy(() -> code.get().toDoubleArray())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining(later ? "index " + index + " is out of range" : atOnce);
  }
}
