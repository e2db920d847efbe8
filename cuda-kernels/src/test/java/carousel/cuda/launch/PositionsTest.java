package carousel.cuda.launch;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.Cuda;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Layouts as kernels take them, and what exceeds what they take. */
@Tag(Cuda.DEVICE)
class PositionsTest {
  @Test
  void denseOperandsHaveOneAxisAndMoveInPacks() {
    try (var scope = TensorScope.open(Cuda.device())) {
      Tensor x = Tensor.ones(3, 5, 7);
      assertThat(Positions.of(x, x).rank()).isEqualTo(1);
      assertThat(Positions.of(x, x).pack()).isEqualTo(4);
      assertThat(Positions.of(x, x.transpose(0, 2).transpose(0, 2)).pack()).isEqualTo(4);
      assertThat(Positions.of(x, Tensor.ones(1).expand(3, 5, 7)).pack()).as("repeats").isEqualTo(4);
    }
  }

  @Test
  void rowsThatAreApartHaveTwoAxes() {
    try (var scope = TensorScope.open(Cuda.device())) {
      Tensor x = Tensor.ones(3, 5, 8).narrow(2, 0, 7);
      var at = Positions.of(Tensor.ones(3, 5, 7), x);
      assertThat(at.rank()).isEqualTo(2);
      assertThat(at.pack()).isEqualTo(1);
    }
  }

  @Test
  void whatIsNotAlignedDoesNotMoveInPacks() {
    try (var scope = TensorScope.open(Cuda.device())) {
      Tensor x = Tensor.ones(65).narrow(0, 1, 64);
      assertThat(Positions.of(Tensor.ones(64), x).pack()).isEqualTo(1);
      assertThat(x.neg().toFloatArray()).containsOnly(-1);
    }
  }

  /** Ten axes that do not merge: launches go over the outer ones. */
  @Test
  void manyAxes() {
    int[] order = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    double[][] results = new double[2][];
    for (Device device : List.of(Device.cpu(), Cuda.device())) {
      try (var scope = TensorScope.open(device)) {
        Tensor x = Tensor.arange(7776).reshape(2, 3, 2, 3, 2, 3, 2, 3, 2, 3).permute(order);
        Tensor frame = Tensor.zeros(3, 3, 3, 3, 3, 3, 3, 3, 3, 3);
        Tensor inside = frame;
        for (int axis : order) {
          inside = inside.narrow(axis, axis % 2, 2);
        }
        inside.fill(1);
        results[device == Device.cpu() ? 0 : 1] =
            Tensor.concat(List.of(x.neg().flatten().cast(DType.F32), frame.flatten()), 0)
                .toDoubleArray();
        assertThat(Positions.of(x.neg(), x).rank()).isEqualTo(10);
      }
    }
    assertThat(results[1]).containsExactly(results[0]);
  }
}
