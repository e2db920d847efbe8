package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Kernels that are written by hand against the bodies they stand for, on operands of which one number is
 * NaN, infinite, −0 or subnormal: outputs are NaN, infinite or finite together; gradients are finite
 * together, because what the sums of a rule make of ∞ depends on their order.
 */
class SpecialValuesTest {
  private static final double TINY = 1e-40;
  private static final double[] ODD = {
    Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0, -TINY
  };
  private static final int ROWS = 3;
  private static final int WIDTH = 19;

  /** A composite, and what it is tried on. */
  private record Subject(Composite composite, Function<DType, Tensor[]> inputs) {}

  private static Tensor random(DType type, int seed, int... dims) {
    return Philox.of(seed).normal(type, 0.3, 1, dims);
  }

  private static Map<String, Subject> subjects() {
    Map<String, Subject> all = new LinkedHashMap<>();
    int none = LayerComposites.NO_TARGET;
    int h = WIDTH;
    put(
        all,
        LayerComposites.CROSS_ENTROPY,
        type -> new Tensor[] {random(type, 1, ROWS, WIDTH), Tensor.of(0, WIDTH - 1, none)});
    put(
        all,
        LayerComposites.LAYER_NORM,
        type ->
            new Tensor[] {
              random(type, 2, ROWS, WIDTH),
              random(type, 3, WIDTH),
              random(type, 4, WIDTH),
              Tensor.full(type, 1e-5)
            });
    put(
        all,
        LayerComposites.DROPOUT,
        type ->
            new Tensor[] {
              random(type, 5, ROWS, WIDTH),
              random(type, 6, ROWS, WIDTH).gt(0),
              Tensor.full(type, 1.25)
            });
    put(
        all,
        LayerComposites.LINEAR,
        type ->
            new Tensor[] {
              random(type, 7, ROWS, 5), random(type, 8, 5, WIDTH), random(type, 9, WIDTH)
            });
    put(
        all,
        GateComposites.LSTM,
        type -> new Tensor[] {random(type, 10, ROWS, 4 * h), random(type, 11, ROWS, h)});
    put(
        all,
        GateComposites.PEEPHOLE,
        type ->
            new Tensor[] {
              random(type, 12, ROWS, 4 * h),
              random(type, 13, ROWS, h),
              random(type, 14, h),
              random(type, 15, h),
              random(type, 16, h)
            });
    put(
        all,
        GateComposites.CIFG,
        type -> new Tensor[] {random(type, 17, ROWS, 3 * h), random(type, 18, ROWS, h)});
    put(
        all,
        GateComposites.GRU_AFTER,
        type ->
            new Tensor[] {
              random(type, 19, ROWS, 3 * h),
              random(type, 20, ROWS, 3 * h),
              random(type, 21, h),
              random(type, 22, ROWS, h)
            });
    return all;
  }

  private static void put(
      Map<String, Subject> all, Composite composite, Function<DType, Tensor[]> inputs) {
    all.put(composite.label(), new Subject(composite, inputs));
  }

  @TestFactory
  Stream<DynamicTest> kernelsFollowTheirBodies() {
    assumeFalse("off".equals(System.getProperty("carousel.fused")), "-Dcarousel.fused=off");
    return subjects().entrySet().stream()
        .flatMap(entry ->
            Stream.of(DType.F32, DType.F64)
                .map(type ->
                    DynamicTest.dynamicTest(
                        entry.getKey() + " " + type, () -> follows(entry.getValue(), type))));
  }

  private static void follows(Subject subject, DType type) {
    try (var scope = TensorScope.open()) {
      Tensor[] plain = subject.inputs.apply(type);
      assumeFalse(subject.composite.fused(plain) == null, "runs its body");
      for (int k = 0; k < plain.length; k++) {
        // The scale of dropout and the ε of a norm are numbers of the layer, which checks them.
        if (!plain[k].dtype().isFloating() || plain[k].rank() == 0) {
          continue;
        }
        int n = Math.toIntExact(plain[k].size());
        for (int place : new int[] {0, n - 1}) {
          for (double odd : ODD) {
            Tensor[] inputs = plain.clone();
            inputs[k] = planted(plain[k], place, odd);
            follows(
                String.format(
                    Locale.ROOT,
                    "%s of %s with %s at %d of input %d",
                    subject.composite.label(),
                    type,
                    odd,
                    place,
                    k),
                subject.composite,
                type,
                inputs);
          }
        }
      }
    }
  }

  private static Tensor planted(Tensor x, int place, double odd) {
    double[] values = x.cast(DType.F64).toDoubleArray();
    values[place] = odd;
    return Tensor.of(x.shape(), values).cast(x.dtype());
  }

  private static void follows(String what, Composite composite, DType type, Tensor... inputs) {
    List<Tensor> byKernel = results(() -> Op.applyAll(composite, inputs), inputs);
    List<Tensor> byBody = results(() -> composite.body().apply(inputs), inputs);
    double tolerance = type == DType.F32 ? 1e-4 : 1e-11;
    int outputs = composite.body().apply(inputs).length;
    for (int i = 0; i < byBody.size(); i++) {
      double[] actual = byKernel.get(i).cast(DType.F64).toDoubleArray();
      double[] expected = byBody.get(i).cast(DType.F64).toDoubleArray();
      for (int at = 0; at < expected.length; at++) {
        boolean same =
            actual[at] == expected[at]
                || (Double.isNaN(actual[at]) && Double.isNaN(expected[at]))
                || (i >= outputs && !Double.isFinite(actual[at]) && !Double.isFinite(expected[at]))
                || Math.abs(actual[at] - expected[at])
                    <= tolerance * Math.max(1, Math.abs(expected[at]));
        assertThat(same)
            .as("%s: result %d at %d: %s, by the body %s", what, i, at, actual[at], expected[at])
            .isTrue();
      }
    }
  }

  /** Outputs, and the gradients of a weighted sum of them. */
  private static List<Tensor> results(Supplier<Tensor[]> run, Tensor... inputs) {
    Tensor[] leaves =
        Arrays.stream(inputs).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
    List<Tensor> results = new ArrayList<>(List.of(run.get()));
    var gradients =
        Grad.orZero(
            () -> {
              Tensor sum = inputs[0].zerosLike(Shape.SCALAR);
              int seed = 30;
              for (Tensor y : run.get()) {
                sum = sum.add(y.mul(random(y.dtype(), seed++, y.shape().toArray())).sum());
              }
              return sum;
            },
            leaves);
    for (int i = 0; i < leaves.length; i++) {
      results.add(gradients.get(i));
    }
    return results;
  }
}
