package carousel.nn.kernels;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A composite and what it is applied to, with what its body gives: outputs, and the
 * gradients of all floating inputs, each output with a cotangent of its own.
 */
final class KernelCase {

  private final Composite op;
  private final Tensor[] inputs;
  private final Tensor[] cotangents;
  private final List<double[]> expected = new ArrayList<>();

  private KernelCase(Composite op, Tensor... inputs) {
    this.op = op;
    this.inputs = inputs;
    Tensor[] leaves = Arrays.stream(inputs).filter(KernelCase::isLeaf).toArray(Tensor[]::new);
    Tensor[] outputs = FusedContract.BODIES.run(() -> op.body().apply(inputs));
    var rng = Philox.of(11);
    this.cotangents =
        Arrays.stream(outputs)
            .map(y -> rng.normal(y.dtype(), 0, 1, y.shape().toArray()))
            .toArray(Tensor[]::new);
    for (Tensor output : outputs) {
      expected.add(output.toDoubleArray());
    }
    var gradients = FusedContract.BODIES.run(() -> Grad.orZero(this::flow, leaves));
    for (int i = 0; i < leaves.length; i++) {
      expected.add(gradients.get(i).toDoubleArray());
    }
  }

  private static boolean isLeaf(Tensor input) {
    return input.dtype().isFloating();
  }

  /** The sum whose gradient is wanted. */
  private Tensor flow() {
    Tensor[] outputs = op.body().apply(inputs);
    Tensor sum = Tensor.zerosAs(outputs[0], Shape.SCALAR);
    for (int k = 0; k < outputs.length; k++) {
      sum = sum.add(outputs[k].mul(cotangents[k]).sum());
    }
    return sum;
  }

  /**
   * The composites that are applied while something runs.
   *
   * @param wanted which of them
   * @param run applies them; what it is given lives on in the current scope
   */
  static List<KernelCase> of(Predicate<Composite> wanted, Supplier<?> run) {
    record Use(Composite op, Tensor... inputs) {}
    List<Use> uses = new ArrayList<>();
    var outside = Scope.current();
    Interpreter watch =
        (op, in) -> {
          if (op instanceof Composite composite && wanted.test(composite)) {
            uses.add(new Use(composite, in.clone()));
            Arrays.stream(in).forEach(outside::adopt);
          }
          return Interpreter.EAGER.apply(op, in);
        };
    try (var scope = Scope.openUnwatched()) {
      watch.run(run);
    }
    return uses.stream().map(use -> new KernelCase(use.op(), use.inputs())).toList();
  }

  /** The same for a composite by itself. */
  static KernelCase of(Composite op, Tensor... inputs) {
    return new KernelCase(op, inputs);
  }

  /** Whether some rows end early: what is computed for them then is read by nobody. */
  boolean isRagged() {
    return op.body() instanceof Scan scan && scan.inputs().ragged();
  }

  /** Its kernel; null if there is none. */
  @Nullable Fused kernel() {
    return op.fused(inputs);
  }

  /**
   * Whether the kernel gives something else than the body.
   *
   * @param around runs the kernel
   */
  boolean differs(Consumer<Runnable> around) {
    try (var scope = Scope.open()) {
      boolean[] wanted = new boolean[inputs.length];
      for (int i = 0; i < wanted.length; i++) {
        wanted[i] = isLeaf(inputs[i]);
      }
      Fused fused = Objects.requireNonNull(kernel(), op.label());
      List<@Nullable Tensor> actual = new ArrayList<>();
      around.accept(() -> {
        Fused.Result result = fused.forward(inputs);
        actual.addAll(List.of(result.outputs()));
        @Nullable Tensor[] gradients = fused.backward(inputs, result, cotangents, wanted);
        for (int i = 0; i < wanted.length; i++) {
          if (wanted[i]) {
            actual.add(gradients[i]);
          }
        }
      });
      for (int i = 0; i < expected.size(); i++) {
        Tensor values = actual.get(i);
        double[] numbers =
            values == null ? new double[expected.get(i).length] : values.toDoubleArray();
        if (differ(numbers, expected.get(i))) {
          return true;
        }
      }
      return false;
    }
  }

  private boolean differ(double[] actual, double... expected) {
    double tolerance = cotangents[0].dtype() == DType.F32 ? 2e-4 : 1e-11;
    double size = 1;
    for (double e : expected) {
      size = Math.max(size, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance * size)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String toString() {
    return op.label();
  }
}
