package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every elementwise row in a kernel that is made of a composite, against the row by itself: the same
 * bits, and those of its gradients, at NaN, infinities, both zeros, subnormal and huge numbers.
 */
@Tag("cpu") // other devices have kernels of their own, or none
class RowEdgesTest {
  private static final double[] EDGES = {
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    0.0,
    -0.0,
    1,
    -1,
    0.5,
    -2.5,
    8.5,
    -8.5,
    1e-39,
    -1e-39,
    1e-300,
    -90,
    95,
    -720,
    715,
    3e38,
    -3e38,
    -1e300
  };

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void kernelsGiveWhatRowsGive(DType type) {
    assumeTrue(FusedContract.VECTORS, "no loops are made without the Vector API");
    List<String> wrong = new ArrayList<>();
    assertThat(bodies(type + "Bodies").toList()).contains("tanh", "exp", "sigmoid");
    List<String> without = new ArrayList<>();
    for (Op row : rows(type)) {
      try (var scope = TensorScope.open()) {
        int n = EDGES.length;
        // Each with each; of three, the third takes its turn.
        Tensor[] inputs = new Tensor[operands(row)];
        for (int k = 0; k < inputs.length; k++) {
          double[] values = new double[n * n];
          for (int i = 0; i < values.length; i++) {
            values[i] = EDGES[k == 0 ? i / n : k == 1 ? i % n : (i / n + 2 * (i % n)) % n];
          }
          inputs[k] = Tensor.of(values).cast(type).reshape(n, n);
        }
        var composite = new Composite("a user's", in -> new Tensor[] {value(row, in)});
        if (composite.fused(inputs) == null) {
          if (hasBody(row, type)) {
            without.add(row.toString());
          }
          continue;
        }
        Supplier<Tensor> byKernel = () -> Op.apply(composite, inputs);
        Supplier<Tensor> byRow = () -> value(row, inputs);
        compare(row + " of " + type, byKernel.get(), byRow.get(), inputs, wrong);
        var actual = Grad.orZero(() -> byKernel.get().sum(), inputs);
        var expected = Grad.orZero(() -> byRow.get().sum(), inputs);
        for (int i = 0; i < inputs.length; i++) {
          compare(
              "gradient " + i + " of " + row + " of " + type,
              actual.get(i),
              expected.get(i),
              inputs,
              wrong);
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(without).as("rows with a body that are in no kernel").isEmpty();
  }

  /** Whether there is a vector body of a row's name, of which a kernel could be made. */
  private static boolean hasBody(Op row, DType type) {
    return Stream.of("Any", type.name())
        .flatMap(of -> Stream.of(of + "Bodies", of + "Logarithms"))
        .flatMap(RowEdgesTest::bodies)
        .anyMatch(row.label()::equals);
  }

  private static Stream<String> bodies(String name) {
    try {
      Class<?> type = Class.forName("carousel.tensor.cpu.vector." + name);
      return Arrays.stream(type.getDeclaredMethods()).map(Method::getName);
    } catch (ClassNotFoundException none) {
      return Stream.empty();
    }
  }

  private static List<Op> rows(DType type) {
    return Stream.of(
            Arrays.stream(Unary.values())
                .filter(row -> row.domain().accepts(type) || row == Unary.NOT),
            Arrays.stream(Binary.values())
                .filter(row -> row.domain().accepts(type) || row.domain().accepts(DType.BOOL)),
            Arrays.stream(Ternary.values()))
        .<Op>flatMap(rows -> rows)
        .toList();
  }

  private static int operands(Op row) {
    return row instanceof Unary ? 1 : row instanceof Binary ? 2 : 3;
  }

  /** The row, with operands, and a result, that are made masks and are made of masks where it needs that. */
  private static Tensor value(Op row, Tensor[] in) {
    Tensor[] operands = in.clone();
    boolean logical =
        row == Unary.NOT || row == Binary.AND || row == Binary.OR || row == Binary.XOR;
    for (int i = 0; i < operands.length; i++) {
      if (logical || (row == Ternary.WHERE && i == 0)) {
        operands[i] = in[i].gt(0.5);
      }
    }
    Tensor y = Op.apply(row, operands);
    return y.dtype() == DType.BOOL ? Tensor.where(y, in[0], in[0].neg()) : y;
  }

  private static void compare(
      String what, Tensor actual, Tensor expected, Tensor[] inputs, List<String> wrong) {
    double[] a = actual.toDoubleArray();
    double[] e = expected.toDoubleArray();
    for (int i = 0; i < e.length; i++) {
      if (Double.compare(a[i], e[i]) != 0) {
        int at = i;
        wrong.add(
            what
                + " at "
                + Arrays.stream(inputs).map(x -> x.toDoubleArray()[at]).toList()
                + ": "
                + a[i]
                + ", by itself "
                + e[i]);
        return;
      }
    }
  }
}
