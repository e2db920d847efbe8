package carousel.cuda;

import carousel.autograd.Grad;
import carousel.cuda.scan.RecurrentCase;
import carousel.nn.Training;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.LayerNorm;
import carousel.nn.loss.CrossEntropy;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** A composite and what it was applied to in a layer, on the CPU. */
final class FusedCase {
  private static final double TOLERANCE = 1e-11;

  private final Composite op;
  private final Tensor[] inputs;

  private FusedCase(Supplier<Tensor> layer) {
    List<Composite> ops = new ArrayList<>();
    List<Tensor> operands = new ArrayList<>();
    var outside = TensorScope.current();
    Interpreter watch =
        (applied, in) -> {
          if (applied instanceof Composite composite) {
            ops.add(composite);
            operands.addAll(List.of(in));
            operands.forEach(outside::adopt);
            return composite.body().apply(in);
          }
          return Interpreter.EAGER.apply(applied, in);
        };
    try (var scope = TensorScope.openUnwatched()) {
      watch.run(layer);
    }
    op = ops.getFirst();
    inputs = operands.toArray(new Tensor[0]);
  }

  /** Rows of so many classes, every third without a target. */
  static FusedCase crossEntropy(int rows, int classes) {
    int[] targets = new int[rows];
    for (int i = 0; i < rows; i++) {
      targets[i] = i % 3 == 2 ? CrossEntropy.IGNORED : (7 * i + 3) % classes;
    }
    Tensor logits = Philox.of(classes).normal(DType.F64, 3, 4, rows, classes);
    return new FusedCase(() -> CrossEntropy.of().apply(logits, Tensor.of(Shape.of(rows), targets)));
  }

  /** Rows of a width, with some gain and bias. */
  static FusedCase layerNorm(int rows, int width) {
    var rng = Philox.of(width);
    var layer = LayerNorm.of(DType.F64, width);
    layer.gain().value().assign(rng.normal(DType.F64, 1, 1, width));
    layer.bias().value().assign(rng.normal(DType.F64, 0, 1, width));
    Tensor x = rng.normal(DType.F64, 2, 3, rows, width);
    return new FusedCase(() -> layer.apply(x));
  }

  /** A tensor of so many elements, a third of them dropped. */
  static FusedCase dropout(int count) {
    Tensor x = Philox.of(count).normal(DType.F64, 2, 3, count);
    return new FusedCase(() -> Training.with(Philox.of(1), () -> new Dropout(1 / 3.0).apply(x)));
  }

  /** Whether the device's kernel gives another result or gradient than the body. */
  boolean differs(Device device) {
    List<Tensor> actual = results(device, Interpreter.EAGER);
    List<Tensor> expected = results(Device.cpu(), RecurrentCase.BODIES);
    boolean same = true;
    for (int i = 0; i < expected.size(); i++) {
      same &= actual.get(i).allClose(expected.get(i), TOLERANCE, TOLERANCE);
    }
    return !same;
  }

  /** The result and the gradients of the floating inputs. */
  private List<Tensor> results(Device device, Interpreter arithmetic) {
    Tensor[] there = Arrays.stream(inputs).map(x -> x.to(device)).toArray(Tensor[]::new);
    Tensor[] leaves =
        Arrays.stream(there).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
    List<Tensor> results = new ArrayList<>();
    var gradients =
        arithmetic.run(() ->
            Grad.orZero(
                () -> {
                  Tensor y = Op.apply(op, there);
                  results.add(y.to(Device.cpu()));
                  int[] dims = y.shape().toArray();
                  return y.mul(Philox.of(5).normal(DType.F64, 0, 1, dims).to(device)).sum();
                },
                leaves));
    for (int i = 0; i < leaves.length; i++) {
      results.add(gradients.get(i).to(Device.cpu()));
    }
    return results;
  }
}
