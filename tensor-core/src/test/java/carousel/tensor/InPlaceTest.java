package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.op.Interpreter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Writing in place: assign and fill, through views, from the same storage, and what they refuse. */
@ParameterizedClass
@MethodSource("carousel.tensor.DevicesUnderTest#all")
class InPlaceTest {
  private final Device device;
  private final TensorScope scope;

  InPlaceTest(Device device) {
    this.device = device;
    scope = TensorScope.open(device);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @EnumSource
  void fillsThroughAView(DType dtype) {
    Tensor x = Tensor.zeros(dtype, 4, 5);
    assertThat(x.slice(0, 1, 4, 2).narrow(1, 2, 2).flip(0).fill(1).shape())
        .isEqualTo(Shape.of(2, 2));
    assertThat(x.toDoubleArray())
        .containsExactly(0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0);
  }

  @ParameterizedTest
  @EnumSource
  void assignsThroughAView(DType dtype) {
    Tensor x = Tensor.zeros(dtype, 3, 4);
    Tensor ones = Tensor.ones(dtype, 3, 2);
    assertThat(x.transpose(0, 1).slice(0, 0, 4, 2).assign(ones.transpose(0, 1)).dim(0))
        .isEqualTo(2);
    assertThat(x.toDoubleArray()).containsExactly(1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0);
  }

  @Test
  void broadcastsTheSource() {
    Tensor x = Tensor.zeros(DType.F64, 2, 3);
    x.assign(Tensor.of(1.0, 2, 3));
    assertThat(x.toDoubleArray()).containsExactly(1, 2, 3, 1, 2, 3);
    x.assign(Tensor.full(DType.F64, 9));
    assertThat(x.toDoubleArray()).containsOnly(9);
    Tensor empty = Tensor.zeros(DType.F64, 0, 3);
    assertThat(empty.assign(Tensor.of(1.0, 2, 3)).fill(2).size()).isZero();
  }

  /** Every element is read as it was before the first was written, however the two overlap. */
  @Test
  void anOverlappingSourceIsReadFirst() {
    Tensor x = Tensor.arange(8);
    x.narrow(0, 1, 7).assign(x.narrow(0, 0, 7));
    assertThat(x.toIntArray()).containsExactly(0, 0, 1, 2, 3, 4, 5, 6);
    x.narrow(0, 0, 7).assign(x.narrow(0, 1, 7));
    assertThat(x.toIntArray()).containsExactly(0, 1, 2, 3, 4, 5, 6, 6);
    x.assign(x.flip(0));
    assertThat(x.toIntArray()).containsExactly(6, 6, 5, 4, 3, 2, 1, 0);
    Tensor m = Tensor.arange(9).reshape(3, 3);
    m.assign(m.transpose(0, 1));
    assertThat(m.toIntArray()).containsExactly(0, 3, 6, 1, 4, 7, 2, 5, 8);
    m.assign(m.select(0, 0));
    assertThat(m.toIntArray()).containsExactly(0, 3, 6, 0, 3, 6, 0, 3, 6);
  }

  @Test
  void takesTheSourceFromAnyDevice() {
    Tensor x = Tensor.zeros(DType.F32, 2, 2);
    try (var elsewhere = TensorScope.open(Device.reference())) {
      x.assign(Tensor.of(Shape.of(2, 2), 1f, 2, 3, 4).transpose(0, 1));
    }
    assertThat(x.device()).isSameAs(device);
    assertThat(x.toFloatArray()).containsExactly(1, 3, 2, 4);
  }

  @Test
  void leavesNothingBehindAndIsNoOp() {
    Tensor x = Tensor.arange(1000);
    Tensor elsewhere = Tensor.arange(1000).to(Device.reference());
    long before = scope.bytes();
    Interpreter none =
        (op, inputs) -> {
          throw new AssertionError("applied " + op);
        };
    none.run(() -> x.assign(elsewhere).fill(3));
    Tensor flipped = x.flip(0);
    none.run(() -> x.assign(flipped));
    assertThat(scope.bytes()).isEqualTo(before);
  }

  @Test
  void countsAsANewVersionOfTheStorage() {
    Tensor x = Tensor.zeros(3);
    int before = x.storage().version();
    x.fill(1);
    assertThat(x.storage().version()).isGreaterThan(before);
    int filled = x.storage().version();
    x.narrow(0, 0, 1).assign(Tensor.ones(1));
    assertThat(x.storage().version()).isGreaterThan(filled);
    int assigned = x.storage().version();
    x.add(1);
    assertThat(x.storage().version()).isEqualTo(assigned);
  }

  @Test
  void fillTakesWhatFits() {
    for (double number : new double[] {-2.9, Double.NaN, 1e20}) {
      Tensor whole = Tensor.zeros(DType.I32, 1);
      assertThatThrownBy(() -> whole.fill(number))
          .isInstanceOf(TensorException.class)
          .hasMessageStartingWith("fill: " + number);
      assertThat(whole.item()).isZero();
    }
    assertThat(Tensor.zeros(DType.I32, 1).fill(-2).item()).isEqualTo(-2);
    assertThat(Tensor.zeros(DType.BOOL, 1).fill(1).item()).isEqualTo(1);
    assertThat(Tensor.zeros(1).fill(0.1).item()).isEqualTo(0.1f);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Tensor x = Tensor.zeros(2, 3);
    assertThatThrownBy(() -> x.assign(Tensor.zeros(DType.F64, 2, 3)))
        .isInstanceOf(TensorException.class)
        .hasMessage("assign: F64 into F32; convert it with cast(DType.F32)");
    assertThatThrownBy(() -> x.assign(Tensor.zeros(2, 2, 3)))
        .isInstanceOf(TensorException.class)
        .hasMessage("assign: [2,2,3] does not fit into [2,3]");
    assertThatThrownBy(() -> x.assign(Tensor.zeros(4)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("[2,3] and [4]");
    assertThatThrownBy(() -> Tensor.zeros(1, 3).assign(x)).hasMessageContaining("does not fit");
  }

  /** Two elements in one place cannot both be written. */
  @Test
  void refusesToWriteToRepeatedElements() {
    Tensor repeated = Tensor.zeros(1, 3).expand(2, 3);
    assertThatThrownBy(() -> repeated.fill(1))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("fill: elements of F32 [2,3] share a place", "copy()");
    assertThatThrownBy(() -> repeated.assign(Tensor.zeros(2, 3)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("assign: elements");
  }
}
