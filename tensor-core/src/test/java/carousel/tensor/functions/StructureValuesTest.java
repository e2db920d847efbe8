package carousel.tensor.functions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What moves, repeats and chooses elements, against loops over indices; of every type, also of none. */
class StructureValuesTest {
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** 0, 1, 2, … of a type; BOOL by turns. Lying transposed in memory, so that strides count. */
  private static Tensor numbers(DType type, int... dims) {
    int[] order = new int[dims.length];
    int[] reversed = new int[dims.length];
    Arrays.setAll(order, i -> dims.length - 1 - i);
    Arrays.setAll(reversed, i -> dims[dims.length - 1 - i]);
    int n = (int) Shape.of(dims).size();
    double[] values = new double[n];
    Arrays.setAll(values, i -> type == DType.BOOL ? i * i % 3 % 2 : i + 1);
    Tensor x = Tensor.of(Shape.of(dims), values).cast(type);
    return x.permute(order).contiguous().permute(order);
  }

  private interface Element {
    /** Where an element of the result comes from; null for 0. */
    int @Nullable [] of(int[] index);
  }

  private static void check(Tensor y, Tensor x, int[] dims, Element from) {
    assertThat(y.shape()).isEqualTo(Shape.of(dims));
    assertThat(y.dtype()).isEqualTo(x.dtype());
    double[] values = y.toDoubleArray();
    int[] index = new int[dims.length];
    for (double value : values) {
      int[] source = from.of(index);
      assertThat(value)
          .as(Arrays.toString(index))
          .isEqualTo(source == null ? 0 : number(x, source));
      for (int k = dims.length - 1; k >= 0 && ++index[k] == dims[k]; k--) {
        index[k] = 0;
      }
    }
  }

  private static double number(Tensor x, int... index) {
    int at = 0;
    for (int k = 0; k < index.length; k++) {
      at = at * x.dim(k) + index[k];
    }
    return x.dtype() == DType.BOOL ? at * at % 3 % 2 : at + 1;
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void axesMoveRepeatAndRoll(DType type) {
    Tensor x = numbers(type, 2, 3, 4);
    check(x.moveAxis(0, -1), x, new int[] {3, 4, 2}, i -> new int[] {i[2], i[0], i[1]});
    check(x.moveAxis(2, 0), x, new int[] {4, 2, 3}, i -> new int[] {i[1], i[2], i[0]});
    check(x.flatten(1, 2), x, new int[] {2, 12}, i -> new int[] {i[0], i[1] / 4, i[1] % 4});
    check(x.flatten(-3, -2), x, new int[] {6, 4}, i -> new int[] {i[0] / 3, i[0] % 3, i[1]});
    check(
        x.unflatten(2, -1, 2),
        x,
        new int[] {2, 3, 2, 2},
        i -> new int[] {i[0], i[1], 2 * i[2] + i[3]});
    check(x.repeat(2, 1, 3), x, new int[] {4, 3, 12}, i -> new int[] {i[0] % 2, i[1], i[2] % 4});
    check(x.repeat(2, 1, 1, 1), x, new int[] {2, 2, 3, 4}, i -> new int[] {i[1], i[2], i[3]});
    check(x.repeat(1, 0, 1), x, new int[] {2, 0, 4}, i -> i);
    check(x.repeatInterleave(3, 1), x, new int[] {2, 9, 4}, i -> new int[] {i[0], i[1] / 3, i[2]});
    for (int shift : new int[] {0, 1, -1, 4, 7, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      check(
          x.roll(shift, 1),
          x,
          new int[] {2, 3, 4},
          i -> new int[] {i[0], Math.floorMod(i[1] - (long) shift, 3), i[2]});
    }
    check(x.unfold(1, 2, 1), x, new int[] {2, 2, 4, 2}, i -> new int[] {i[0], i[1] + i[3], i[2]});
    check(
        x.unfold(2, 1, 3), x, new int[] {2, 3, 2, 1}, i -> new int[] {i[0], i[1], 3 * i[2] + i[3]});
    check(numbers(type, 1, 3, 1).squeeze(), x, new int[] {3}, i -> new int[] {0, 0, i[0]});
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void diagonalsAndTriangles(DType type) {
    for (int[] dims : new int[][] {{3, 4}, {4, 3}, {3, 3}, {1, 5}, {5, 1}}) {
      Tensor x = numbers(type, dims);
      for (int k : new int[] {-6, -3, -1, 0, 1, 2, 6, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
        int count = 0;
        for (int i = 0; i < dims[0]; i++) {
          long j = i + (long) k;
          count += j >= 0 && j < dims[1] ? 1 : 0;
        }
        int below = (int) Math.min(10, Math.max(0, -(long) k));
        int right = Math.max(0, k);
        check(
            x.diagonal(k, 0, 1), x, new int[] {count}, i -> new int[] {i[0] + below, i[0] + right});
        check(x.tril(k), x, dims, i -> i[1] <= i[0] + (long) k ? i.clone() : null);
        check(x.triu(k), x, dims, i -> i[1] >= i[0] + (long) k ? i.clone() : null);
      }
    }
    Tensor cube = numbers(type, 2, 3, 4);
    check(cube.diagonal(1, 2, 0), cube, new int[] {3, 1}, i -> new int[] {i[1] + 1, i[0], i[1]});
    check(cube.diagonal(), cube, new int[] {2, 3}, i -> new int[] {i[0], i[1], i[1]});
    check(
        cube.diagonalMatrix(),
        cube,
        new int[] {2, 3, 4, 4},
        i -> i[2] == i[3] ? new int[] {i[0], i[1], i[2]} : null);
    check(cube.tril(0), cube, new int[] {2, 3, 4}, i -> i[2] <= i[1] ? i.clone() : null);
    if (type != DType.BOOL) {
      assertThat(numbers(type, 3, 3).trace().item()).isEqualTo(1 + 5 + 9);
    }
  }

  @Test
  void whatIsCutAwayIsZeroWhateverItWas() {
    Tensor x = Tensor.full(DType.F32, Double.NaN, 2, 2);
    assertThat(x.tril(-5).toFloatArray()).containsOnly(0);
    assertThat(x.triu(5).toFloatArray()).containsOnly(0);
    assertThat(x.maskedFill(x.isNan(), 3).toFloatArray()).containsOnly(3);
  }

  @Test
  void masksChoose() {
    Tensor x = numbers(DType.F32, 2, 3);
    Tensor mask = Tensor.of(Shape.of(3), true, false, true);
    assertThat(x.maskedFill(mask, Double.NEGATIVE_INFINITY).toFloatArray())
        .containsExactly(
            Float.NEGATIVE_INFINITY,
            2,
            Float.NEGATIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            5,
            Float.NEGATIVE_INFINITY);
    assertThat(x.maskedFill(mask, x.neg()).toFloatArray()).containsExactly(-1, 2, -3, -4, 5, -6);
    assertThat(x.maskedSelect(mask).toFloatArray()).containsExactly(1, 3, 4, 6);
    assertThat(x.select(0, 0).maskedSelect(x.gt(2)).toFloatArray()).containsExactly(3, 1, 2, 3);
    assertThat(x.maskedSelect(x.gt(9)).shape()).isEqualTo(Shape.of(0));
    assertThat(Tensor.of(1.0).select(0, 0).maskedSelect(Tensor.of(1).gt(0)).toDoubleArray())
        .containsExactly(1);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void nonzeroGivesPositions(DType type) {
    Tensor x = Tensor.of(Shape.of(2, 3), 0, 1, 0, 1, 0, 1).cast(type).transpose(0, 1);
    assertThat(x.nonzero().toIntArray()).containsExactly(0, 1, 1, 0, 2, 1);
    assertThat(x.nonzero().shape()).isEqualTo(Shape.of(3, 2));
    assertThat(x.select(0, 0).select(0, 0).nonzero().shape()).isEqualTo(Shape.of(0, 0));
    assertThat(x.select(0, 1).select(0, 0).nonzero().shape()).isEqualTo(Shape.of(1, 0));
    assertThat(x.narrow(0, 0, 0).nonzero().shape()).isEqualTo(Shape.of(0, 2));
    if (type.isFloating()) {
      assertThat(Tensor.of(-0.0, Double.NaN, 1e-320).nonzero().toIntArray()).containsExactly(1, 2);
    }
  }

  @Test
  void scatterReplaces() {
    Tensor x = numbers(DType.F64, 3, 2);
    Tensor index = Tensor.of(Shape.of(1, 2), 2, 0);
    Tensor source = Tensor.of(Shape.of(1, 2), -1.0, -2.0);
    assertThat(x.scatter(index, source, 0).toDoubleArray()).containsExactly(1, -2, 3, 4, -1, 6);
    Tensor twice = Tensor.of(Shape.of(3, 1), 1, 0, 1).reshape(1, 3);
    assertThat(
            Tensor.of(Shape.of(1, 2), 5.0, Double.NaN)
                .scatter(twice, Tensor.of(Shape.of(1, 3), 1.0, 2, 4), 1)
                .toDoubleArray())
        .containsExactly(2, 5);
  }

  @Test
  void countsOfNumbers() {
    assertThat(Tensor.of(3, 1, 3, 0).binCount(0).toIntArray()).containsExactly(1, 1, 0, 2);
    assertThat(Tensor.of(1).binCount(3).toIntArray()).containsExactly(0, 1, 0);
    assertThat(Tensor.of(new int[0]).binCount(2).toIntArray()).containsExactly(0, 0);
  }

  /** Nothing in, nothing out, or an error that says so; in every type. */
  @ParameterizedTest
  @EnumSource(DType.class)
  void ofNoElements(DType type) {
    Tensor x = Tensor.zeros(type, 3, 0, 2);
    Map<Function<Tensor, Tensor>, int[]> shapes =
        Map.ofEntries(
            Map.entry(y -> y.moveAxis(0, 2), new int[] {0, 2, 3}),
            Map.entry(y -> y.flatten(0, 1), new int[] {0, 2}),
            Map.entry(y -> y.unflatten(0, 3, 1), new int[] {3, 1, 0, 2}),
            Map.entry(y -> y.repeat(2, 3, 1), new int[] {6, 0, 2}),
            Map.entry(y -> y.repeatInterleave(2, 0), new int[] {6, 0, 2}),
            Map.entry(y -> y.roll(1, 1), new int[] {3, 0, 2}),
            Map.entry(y -> y.unfold(0, 2, 1), new int[] {2, 0, 2, 2}),
            Map.entry(y -> y.diagonal(), new int[] {3, 0}),
            Map.entry(y -> y.diagonalMatrix(), new int[] {3, 0, 2, 2}),
            Map.entry(y -> y.transpose(1, 2).diagonalMatrix(), new int[] {3, 2, 0, 0}),
            Map.entry(y -> y.tril(0), new int[] {3, 0, 2}),
            Map.entry(y -> y.maskedSelect(y.isNan()), new int[] {0}),
            Map.entry(y -> y.squeeze(), new int[] {3, 0, 2}));
    shapes.forEach((of, dims) -> assertThat(of.apply(x).shape()).isEqualTo(Shape.of(dims)));
  }

  @Test
  void saysWhatDoesNotFit() {
    Tensor x = numbers(DType.F32, 2, 3);
    refuses(() -> x.moveAxis(0, 2), "moveAxis: axis 2 is out of range for shape [2,3]");
    refuses(() -> x.flatten(1, 0), "flatten: axis 1 comes after axis 0 in [2,3]");
    refuses(() -> x.unflatten(1, 2, -1), "unflatten: axis 1 of [2,3] has 3 elements", "[2, -1]");
    refuses(() -> x.unflatten(1, -1, -1), "unflatten: axis 1 of [2,3]", "[-1, -1]");
    refuses(() -> x.unflatten(1), "unflatten: axis 1 of [2,3]", "[]");
    refuses(() -> x.repeat(2), "repeat: wants a number of times", "[2,3]", "[2]");
    refuses(() -> x.repeat(1, -1), "[1, -1]");
    refuses(
        () -> x.repeat(Integer.MAX_VALUE, 1),
        "repeat: an axis of [2,3] would have 4294967294 elements");
    refuses(() -> x.repeatInterleave(-1, 0), "repeatInterleave: wants 0 times or more, got -1");
    refuses(
        () -> x.unfold(1, 4, 1),
        "unfold: windows of 4 at steps of 1 do not lie within axis 1 of [2,3]");
    refuses(() -> x.diagonal(0, 1, -1), "diagonal: axis 1 is named twice");
    refuses(() -> x.flatten().tril(0), "tril: wants matrices [..,m,n], got [6]");
    refuses(() -> x.sum().diagonalMatrix(), "diagonalMatrix: wants [..,n], got a scalar");
    refuses(() -> x.maskedSelect(x), "maskedSelect: the mask must be BOOL, got F32 [2,3]");
    refuses(
        () -> x.maskedSelect(Tensor.of(1, 2).gt(0)),
        "maskedSelect: shapes do not broadcast: [2,3] and [2]");
    refuses(() -> x.binCount(0), "binCount: takes I32, got F32 [2,3]");
    refuses(
        () -> Tensor.of(1, -2).binCount(0), "binCount: numbers must be 0 or more, got -2 in [2]");
    refuses(() -> x.glu(1), "glu: axis 1 of [2,3] has 3 elements, which is odd");
    refuses(() -> x.softShrink(-1), "softShrink: lambda must be 0 or more, got -1.0");
    refuses(() -> x.hardTanh(1, 1), "hardTanh: the least value must be below the greatest");
    refuses(() -> x.celu(0), "celu: alpha must be above 0, got 0.0");
  }

  static void refuses(Runnable call, String... parts) {
    var thrown = assertThatThrownBy(call::run).isInstanceOf(TensorException.class);
    for (String part : parts) {
      thrown.hasMessageContaining(part);
    }
  }
}
