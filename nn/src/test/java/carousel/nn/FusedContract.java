package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Holds the fused kernel of a composite to the composite's body: outputs; gradients for every subset
 * of the inputs, none among them, and of every output by itself; second derivatives, which go through
 * the body.
 */
public final class FusedContract {
  /** Whether kernels are made of bodies: their loops need the Vector API. */
  public static final boolean VECTORS = !"off".equals(System.getProperty("carousel.vector"));

  /** Runs every composite by its body. */
  public static final Interpreter BODIES =
      (op, inputs) ->
          op instanceof Composite composite
              ? composite.body().apply(inputs)
              : Interpreter.EAGER.apply(op, inputs);

  private FusedContract() {}

  /** Of these cells, those that {@code -Dcarousel.cells=lstm,odd-TESTS} names; all without it. */
  public static Stream<String> chosen(Stream<String> cells) {
    String property = System.getProperty("carousel.cells");
    if (property == null) {
      return cells;
    }
    var some = List.of(property.split(","));
    return cells.filter(cell -> some.contains(cell.replace(' ', '-')));
  }

  /**
   * Fails unless the innermost scope's backend has a kernel for these inputs that agrees with the
   * body. Another than the CPU may have none: then the calling test is skipped.
   *
   * @param composite what is fused
   * @param tolerance the largest difference, relative to the larger of 1 and the value
   * @param inputs its inputs; gradients are compared for the floating ones
   */
  public static void check(Composite composite, double tolerance, Tensor... inputs) {
    try (var scope = TensorScope.open()) {
      Device device = TensorScope.current().device();
      if (composite.fused(inputs) == null && device != Device.cpu()) {
        Assumptions.abort(
            "no kernel for " + composite.label() + " on " + device + ": runs its body");
      }
      assertThat(composite.fused(inputs)).as("a kernel for " + composite.label()).isNotNull();
      Tensor[] expected = composite.body().apply(inputs);
      Tensor[] actual = Op.applyAll(composite, inputs);
      assertThat(actual).hasSameSizeAs(expected);
      Tensor[] leaves =
          Arrays.stream(inputs).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
      for (int k = 0; k < expected.length; k++) {
        int only = k;
        same("output " + k, actual[k], expected[k], tolerance);
        gradients(
            "of output " + k,
            () -> weighted(Op.applyAll(composite, inputs)[only]),
            () -> weighted(composite.body().apply(inputs)[only]),
            tolerance,
            leaves);
      }
      nothingWanted(composite, inputs);
      Supplier<Tensor> byKernel = () -> weighted(Op.applyAll(composite, inputs));
      Supplier<Tensor> byBody = () -> weighted(composite.body().apply(inputs));
      for (int wanted = 1; wanted < 1 << leaves.length; wanted++) {
        int some = wanted;
        Tensor[] subset =
            IntStream.range(0, leaves.length)
                .filter(i -> (some >> i & 1) == 1)
                .mapToObj(i -> leaves[i])
                .toArray(Tensor[]::new);
        gradients("for subset " + wanted, byKernel, byBody, tolerance, subset);
      }
      var rng = Philox.of(23);
      List<Tensor> directions =
          Arrays.stream(leaves).map(x -> rng.normal(x.dtype(), 0, 1, x.shape().toArray())).toList();
      var second = Grad.hvp(byKernel, List.of(leaves), directions);
      var expectedSecond = Grad.hvp(byBody, List.of(leaves), directions);
      for (int i = 0; i < leaves.length; i++) {
        same("second gradient " + i, second.get(i), expectedSecond.get(i), tolerance);
      }
    }
  }

  private static void nothingWanted(Composite composite, Tensor... inputs) {
    var fused = Objects.requireNonNull(composite.fused(inputs));
    var result = fused.forward(inputs);
    Tensor[] cotangents = result.outputs();
    assertThat(fused.backward(inputs, result, cotangents, new boolean[inputs.length]))
        .as("gradients where none is wanted")
        .hasSize(inputs.length)
        .containsOnlyNulls();
  }

  private static void gradients(
      String what,
      Supplier<Tensor> byKernel,
      Supplier<Tensor> byBody,
      double tolerance,
      Tensor... leaves) {
    var actual = Grad.orZero(byKernel, leaves);
    var expected = Grad.orZero(byBody, leaves);
    for (int i = 0; i < leaves.length; i++) {
      same("gradient " + i + " " + what, actual.get(i), expected.get(i), tolerance);
    }
  }

  /** A scalar in which every element of every output has a weight of its own. */
  private static Tensor weighted(Tensor... outputs) {
    var rng = Philox.of(17);
    Tensor sum = outputs[0].zerosLike(Shape.SCALAR);
    for (Tensor y : outputs) {
      sum = sum.add(y.mul(rng.normal(y.dtype(), 0, 1, y.shape().toArray())).sum());
    }
    return sum;
  }

  private static void same(String what, Tensor actual, Tensor expected, double tolerance) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    assertThat(actual.dtype()).as(what).isEqualTo(expected.dtype());
    double[] a = actual.cast(DType.F64).toDoubleArray();
    double[] e = expected.cast(DType.F64).toDoubleArray();
    for (int i = 0; i < e.length; i++) {
      boolean close =
          Double.compare(a[i], e[i]) == 0
              || Math.abs(a[i] - e[i]) <= tolerance * Math.max(1, Math.abs(e[i]));
      assertThat(close).as("%s at %d: %s, by the body %s", what, i, a[i], e[i]).isTrue();
    }
  }
}
