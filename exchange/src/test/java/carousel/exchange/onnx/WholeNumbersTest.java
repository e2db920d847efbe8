package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole numbers of 64 bits are right or refused, never wrapped: every operator that computes of them, held
 * against BigInteger at the ends of I32 and where products leave it, when a model runs and when it is read.
 */
class WholeNumbersTest {
  private static final int MIN = Integer.MIN_VALUE;
  private static final int MAX = Integer.MAX_VALUE;

  private static final List<Integer> NUMBERS =
      List.of(
          MIN, MIN + 1, -70_000, -46_341, -7, -1, 0, 1, 2, 3, 46_340, 46_341, 70_000, MAX - 1, MAX);

  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** An operator and what it computes of whole numbers. */
  record Row(String operator, int operands, Function<List<BigInteger>, BigInteger> exact) {
    @Override
    public String toString() {
      return operator;
    }
  }

  private static Row two(String operator, BinaryOperator<BigInteger> exact) {
    return new Row(operator, 2, x -> exact.apply(x.getFirst(), x.getLast()));
  }

  static Stream<Row> rows() {
    return Stream.of(
        new Row("Abs", 1, x -> x.getFirst().abs()),
        new Row("Neg", 1, x -> x.getFirst().negate()),
        new Row("Identity", 1, List::getFirst),
        new Row("ReduceSumSquare", 1, x -> x.getFirst().pow(2)),
        new Row("ReduceMean", 1, List::getFirst),
        two("Add", BigInteger::add),
        two("Sub", BigInteger::subtract),
        two("Mul", BigInteger::multiply),
        two("Div", BigInteger::divide),
        two("Sum", BigInteger::add),
        two("Max", BigInteger::max),
        two("Min", BigInteger::min),
        two("MatMul", BigInteger::multiply));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void everyOperatorIsRightOrRefuses(Row row) {
    for (var folded : List.of(false, true)) {
      int refused = 0;
      for (var a : NUMBERS) {
        for (var b : row.operands == 1 ? List.of(1) : NUMBERS) {
          if (row.operator.equals("Div") && b == 0) {
            continue;
          } // see below
          var operands = row.operands == 1 ? List.of(a) : List.of(a, b);
          var right = row.exact.apply(operands.stream().map(BigInteger::valueOf).toList());
          refused += check(row.operator, operands, right, folded) ? 0 : 1;
        }
      }
      boolean always = List.of("Identity", "ReduceMean", "Max", "Min").contains(row.operator);
      assertThat(refused > 0).as("refuses some").isEqualTo(!always);
    }
  }

  /** Whether it was computed. */
  private static boolean check(
      String operator, List<Integer> operands, BigInteger right, boolean folded) {
    String name = operator + operands + (folded ? ", constants" : "");
    var shape = operator.equals("MatMul") ? new int[] {1, 1} : new int[] {1};
    if (right.bitLength() > 31) {
      assertThatThrownBy(() -> computed(operator, operands, shape, folded))
          .as(name)
          .isInstanceOfAny(TensorException.class, OnnxException.class)
          .hasMessageContaining("'y'")
          // F64 says it of 53 bits.
          .hasMessageContaining(right.bitLength() > 53 ? "gives " : "gives " + right + ", which")
          .hasMessageContaining("which is no whole number of 32 bits");
      return false;
    }
    assertThat(computed(operator, operands, shape, folded).flatten().toIntArray())
        .as(name)
        .containsExactly(right.intValueExact());
    return true;
  }

  private static Tensor computed(
      String operator, List<Integer> operands, int[] shape, boolean folded) {
    var file = new GraphWriter();
    var names = new ArrayList<String>();
    var inputs = new HashMap<String, Tensor>();
    for (int i = 0; i < operands.size(); i++) {
      Tensor x = Tensor.of(Shape.of(shape), operands.get(i));
      if (folded) {
        names.add(file.constant("x" + i, DataType.INT64, x));
      } else {
        names.add(file.input("x" + i, DataType.INT64, dims(shape)));
        inputs.put("x" + i, x);
      }
    }
    file.node(operator, "y", names);
    file.output("y", DataType.INT64, (Object[]) null);
    return requireNonNull(Onnx.parse(Operators.bytes(file.model())).run(inputs).get("y"));
  }

  private static Object[] dims(int[] shape) {
    return Arrays.stream(shape).boxed().toArray();
  }

  /** The rest of the operators leave whole numbers as they are, or make truths or sizes of them. */
  @Test
  void thereIsARowForEachOperatorThatComputesOfWholeNumbers() {
    Tensor x = Tensor.of(Shape.of(2), MIN, MAX);
    var rows = rows().map(Row::operator).toList();
    var safe =
        List.of(
            "ArgMax",
            "Cast",
            "Clip",
            "Concat",
            "Equal",
            "Expand",
            "Flatten",
            "Gather",
            "Greater",
            "GreaterOrEqual",
            "Less",
            "LessOrEqual",
            "Range",
            "ReduceMax",
            "ReduceMin",
            "Reshape",
            "Shape",
            "Sign",
            "Size",
            "Slice",
            "Split",
            "Squeeze",
            "Transpose",
            "Unsqueeze",
            "Where",
            "Pow",
            "ReduceSum",
            "Relu",
            "ThresholdedRelu");
    for (var operator : Semantics.names()) {
      if (rows.contains(operator) || safe.contains(operator)) {
        continue;
      }
      var row = requireNonNull(Semantics.find(operator));
      for (int count = row.least(); count <= Math.min(row.most(), 3); count++) {
        var operation = Operation.of(operator, count, Map.of());
        var in = new Tensor[count];
        Arrays.fill(in, x);
        assertThat(catchThrowable(() -> operation.apply(in)))
            .as(operator)
            .isInstanceOf(TensorException.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void powers(boolean folded) {
    for (var a : NUMBERS) {
      for (var b : List.of(-3, -1, 0, 1, 2, 3, 5, 30, 31, 32)) {
        if (a == 0 && b < 0) {
          continue;
        }
        var right =
            b >= 0
                ? BigInteger.valueOf(a).pow(b)
                : BigDecimal.ONE
                    .divide(BigDecimal.valueOf(a).pow(-b), 100, RoundingMode.DOWN)
                    .toBigInteger();
        if (right.bitLength() <= 31) {
          check("Pow", List.of(a, b), right, folded);
        } else {
          assertThatThrownBy(() -> computed("Pow", List.of(a, b), new int[] {1}, folded))
              .hasMessageContaining("which is no whole number of 32 bits");
        }
      }
    }
    assertThatThrownBy(() -> computed("Pow", List.of(0, -1), new int[] {1}, folded))
        .hasMessageContaining("gives Infinity, which is no whole number");
  }

  @ParameterizedTest
  @EnumSource(names = {"ReduceSum", "ReduceSumSquare", "ReduceMean", "MatMul"})
  void sumsOfMany(Fold fold) {
    for (var numbers :
        List.of(
            new int[] {MAX, MAX, MIN, MIN},
            new int[] {MAX, 1, 1, -2},
            new int[] {7, -2, -8, 1},
            new int[] {46_000, 1, 1, 1},
            new int[] {30_000, 30_000, 30_000, 1})) {
      var right = fold.of(numbers);
      var operation =
          fold == Fold.MatMul
              ? Operation.of("MatMul", 2, Map.of())
              : Operation.of(fold.name(), 1, Map.of("keepdims", 0L));
      Tensor x = Tensor.of(numbers);
      var in = fold == Fold.MatMul ? new Tensor[] {x, x} : new Tensor[] {x};
      if (right.bitLength() > 31) {
        assertThatThrownBy(() -> operation.apply(in)).isInstanceOf(TensorException.class);
      } else {
        assertThat((long) operation.apply(in).item()).isEqualTo(right.longValueExact());
      }
    }
  }

  enum Fold {
    ReduceSum,
    ReduceSumSquare,
    ReduceMean,
    MatMul;

    BigInteger of(int[] numbers) {
      var all = Arrays.stream(numbers).mapToObj(BigInteger::valueOf).toList();
      var sum = all.stream().reduce(BigInteger.ZERO, BigInteger::add);
      var squares = all.stream().map(x -> x.pow(2)).reduce(BigInteger.ZERO, BigInteger::add);
      return switch (this) {
        case ReduceSum -> sum;
        case ReduceMean -> sum.divide(BigInteger.valueOf(numbers.length));
        case ReduceSumSquare, MatMul -> squares;
      };
    }
  }

  @Test
  void aWholeNumberIsNotDividedByZero() {
    for (var folded : List.of(false, true)) {
      for (var a : NUMBERS) {
        assertThatThrownBy(() -> computed("Div", List.of(a, 0), new int[] {1}, folded))
            .isInstanceOfAny(TensorException.class, OnnxException.class)
            .hasMessageContaining("'y'")
            .hasMessageContaining("a whole number is divided by 0");
      }
    }
  }

  @Test
  void aProductThatWouldBeRoundedIsRefused() {
    // MAX·MAX − MAX·MAX + 1: the sum fits, its parts take 62 bits each.
    Tensor a = Tensor.of(Shape.of(1, 3), MAX, MAX, 1);
    Tensor b = Tensor.of(Shape.of(3, 1), MAX, -MAX, 1);
    assertThatThrownBy(() -> Operation.of("MatMul", 2, Map.of()).apply(a, b))
        .hasMessageContaining("no whole number of 32 bits");
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void castsToWholeNumbersAreCutOrRefused(DType type) {
    for (var to : List.of(DataType.INT64, DataType.INT32)) {
      var cast = Operation.of("Cast", 1, Map.of("to", (long) to.code()));
      for (var x : new double[] {0, -0.9, 1.9, -1.5, 1e9, MIN, 2_147_483_520}) {
        assertThat(cast.apply(Tensor.full(type, x)).item()).isEqualTo((double) (long) x);
      }
      for (var x :
          new double[] {
            5e12,
            -5e12,
            2_147_483_648.0,
            -2_147_483_904.0,
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY
          }) {
        assertThatThrownBy(() -> cast.apply(Tensor.full(type, x)))
            .as(x + "")
            .hasMessageContaining("which is no whole number of 32 bits");
      }
    }
    assertThat(
            Operation.of("Cast", 1, Map.of("to", 7L))
                .apply(Tensor.of(DType.BOOL, Shape.of(2), new double[] {0, 1}))
                .toIntArray())
        .containsExactly(0, 1);
  }

  /** Of a view, which needs no memory. */
  @Test
  void sizesPast32BitsAreRefused() {
    Tensor x = Tensor.ones(1, 1, 1).expand(2, 50_000, 50_000);
    for (var axis : new long[] {1, 3}) {
      assertThatThrownBy(() -> Operation.of("Flatten", 1, Map.of("axis", axis)).apply(x))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining(
              "gives "
                  + (axis == 1 ? "2500000000" : "5000000000")
                  + ", which is no whole number of 32");
    }
  }

  @Test
  void numbersPast32BitsAreNotCutOnTheirWayOut() {
    var bytes =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(3_000_000_000L).array();
    var file = new GraphWriter();
    file.raw("y", DataType.INT64, Shape.SCALAR, bytes);
    file.output("y", DataType.INT64);
    assertThatThrownBy(() -> Onnx.parse(Operators.bytes(file.model())))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("numbers past 32 bits, 'y'");
    for (var attribute :
        List.of(
            attribute("value_int", 3_000_000_000L),
            new WireWriter().text(1, "value_ints").integer(8, 3_000_000_000L).integer(20, 7))) {
      var constant = new GraphWriter();
      constant.node("Constant", "c", List.of(), attribute);
      constant.node("Neg", "y", List.of("c"));
      constant.output("y", DataType.INT64, (Object[]) null);
      assertThatThrownBy(() -> Onnx.parse(Operators.bytes(constant.model())))
          .isInstanceOf(OnnxException.class)
          .hasMessageContaining("node 'y' (Neg): reads numbers past 32 bits, 'c'");
    }
  }
}
