package carousel.tensor.golden;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Devices;
import carousel.tensor.contract.Rules;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Elementwise rows, values and rules, against PyTorch at the points where implementations go wrong. */
class ElementwiseGoldenTest {
  private static final double ULPS = 4;

  /** A row, and the scalars that follow its first operand. */
  private record Function(Op op, double... scalars) {}

  private static final Map<String, Function> UNARY =
      Map.ofEntries(
          entry("neg", new Function(Unary.NEG)),
          entry("abs", new Function(Unary.ABS)),
          entry("sign", new Function(Unary.SIGN)),
          entry("square", new Function(Unary.SQUARE)),
          entry("sqrt", new Function(Unary.SQRT)),
          entry("rsqrt", new Function(Unary.RSQRT)),
          entry("reciprocal", new Function(Unary.RECIPROCAL)),
          entry("exp", new Function(Unary.EXP)),
          entry("expm1", new Function(Unary.EXPM1)),
          entry("log", new Function(Unary.LOG)),
          entry("log1p", new Function(Unary.LOG1P)),
          entry("sin", new Function(Unary.SIN)),
          entry("cos", new Function(Unary.COS)),
          entry("tan", new Function(Unary.TAN)),
          entry("tanh", new Function(Unary.TANH)),
          entry("sigmoid", new Function(Unary.SIGMOID)),
          entry("relu", new Function(Unary.RELU)),
          entry("leakyRelu", new Function(Binary.LEAKY_RELU, 0.01)),
          entry("elu", new Function(Binary.ELU, 1)),
          entry("softplus", new Function(Unary.SOFTPLUS)),
          entry("silu", new Function(Unary.SILU)),
          entry("gelu", new Function(Unary.GELU)),
          entry("erf", new Function(Unary.ERF)),
          entry("floor", new Function(Unary.FLOOR)),
          entry("ceil", new Function(Unary.CEIL)),
          entry("round", new Function(Unary.ROUND)),
          entry("clamp", new Function(Ternary.CLAMP, -1, 1)),
          entry("isNan", new Function(Unary.IS_NAN)),
          entry("isFinite", new Function(Unary.IS_FINITE)));

  private static final Map<String, Op> BINARY =
      Map.ofEntries(
          entry("add", Binary.ADD),
          entry("sub", Binary.SUB),
          entry("mul", Binary.MUL),
          entry("div", Binary.DIV),
          entry("pow", Binary.POW),
          entry("max", Binary.MAX),
          entry("min", Binary.MIN),
          entry("eq", Binary.EQ),
          entry("ne", Binary.NE),
          entry("lt", Binary.LT),
          entry("le", Binary.LE),
          entry("gt", Binary.GT),
          entry("ge", Binary.GE));

  @Test
  void everyFunctionOfTheFilesIsHeldAgainstThem() {
    Set<String> unary = functions("unary-f64");
    // A test for infinity is not(isFinite or isNan).
    unary.remove("isInf");
    assertThat(UNARY.keySet()).isEqualTo(unary).isEqualTo(withoutIsInf(functions("unary-f32")));
    assertThat(BINARY.keySet())
        .isEqualTo(functions("binary-f64"))
        .isEqualTo(functions("binary-f32"));
  }

  private static Set<String> functions(String file) {
    Set<String> names = new TreeSet<>();
    for (String key : Golden.load(file).tensors().keySet()) {
      if (!key.equals("x") && !key.contains(".")) {
        names.add(key);
      }
    }
    return names;
  }

  private static Set<String> withoutIsInf(Set<String> names) {
    names.remove("isInf");
    return names;
  }

  private record Subject(Device device, DType dtype) {
    Golden golden(String family) {
      return Golden.load(family + "-" + (dtype == DType.F32 ? "f32" : "f64"));
    }

    Tensor tensor(Shape shape, double... values) {
      return Tensor.of(shape, values).cast(dtype);
    }
  }

  private static Stream<Subject> subjects() {
    return Devices.underTest().stream()
        .flatMap(d -> Stream.of(new Subject(d, DType.F64), new Subject(d, DType.F32)));
  }

  @TestFactory
  Stream<DynamicTest> unaryValuesAndRules() {
    return subjects()
        .flatMap(s ->
            UNARY.entrySet().stream()
                .map(f ->
                    DynamicTest.dynamicTest(
                        f.getKey() + " " + s, () -> checkUnary(s, f.getKey(), f.getValue()))));
  }

  private static void checkUnary(Subject s, String name, Function f) {
    Golden golden = s.golden("unary");
    double[] points = golden.values("x");
    try (var scope = TensorScope.open(s.device)) {
      List<Tensor> inputs = new ArrayList<>(List.of(s.tensor(Shape.of(points.length), points)));
      for (double scalar : f.scalars) {
        inputs.add(inputs.getFirst().scalarLike(scalar));
      }
      Tensor[] in = inputs.toArray(Tensor[]::new);
      Tensor[] y = f.op.evaluate(in);
      DoublePredicate accident = accident(name);
      double floor = Exemptions.imprecise(name, s.dtype);
      Close.check(
          name + " " + s,
          y[0].toDoubleArray(),
          golden.tensor(name),
          ULPS,
          floor,
          i -> accident.test(points[i]));
      if (golden.tensors().containsKey(name + ".dx") && f.op.vjp().flows(0)) {
        Tensor dx = Rules.pull(f.op, in, y, y[0].onesLike())[0];
        assertThat(dx).isNotNull();
        Close.check(
            name + ".dx " + s,
            java.util.Objects.requireNonNull(dx).toDoubleArray(),
            golden.tensor(name + ".dx"),
            2 * ULPS,
            Exemptions.imprecise(name + ".dx", s.dtype),
            i -> Exemptions.derivative(name, points[i]));
      }
    }
  }

  private static DoublePredicate accident(String name) {
    return x -> Exemptions.value(name, x);
  }

  @TestFactory
  Stream<DynamicTest> binaryValuesAndRules() {
    return subjects()
        .flatMap(s ->
            BINARY.entrySet().stream()
                .map(f ->
                    DynamicTest.dynamicTest(
                        f.getKey() + " " + s, () -> checkBinary(s, f.getKey(), f.getValue()))));
  }

  private static void checkBinary(Subject s, String name, Op op) {
    Golden golden = s.golden("binary");
    double[] points = golden.values("x");
    int n = points.length;
    try (var scope = TensorScope.open(s.device)) {
      Tensor a = s.tensor(Shape.of(n, 1), points).expand(n, n);
      Tensor b = s.tensor(Shape.of(n), points).expand(n, n);
      Tensor[] in = {a, b};
      Tensor[] y = op.evaluate(in);
      Close.check(name + " " + s, y[0].toDoubleArray(), golden.tensor(name), ULPS, 0, i -> false);
      if (op.vjp().flows(0)) {
        var pulled = Rules.pull(op, in, y, y[0].onesLike());
        String[] keys = {name + ".da", name + ".db"};
        for (int k = 0; k < 2; k++) {
          int side = k;
          Close.check(
              keys[k] + " " + s,
              java.util.Objects.requireNonNull(pulled[k]).toDoubleArray(),
              golden.tensor(keys[k]),
              4 * ULPS,
              0,
              i -> Exemptions.derivative(keys[side], points[i / n], points[i % n]));
        }
      }
    }
  }
}
