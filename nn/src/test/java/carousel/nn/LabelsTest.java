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
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A kernel that is written by hand belongs to one composite. Another that bears its label, and takes the
 * same inputs, gets its own results and gradients.
 */
class LabelsTest {
  private static final int ROWS = 5;
  private static final int UNITS = 8;

  private final Philox rng = Philox.of(3);

  private Tensor random(int... dims) {
    return rng.normal(DType.F64, 0, 1, dims);
  }

  /** What each of them takes. */
  private Tensor[] inputs(Composite op) {
    return Objects.requireNonNull(
        Map.of(
                LayerComposites.LINEAR,
                new Tensor[] {random(ROWS, 3), random(3, UNITS), random(UNITS)},
                LayerComposites.DROPOUT,
                new Tensor[] {random(ROWS, UNITS), random(ROWS, UNITS).gt(0), random()},
                LayerComposites.CROSS_ENTROPY,
                new Tensor[] {
                  random(ROWS, UNITS), Tensor.of(0, 7, LayerComposites.NO_TARGET, 3, 3)
                },
                LayerComposites.LAYER_NORM,
                new Tensor[] {
                  random(ROWS, UNITS), random(UNITS), random(UNITS), Tensor.full(DType.F64, 0.1)
                },
                GateComposites.LSTM,
                new Tensor[] {random(ROWS, 4 * UNITS), random(ROWS, UNITS)},
                GateComposites.PEEPHOLE,
                new Tensor[] {
                  random(ROWS, 4 * UNITS),
                  random(ROWS, UNITS),
                  random(UNITS),
                  random(UNITS),
                  random(UNITS)
                },
                GateComposites.CIFG,
                new Tensor[] {random(ROWS, 3 * UNITS), random(ROWS, UNITS)},
                GateComposites.GRU_AFTER,
                new Tensor[] {
                  random(ROWS, 3 * UNITS),
                  random(ROWS, 3 * UNITS),
                  random(UNITS),
                  random(ROWS, UNITS)
                })
            .get(op),
        () -> "inputs of " + op.label());
  }

  /** All that backends may have kernels for. */
  private static Map<String, Composite> known() throws IllegalAccessException {
    Map<String, Composite> known = new LinkedHashMap<>();
    for (Class<?> holder : List.of(LayerComposites.class, GateComposites.class)) {
      for (Field field : holder.getFields()) {
        if (field.get(null) instanceof Composite op) {
          known.put(field.getName() + " of " + holder.getSimpleName(), op);
        }
      }
    }
    return known;
  }

  @TestFactory
  Stream<DynamicTest> areNoReasonForAKernel() throws IllegalAccessException {
    return known().entrySet().stream()
        .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> ownResults(entry.getValue())));
  }

  private void ownResults(Composite op) {
    try (var scope = TensorScope.open()) {
      Tensor[] in = inputs(op);
      var other = new Composite(op.label(), given -> other(op.body().apply(given)));
      if (TensorScope.current().device() != Device.cpu()) {
        assertThat(other.fused(in)).as("kernels are written by hand there").isNull();
      }
      List<Tensor> own = results(other, in);
      List<Tensor> expected = FusedContract.BODIES.run(() -> results(other, in));
      List<Tensor> ours = results(op, in);
      for (int i = 0; i < own.size(); i++) {
        assertThat(own.get(i).allClose(expected.get(i), 1e-11, 1e-11)).as("result %d", i).isTrue();
      }
      assertThat(own.getFirst().allClose(ours.getFirst(), 1e-3, 1e-3)).isFalse();
    }
  }

  /** Of the same shapes, with other gradients. */
  private static Tensor[] other(Tensor... outputs) {
    return Arrays.stream(outputs).map(y -> y.square().add(y.mul(3)).add(1)).toArray(Tensor[]::new);
  }

  /** The outputs, then the gradients of all floating inputs. */
  private static List<Tensor> results(Composite op, Tensor... in) {
    Tensor[] outputs = Op.applyAll(op, in);
    Tensor[] leaves = Arrays.stream(in).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
    var gradients =
        Grad.orZero(
            () ->
                Arrays.stream(Op.applyAll(op, in))
                    .map(
                        y -> y.mul(Philox.of(5).normal(DType.F64, 0, 1, y.shape().toArray())).sum())
                    .reduce(Tensor.full(DType.F64, 0, Shape.SCALAR.toArray()), Tensor::add),
            leaves);
    return Stream.concat(
            Arrays.stream(outputs),
            Stream.iterate(0, i -> i < leaves.length, i -> i + 1).map(gradients::get))
        .toList();
  }
}
