package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a tensor prints. The build runs the tests in a locale that would write 1,5. */
class PrinterTest {
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void scalars() {
    assertThat(Tensor.full(DType.F64, 2.5)).hasToString("F64 [] 2.5000");
    assertThat(Tensor.full(DType.F32, 3)).hasToString("F32 [] 3.0");
    assertThat(Tensor.full(DType.I32, -7)).hasToString("I32 [] -7");
    assertThat(Tensor.full(DType.BOOL, 1)).hasToString("BOOL [] true");
  }

  @Test
  void smallOnesWhole() {
    assertThat(Tensor.of(Shape.of(2, 3), 1f, -2.25f, 3, 10.5f, 0, -0.001f))
        .hasToString(
            """
            F32 [2,3]
            [[ 1.0000, -2.2500,  3.0000],
             [10.5000,  0.0000, -0.0010]]\
            """);
    assertThat(Tensor.of(1, -20, 300)).hasToString("I32 [3]\n[  1, -20, 300]");
    assertThat(Tensor.of(Shape.of(2), true, false)).hasToString("BOOL [2]\n[ true, false]");
  }

  @Test
  void deepOnesNested() {
    assertThat(Tensor.arange(8).reshape(2, 2, 2))
        .hasToString(
            """
            I32 [2,2,2]
            [[[0, 1],
              [2, 3]],
             [[4, 5],
              [6, 7]]]\
            """);
  }

  @Test
  void nothing() {
    assertThat(Tensor.zeros(3, 0)).hasToString("F32 [3,0] (empty)");
    assertThat(Tensor.zeros(DType.I32, 0)).hasToString("I32 [0] (empty)");
  }

  @Test
  void exceptionalValues() {
    double inf = Double.POSITIVE_INFINITY;
    assertThat(Tensor.of(Double.NaN, inf, -inf, 1)).hasToString("F64 [4]\n[NaN,   ∞,  -∞, 1.0]");
    assertThat(Tensor.of(Double.NaN)).hasToString("F64 [1]\n[NaN]");
  }

  @Test
  void mixedMagnitudesInExponents() {
    assertThat(Tensor.of(1e-7, 1, 123456789))
        .hasToString("F64 [3]\n[1.0000e-07, 1.0000e+00, 1.2346e+08]");
    assertThat(Tensor.of(0.0, 1e6)).hasToString("F64 [2]\n[0.0000e+00, 1.0000e+06]");
    assertThat(Tensor.of(999_999.0, 0.0)).hasToString("F64 [2]\n[999999.0,      0.0]");
  }

  @Test
  void aSmallNumberBesideOthersKeepsToItself() {
    assertThat(Tensor.of(1e-7, 1, -2.5, 0))
        .hasToString("F64 [4]\n[  1e-07,  1.0000, -2.5000,  0.0000]");
    assertThat(Tensor.of(1e-7, 2e-9)).hasToString("F64 [2]\n[1.0000e-07, 2.0000e-09]");
    assertThat(Tensor.of(5e-5, 1)).hasToString("F64 [2]\n[0.0001, 1.0000]");
  }

  @Test
  void asManyDigitsAsAreWanted() {
    assertThat(Tensor.of(1.23456, -2).toString(2)).isEqualTo("F64 [2]\n[ 1.23, -2.00]");
    assertThat(Tensor.of(1234567.891, 0.001).toString(1))
        .isEqualTo("F64 [2]\n[1234567.9,     1e-03]");
    assertThat(Tensor.of(0.001, 0).toString(1)).isEqualTo("F64 [2]\n[1.0e-03, 0.0e+00]");
    assertThat(Tensor.of(2.6, 1).toString(0)).isEqualTo("F64 [2]\n[3, 1]");
    assertThat(Tensor.of(3, 4).toString(2)).isEqualTo("I32 [2]\n[3, 4]");
    assertThatThrownBy(() -> Tensor.of(1.0).toString(-1))
        .isInstanceOf(TensorException.class)
        .hasMessage("toString: decimals must be from 0 to 17, got -1");
  }

  @Test
  void aGeneratorSaysWhereItIs() {
    var rng = Philox.of(7);
    assertThat(rng).hasToString("Philox[seed 7, position 0]");
    rng.uniform(DType.F32, 0, 1, 8);
    assertThat(rng).hasToString("Philox[seed 7, position " + rng.counter() + "]");
  }

  @Test
  void largeOnesAbridged() {
    assertThat(Tensor.arange(2000))
        .hasToString("I32 [2000]\n[   0,    1,    2, ..., 1997, 1998, 1999]");
    assertThat(Tensor.arange(40_000).reshape(200, 200).toString())
        .startsWith("I32 [200,200]\n[[    0,     1,     2, ...,   197,   198,   199],\n")
        .contains(",\n ...,\n")
        .endsWith("[39800, 39801, 39802, ..., 39997, 39998, 39999]]")
        .satisfies(text -> assertThat(text.lines()).hasSize(8));
    // A short axis of a large tensor is not abridged.
    assertThat(Tensor.zeros(500, 6).toString()).contains("[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]");
  }

  @Test
  void viewsAsTheyLook() {
    assertThat(Tensor.arange(6).reshape(2, 3).transpose(0, 1).flip(0))
        .hasToString("I32 [3,2]\n[[2, 5],\n [1, 4],\n [0, 3]]");
    assertThat(Tensor.of(7).expand(3)).hasToString("I32 [3]\n[7, 7, 7]");
  }

  @Test
  void closedOnesStillSayWhatTheyWere() {
    Tensor x;
    try (var inner = TensorScope.open()) {
      x = Tensor.zeros(2, 3);
    }
    assertThat(x).hasToString("F32 [2,3] (closed)");
  }
}
