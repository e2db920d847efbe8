package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.Arrays;

/** Holds the fused kernel of a composite to the composite's body: outputs and every gradient. */
public final class FusedContract {
  private FusedContract() {}

  /**
   * Fails unless the innermost scope's backend has a kernel for these inputs that agrees with the
   * body.
   *
   * @param composite what is fused
   * @param tolerance the largest difference, relative to the larger of 1 and the value
   * @param inputs its inputs; gradients are compared for the floating ones
   */
  public static void check(Composite composite, double tolerance, Tensor... inputs) {
    try (var scope = Scope.open()) {
      assertThat(composite.fused(inputs)).as("a kernel for " + composite.label()).isNotNull();
      Tensor[] expected = composite.body().apply(inputs);
      Tensor[] actual = Op.applyAll(composite, inputs);
      assertThat(actual).hasSameSizeAs(expected);
      for (int k = 0; k < expected.length; k++) {
        same("output " + k, actual[k], expected[k], tolerance);
      }
      Tensor[] leaves =
          Arrays.stream(inputs).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
      var byBody = Grad.orZero(() -> weighted(composite.body().apply(inputs)), leaves);
      var byKernel = Grad.orZero(() -> weighted(Op.applyAll(composite, inputs)), leaves);
      for (int i = 0; i < leaves.length; i++) {
        same("gradient " + i, byKernel.get(i), byBody.get(i), tolerance);
      }
    }
  }

  /** A scalar in which every element of every output has a weight of its own. */
  private static Tensor weighted(Tensor... outputs) {
    var rng = Philox.of(17);
    Tensor sum = Tensor.zerosAs(outputs[0], Shape.SCALAR);
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
