package carousel.tensor.contract;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Transfer;
import carousel.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tensors move between every two devices unchanged, in any type and arrangement. */
class TransferTest {

  static Stream<Arguments> pairs() {
    List<Device> devices = new ArrayList<>(Devices.underTest());
    devices.add(Device.of("another", new ReferenceBackend()));
    return devices.stream().flatMap(a -> devices.stream().map(b -> Arguments.of(a, b)));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void arrivesUnchanged(Device from, Device to) {
    for (DType type : DType.values()) {
      for (Shape shape : Shapes.AWKWARD) {
        for (Arrangement a : Arrangement.values()) {
          if (!a.suits(shape)) {
            continue;
          }
          try (var scope = TensorScope.open(from)) {
            Tensor x = Operand.of(type, shape, 3).with(a).tensor();
            Tensor y = new Transfer(from, to).evaluate(x)[0];
            assertThat(y.device()).isSameAs(to);
            assertThat(y.dtype()).isEqualTo(type);
            assertThat(y.sameValues(x)).as("%s %s %s", type, shape, a).isTrue();
            assertThat(x.to(to))
                .as("no copy where it is")
                .satisfies(z -> assertThat(z == x).isEqualTo(from == to));
          }
        }
      }
    }
  }
}
