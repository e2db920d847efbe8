package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every row has its line on the facade, under its name, and every overload applies that row. */
class FacadeTest {
  private record Line(Op row, Domain domain, String method) {}

  private static Stream<Line> rows() {
    return Stream.of(
            Arrays.stream(Unary.values()).map(r -> new Line(r, r.domain(), r.label())),
            Arrays.stream(Binary.values()).map(r -> new Line(r, r.domain(), r.method())),
            Arrays.stream(Ternary.values()).map(r -> new Line(r, r.domain(), r.label())))
        .flatMap(s -> s);
  }

  @TestFactory
  Stream<DynamicTest> elementwiseRows() {
    return rows().map(line -> DynamicTest.dynamicTest(line.method, () -> check(line)));
  }

  private static void check(Line line) throws ReflectiveOperationException {
    try (var scope = TensorScope.open()) {
      List<Method> overloads =
          Arrays.stream(Tensor.class.getMethods())
              .filter(m -> m.getName().equals(line.method) && m.getReturnType() == Tensor.class)
              .filter(m -> isScalarOrTensor(m.getParameterTypes()))
              .toList();
      assertThat(overloads).as("Tensor.%s", line.method).isNotEmpty();
      DType type = line.domain == Domain.LOGICAL ? DType.BOOL : DType.F64;
      Tensor x = Tensor.ones(type, 2);
      for (Method m : overloads) {
        Object[] arguments =
            Arrays.stream(m.getParameterTypes())
                .map(p -> p == double.class ? (Object) 2.0 : x)
                .toArray();
        if (line.row == Ternary.WHERE) {
          arguments[0] = x.gt(0);
        }
        assertThat(applied(m, x, arguments)).as("%s", m).containsExactly(line.row);
      }
      if (line.row instanceof Binary && line.domain != Domain.LOGICAL) {
        assertThat(overloads).as("with a tensor and with a scalar").hasSize(2);
      }
    }
  }

  private static boolean isScalarOrTensor(Class<?>... parameters) {
    return Arrays.stream(parameters).allMatch(p -> p == double.class || p == Tensor.class);
  }

  private static List<Op> applied(Method method, Tensor x, Object... arguments) {
    List<Op> ops = new ArrayList<>();
    Interpreter recorder =
        (op, inputs) -> {
          ops.add(op);
          return op.evaluate(inputs);
        };
    return recorder.run(() -> {
      try {
        method.invoke(x, arguments);
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(method + " fails", e);
      }
      return ops;
    });
  }

  @TestFactory
  Stream<DynamicTest> reductions() {
    return Arrays.stream(Reduce.values())
        .map(row -> DynamicTest.dynamicTest(row.label(), () -> check(row)));
  }

  private static void check(Reduce row) {
    try (var scope = TensorScope.open()) {
      // Floating products are trees, so that their gradient is exact; whole ones are this row.
      DType type =
          switch (row) {
            case PROD -> DType.I32;
            case ANY, ALL -> DType.BOOL;
            default -> DType.F64;
          };
      Tensor x = Tensor.ones(type, 2, 3);
      int tried = 0;
      for (Method m : Tensor.class.getMethods()) {
        Class<?>[] parameters = m.getParameterTypes();
        if (!m.getName().equalsIgnoreCase(row.label()) || m.getReturnType() != Tensor.class) {
          continue;
        }
        Object[] arguments =
            Arrays.stream(parameters)
                .map(p -> p == boolean.class ? (Object) true : p == int.class ? 1 : new int[] {1})
                .toArray();
        assertThat(applied(m, x, arguments))
            .as("%s", m)
            .startsWith(new ReduceAxes(row, List.of(1)))
            .hasSizeLessThanOrEqualTo(2);
        tried++;
      }
      assertThat(tried).as("overloads of %s", row).isPositive();
    }
  }
}
