package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every reduction of every rank, a number alone too, over axes that are named, left out or none: against the sum that
 * the standard writes, and ONNX Runtime, which also must run what is written of it.
 */
class ReductionsTest {
  enum Fold {
    ReduceMean(x -> Arrays.stream(x).average().orElseThrow()),
    ReduceSum(x -> Arrays.stream(x).sum()),
    ReduceMax(x -> Arrays.stream(x).max().orElseThrow()),
    ReduceMin(x -> Arrays.stream(x).min().orElseThrow()),
    ReduceL2(x -> Math.sqrt(Arrays.stream(x).map(each -> each * each).sum())),
    ReduceSumSquare(x -> Arrays.stream(x).map(each -> each * each).sum());

    private final ToDoubleFunction<double[]> of;

    Fold(ToDoubleFunction<double[]> of) {
      this.of = of;
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyRankAndAxes(Fold fold) {
    try (var scope = TensorScope.open()) {
      for (var dims :
          List.of(
              new int[0], new int[] {1}, new int[] {3}, new int[] {2, 3}, new int[] {2, 1, 3})) {
        Tensor x = Philox.of(7).normal(DType.F32, -0.5, 1, dims);
        for (var keeps : List.of(0L, 1L)) {
          for (var noop : new long[] {0, 1}) {
            check(fold, x, null, keeps, noop);
            check(fold, x, new long[0], keeps, noop);
            for (int axis = -dims.length; axis < dims.length; axis++) {
              check(fold, x, new long[] {axis}, keeps, noop);
            }
            if (dims.length > 1) {
              check(fold, x, new long[] {-1, 0}, keeps, noop);
            }
          }
        }
      }
    }
  }

  private static void check(Fold fold, Tensor x, long @Nullable [] axes, long keeps, long noop) {
    var file = new GraphWriter();
    file.input("x", DataType.FLOAT, Arrays.stream(x.shape().toArray()).boxed().toArray());
    var from = new ArrayList<>(List.of("x"));
    if (axes != null) {
      from.add(file.constant("axes", axes));
    }
    file.node(
        fold.name(),
        "y",
        from,
        attribute("keepdims", keeps),
        attribute("noop_with_empty_axes", noop));
    file.output("y", DataType.FLOAT, (Object[]) null);
    var graph = Agreement.check(Operators.bytes(file.model(18)), Map.of("x", x));
    Tensor y = requireNonNull(graph.run(Map.of("x", x)).get("y"));
    String name =
        fold + " of " + x.shape() + " over " + Arrays.toString(axes) + ", " + keeps + noop;
    var over =
        axes == null
            ? new int[0]
            : Arrays.stream(axes).mapToInt(a -> (int) (a < 0 ? a + x.rank() : a)).toArray();
    if (over.length == 0 && noop == 0) {
      over = IntStream.range(0, x.rank()).toArray();
    }
    boolean each = over.length == 0;
    var folded = over;
    assertThat(y.rank()).as(name).isEqualTo(keeps == 1 || each ? x.rank() : x.rank() - over.length);
    var right =
        each
            ? Arrays.stream(x.flatten().toDoubleArray())
                .map(v -> fold.of.applyAsDouble(new double[] {v}))
            : groups(x, folded).stream().mapToDouble(fold.of);
    assertThat(y.flatten().toDoubleArray()).as(name).containsExactly(right.toArray(), within(1e-5));
  }

  /** The numbers that each number of the result is made of, by indices alone. */
  private static List<double[]> groups(Tensor x, int[] axes) {
    var dims = x.shape().toArray();
    var values = x.flatten().toDoubleArray();
    var groups = new TreeMap<Integer, List<Double>>();
    for (int i = 0; i < values.length; i++) {
      int rest = i;
      int group = 0;
      int scale = 1;
      for (int axis = dims.length - 1; axis >= 0; axis--) {
        int at = rest % dims[axis];
        rest /= dims[axis];
        int here = axis;
        if (IntStream.of(axes).anyMatch(a -> a == here)) {
          continue;
        }
        group += at * scale;
        scale *= dims[axis];
      }
      groups.computeIfAbsent(group, _ -> new ArrayList<>()).add(values[i]);
    }
    return groups.values().stream()
        .map(list -> list.stream().mapToDouble(v -> v).toArray())
        .toList();
  }

  /** What comes of a chain of them: the norm of a mean is not below 0. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aNormOfASum(int keeps) {
    try (var scope = TensorScope.open()) {
      var file = new GraphWriter();
      file.input("x", DataType.FLOAT, 3);
      file.node("ReduceMean", "s", List.of("x"), attribute("keepdims", 0L));
      file.node("ReduceL2", "y", List.of("s"), attribute("keepdims", (long) keeps));
      file.output("y", DataType.FLOAT);
      var graph =
          Agreement.check(Operators.bytes(file.model()), Map.of("x", Tensor.of(-1f, -2f, -3f)));
      assertThat(graph.apply(Tensor.of(-1f, -2f, -3f)).item()).isEqualTo(2);
    }
  }

  /** So many numbers as ⌈(limit − start) / delta⌉ of the numbers as they are; ONNX Runtime says so, too. */
  @Test
  void ranges() {
    try (var scope = TensorScope.open()) {
      for (var row :
          new float[][] {
            {0, 0.3f, 0.1f, 4},
            {0, 1, 0.1f, 10},
            {1, 0, -0.3f, 4},
            {0, 1, 0.25f, 4},
            {2, 2, 1, 0},
            {2, 1, 1, 0},
            {-1, 0.7f, 0.1f, 17},
            {0, 5, 2, 3}
          }) {
        var file = new GraphWriter();
        for (var name : List.of("start", "limit", "delta")) {
          file.input(name, DataType.FLOAT);
        }
        file.node("Range", "y", List.of("start", "limit", "delta"));
        file.output("y", DataType.FLOAT, (Object[]) null);
        var in =
            Map.of(
                "start", Tensor.full(DType.F32, row[0]),
                "limit", Tensor.full(DType.F32, row[1]),
                "delta", Tensor.full(DType.F32, row[2]));
        Tensor y =
            requireNonNull(Agreement.check(Operators.bytes(file.model()), in).run(in).get("y"));
        assertThat(y.toDoubleArray())
            .as(Arrays.toString(row))
            .containsExactly(
                DoubleStream.iterate(0, i -> i + 1)
                    .limit((long) row[3])
                    .map(i -> row[0] + i * row[2])
                    .toArray(),
                within(1e-6));
      }
      // At the ends of I32, where limit − start takes 33 bits.
      var range = Operation.of("Range", 3, Map.of());
      assertThat(
              range
                  .apply(
                      Tensor.of(Shape.SCALAR, Integer.MIN_VALUE),
                      Tensor.of(Shape.SCALAR, Integer.MAX_VALUE),
                      Tensor.of(Shape.SCALAR, 2_000_000_000))
                  .toIntArray())
          .containsExactly(Integer.MIN_VALUE, -147_483_648, 1_852_516_352);
    }
  }

  /** What is taken 0 times is not read. */
  @Test
  void aProductWithoutItsSummand() {
    try (var scope = TensorScope.open()) {
      var file = new GraphWriter();
      file.input("a", DataType.FLOAT, 2, 3);
      file.input("c", DataType.FLOAT, 4);
      String b = file.constant("b", Philox.of(3).normal(DType.F32, 0, 1, 3, 4));
      file.node("Gemm", "y", List.of("a", b, "c"), attribute("beta", 0.0));
      file.output("y", DataType.FLOAT, 2, 4);
      Tensor c = Tensor.full(DType.F32, Double.POSITIVE_INFINITY, 4);
      Agreement.check(
          Operators.bytes(file.model()),
          Map.of("a", Philox.of(4).normal(DType.F32, 0, 1, 2, 3), "c", c));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2", "ArgMax"})
  void axesAreKeptOrNot(String operator) {
    try (var scope = TensorScope.open()) {
      for (var keeps : new long[] {-1, 2}) {
        var operation = Operation.of(operator, 1, Map.of("keepdims", keeps));
        assertThatThrownBy(() -> operation.apply(Tensor.ones(2, 3)))
            .hasMessageContaining("attribute keepdims is " + keeps + "; it can be 0 or 1");
      }
    }
  }

  @Test
  void ofEqualsTheFirstOrTheLastIsTaken() {
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.of(1f, 3f, 3f, 2f);
      for (var last : new long[] {0, 1}) {
        var operation = Operation.of("ArgMax", 1, Map.of("axis", 0L, "select_last_index", last));
        assertThat(operation.apply(x).toIntArray()).containsExactly(last == 0 ? 1 : 2);
      }
    }
  }
}
