package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Compares a kernel that a tape meets for the first time with the code it was made of: the results, and
 * what flows back from cotangents of its own choice.
 */
public final class KernelCheck {
  private KernelCheck() {}

  /** Whether a pointwise composite's kernel may be used; a recurrence is compared by who runs it. */
  static boolean agrees(Composite op, Fused fused, Tensor... inputs) {
    Object kernel = fused.identity();
    if (Agreement.isRefused(kernel)) {
      return false;
    }
    if (op.body() instanceof Scan || !Agreement.isDue(kernel, op.isFixed(), true)) {
      return true;
    }
    Tensor[] leaves =
        Arrays.stream(inputs).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
    return agrees(
        kernel,
        op.label(),
        true,
        () -> List.of(unchecked(op, fused, inputs)),
        () -> List.of(op.body().apply(inputs)),
        leaves);
  }

  private static Tensor[] unchecked(Composite op, Fused fused, Tensor... inputs) {
    return Interpreter.current() instanceof Tape tape
        ? tape.unchecked(op, fused, inputs)
        : fused.forward(inputs).outputs();
  }

  /**
   * Compares code that runs as a kernel with the same code op by op.
   *
   * @param kernel what two kernels share that compute the same
   * @param name of the code, for the log
   * @param gradients whether to compare gradients, too
   * @param fast runs the kernel
   * @param slow runs the code
   * @param leaves what gradients are taken by
   * @return whether they agree
   */
  public static boolean agrees(
      Object kernel,
      String name,
      boolean gradients,
      Supplier<List<Tensor>> fast,
      Supplier<List<Tensor>> slow,
      Tensor... leaves) {
    return Interpreter.EAGER.run(() -> {
      try (var scope = TensorScope.openUnwatched()) {
        if (!gradients) {
          return Agreement.agree(kernel, name, false, fast.get(), slow.get());
        }
        List<Tensor> actual = new ArrayList<>();
        List<Tensor> expected = new ArrayList<>();
        List<Tensor> actualGradients = pulled(scope, fast, actual, leaves);
        List<Tensor> expectedGradients = pulled(scope, slow, expected, leaves);
        return Agreement.agree(kernel, name, false, actual, expected)
            && Agreement.agree(kernel, name, true, actualGradients, expectedGradients);
      }
    });
  }

  private static List<Tensor> pulled(
      TensorScope scope, Supplier<List<Tensor>> code, List<Tensor> results, Tensor... leaves) {
    Gradients gradients = Grad.orZero(() -> weighted(scope, code.get(), results), leaves);
    List<Tensor> list = new ArrayList<>();
    for (int i = 0; i < leaves.length; i++) {
      list.add(gradients.get(i));
    }
    return list;
  }

  /** A scalar in which elements of the results have weights of their own. */
  private static Tensor weighted(TensorScope scope, List<Tensor> results, List<Tensor> kept) {
    Tensor sum = null;
    for (Tensor y : results) {
      kept.add(scope.adopt(y));
      if (y.dtype().isFloating()) {
        Tensor term = y.mul(weights(y)).sum();
        sum = sum == null ? term : sum.add(term);
      }
    }
    return sum == null ? Tensor.zeros(DType.F32) : sum;
  }

  /** Numbers without a pattern; none that a generator draws, whose position is not to change. */
  private static Tensor weights(Tensor y) {
    double[] weights = new double[Math.toIntExact(y.size())];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.sin(1 + 12.9898 * i);
    }
    return Tensor.of(y.shape(), weights).to(y.device()).cast(y.dtype());
  }
}
