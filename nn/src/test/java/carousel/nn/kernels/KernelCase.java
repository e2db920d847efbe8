package carousel.nn.kernels;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import carousel.tensor.reference.ReferenceBackend;
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

  private KernelCase(Composite op, Tensor[] inputs, Tensor... outputs) {
    this.op = op;
    this.inputs = inputs;
    var rng = Philox.of(11);
    this.cotangents =
        Arrays.stream(outputs)
            .map(y -> rng.normal(y.dtype(), 0, 1, y.shape().toArray()))
            .toArray(Tensor[]::new);
    for (Tensor output : outputs) {
      expected.add(output.toDoubleArray());
    }
  }

  /** As the body says. */
  private static KernelCase ofBody(Composite op, Tensor... inputs) {
    Tensor[] outputs = FusedContract.BODIES.run(() -> op.body().apply(inputs));
    var made = new KernelCase(op, inputs, outputs);
    Tensor[] leaves = Arrays.stream(inputs).filter(KernelCase::isLeaf).toArray(Tensor[]::new);
    var gradients = FusedContract.BODIES.run(() -> Grad.orZero(made::flow, leaves));
    for (int i = 0; i < leaves.length; i++) {
      made.expected.add(gradients.get(i).toDoubleArray());
    }
    return made;
  }

  /** As the graph of a step says, some of whose inputs are computed before the body is asked. */
  private static KernelCase ofGraph(Composite op, Tensor... inputs) {
    var device = Device.of("graph", new ReferenceBackend());
    Tensor[] in = Arrays.stream(inputs).map(x -> x.to(device)).toArray(Tensor[]::new);
    Fused graph = Objects.requireNonNull(op.fused(in), op.label());
    Fused.Result result = graph.forward(in);
    Tensor[] outputs =
        Arrays.stream(result.outputs()).map(y -> y.to(inputs[0].device())).toArray(Tensor[]::new);
    var made = new KernelCase(op, inputs, outputs);
    Tensor[] g = Arrays.stream(made.cotangents).map(x -> x.to(device)).toArray(Tensor[]::new);
    boolean[] wanted = new boolean[in.length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = isLeaf(in[i]);
    }
    for (Tensor gradient : graph.backward(in, result, g, wanted)) {
      if (gradient != null) {
        made.expected.add(gradient.toDoubleArray());
      }
    }
    return made;
  }

  private static boolean isLeaf(Tensor input) {
    return input.dtype().isFloating();
  }

  /** The sum whose gradient is wanted. */
  private Tensor flow() {
    Tensor[] outputs = op.body().apply(inputs);
    Tensor sum = outputs[0].zerosLike(Shape.SCALAR);
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
    return all(wanted, run).stream().map(use -> ofBody(use.op(), use.inputs())).toList();
  }

  /** The same for scans of which some inputs are computed before: held to the graphs of their steps. */
  static List<KernelCase> ofGraphs(Supplier<?> run) {
    return all(op -> op.body() instanceof Scan, run).stream()
        .map(use -> ofGraph(use.op(), use.inputs()))
        .toList();
  }

  private record Use(Composite op, Tensor... inputs) {}

  private static List<Use> all(Predicate<Composite> wanted, Supplier<?> run) {
    List<Use> uses = new ArrayList<>();
    var outside = TensorScope.current();
    Interpreter watch =
        (op, in) -> {
          if (op instanceof Composite composite && wanted.test(composite)) {
            uses.add(new Use(composite, in.clone()));
            Arrays.stream(in).forEach(outside::adopt);
          }
          Tensor[] out = Interpreter.EAGER.apply(op, in);
          // A body reads more than its inputs: what the run has made before.
          Arrays.stream(out).forEach(outside::adopt);
          return out;
        };
    try (var scope = TensorScope.openUnwatched()) {
      watch.run(run);
    }
    return uses;
  }

  /** The same for a composite by itself. */
  static KernelCase of(Composite op, Tensor... inputs) {
    return ofBody(op, inputs);
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
    try (var scope = TensorScope.open()) {
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
