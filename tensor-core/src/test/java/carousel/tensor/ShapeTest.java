package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shapes: sizes, axes from both ends, broadcasting, and what cannot be a shape. */
class ShapeTest {

  @Test
  void sizeIsTheProduct() {
    assertThat(Shape.of(2, 3, 4).size()).isEqualTo(24);
    assertThat(Shape.SCALAR.size()).isEqualTo(1);
    assertThat(Shape.of(3, 0, 5).size()).isZero();
    assertThat(Shape.of(Integer.MAX_VALUE, 4).size()).isEqualTo(4L * Integer.MAX_VALUE);
  }

  @Test
  void anEmptyAxisMakesAnySizesFit() {
    int huge = Integer.MAX_VALUE;
    assertThat(Shape.of(huge, huge, huge, 0).size()).isZero();
    assertThat(Shape.of(0, huge, huge, huge).size()).isZero();
  }

  @Test
  void impossibleShapesAreRefused() {
    int huge = Integer.MAX_VALUE;
    assertThatThrownBy(() -> Shape.of(2, -1))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("negative size -1 in [2, -1]");
    assertThatThrownBy(() -> Shape.of(huge, huge, huge))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("more elements");
  }

  @Test
  void axesCountFromBothEnds() {
    var s = Shape.of(2, 3, 4);
    assertThat(s.dim(0)).isEqualTo(2);
    assertThat(s.dim(-1)).isEqualTo(4);
    assertThat(s.axis(-3)).isZero();
    assertThatThrownBy(() -> s.axis(3))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("axis 3 is out of range for shape [2,3,4] of rank 3");
    assertThatThrownBy(() -> s.dim(-4)).isInstanceOf(TensorException.class);
  }

  @Test
  void derivesShapes() {
    var s = Shape.of(2, 3, 4);
    assertThat(s.with(-1, 7)).isEqualTo(Shape.of(2, 3, 7));
    assertThat(s.without(1)).isEqualTo(Shape.of(2, 4));
    assertThat(s.insert(0, 9)).isEqualTo(Shape.of(9, 2, 3, 4));
    assertThat(s.insert(-1, 9)).isEqualTo(Shape.of(2, 3, 4, 9));
    assertThat(s.insert(3, 9)).isEqualTo(Shape.of(2, 3, 4, 9));
    assertThatThrownBy(() -> s.insert(4, 1))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("new axis");
  }

  @Test
  void isAValue() {
    int[] dims = {2, 3};
    var s = Shape.of(dims);
    dims[0] = 9;
    s.toArray()[1] = 9;
    assertThat(s).isEqualTo(Shape.of(2, 3)).hasSameHashCodeAs(Shape.of(2, 3)).hasToString("[2,3]");
    assertThat(s).isNotEqualTo(Shape.of(3, 2)).isNotEqualTo("[2,3]");
    assertThat(Shape.of()).isSameAs(Shape.SCALAR).hasToString("[]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2,3   | 2,3 | 2,3
          2,3   | 3   | 2,3
          3     | 2,1 | 2,3
                | 4   | 4
          4     |     | 4
          2,1,5 | 3,1 | 2,3,5
          0,3   | 1,3 | 0,3
          1     | 0   | 0
          0     |     | 0
          """)
  void broadcasts(String a, String b, String common) {
    assertThat(Shape.broadcast("add", parse(a), parse(b))).isEqualTo(parse(common));
  }

  @Test
  void namesTheAxisThatDoesNotBroadcast() {
    assertThatThrownBy(() -> Shape.broadcast("add", Shape.of(2, 3, 5), Shape.of(4, 5)))
        .isInstanceOf(TensorException.class)
        .hasMessage(
            "add: shapes do not broadcast: [2,3,5] and [4,5] differ in axis -2 (3 and 4);"
                + " sizes must be equal or 1");
    assertThatThrownBy(() -> Shape.broadcast("add", Shape.of(0), Shape.of(2)))
        .isInstanceOf(TensorException.class);
  }

  private static Shape parse(@org.jspecify.annotations.Nullable String sizes) {
    if (sizes == null) {
      return Shape.SCALAR;
    }
    String[] parts = sizes.split(",");
    int[] dims = new int[parts.length];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = Integer.parseInt(parts[i].strip());
    }
    return Shape.of(dims);
  }
}
