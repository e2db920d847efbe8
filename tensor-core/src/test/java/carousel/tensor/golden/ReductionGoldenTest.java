package carousel.tensor.golden;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.Reductions;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Rules;
import carousel.tensor.op.CumSum;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Softmax;
import carousel.tensor.op.Sort;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What runs along axes, values and rules, against PyTorch: NaN, infinities, ties, empty axes. */
class ReductionGoldenTest {
  private static final double ULPS = 16;
  private static final String DEVICES = "carousel.tensor.DevicesUnderTest#all";

  /** A function of the facade over axes. */
  @FunctionalInterface
  private interface OverAxes {
    Tensor apply(Tensor x, int[] axes, boolean keep);
  }

  private static final Map<String, OverAxes> FUNCTIONS =
      Map.ofEntries(
          entry("sum", Tensor::sum),
          entry("mean", Tensor::mean),
          entry("max", Tensor::max),
          entry("min", Tensor::min),
          entry("logsumexp", Tensor::logSumExp),
          entry("norm", Tensor::norm),
          entry("variance", (x, axes, keep) -> x.variance(axes, keep, 1)),
          entry("variance.biased", (x, axes, keep) -> x.variance(axes, keep, 0)),
          entry("norm.one", (x, axes, keep) -> x.abs().sum(axes, keep)));

  private static final Map<String, Reduce> ROWS =
      Map.of(
          "sum", Reduce.SUM,
          "mean", Reduce.MEAN,
          "max", Reduce.MAX,
          "min", Reduce.MIN,
          "logsumexp", Reduce.LOG_SUM_EXP,
          "norm", Reduce.NORM);

  private static Tensor tensor(Golden golden, String key) {
    GoldenTensor t = golden.tensor(key);
    return Tensor.of(Shape.of(t.shape()), t.values());
  }

  private static void check(Golden golden, String key, Tensor actual) {
    assertThat(actual.shape()).as(key).isEqualTo(Shape.of(golden.shape(key)));
    // The sums of the golden differ from ours by rounding, absolutely so where terms cancel; its
    // variances, made in one pass, by more.
    double floor = key.contains("variance") ? 1e-13 : 2e-15;
    Close.check(key, actual.toDoubleArray(), golden.tensor(key), ULPS, floor, i -> false);
  }

  /** As {@link #check}, but only rows of finite input; the others are PyTorch's 0·∞ and ∞/∞. */
  private static void checkRule(Golden golden, String key, Tensor actual) {
    double[] x = golden.values("x");
    int n = golden.shape("x")[1];
    Close.check(
        key,
        actual.toDoubleArray(),
        golden.tensor(key),
        ULPS,
        // Its e^(x − lse) is off by as many roundings as |lse| is large.
        key.startsWith("logsumexp") ? 2e-13 : 2e-15,
        i ->
            IntStream.range(i / n * n, i / n * n + n)
                .mapToDouble(k -> x[k])
                .anyMatch(v -> !Double.isFinite(v)));
  }

  private static Tensor pull(Op op, Tensor x, Tensor g) {
    Tensor[] in = {x};
    return Objects.requireNonNull(Rules.pull(op, in, op.evaluate(in), g)[0]);
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void reductionsOfTheLastAxis(Device device) {
    var golden = Golden.load("reductions");
    try (var scope = TensorScope.open(device)) {
      Tensor x = tensor(golden, "x");
      FUNCTIONS.forEach((name, f) -> check(golden, name, f.apply(x, new int[] {-1}, false)));
      check(golden, "prod", x.prod(-1));
      check(golden, "argmax", x.argmax(-1));
      check(golden, "argmin", x.argmin(-1));
      check(golden, "any", x.ne(0).any(-1));
      check(golden, "all", x.ne(0).all(-1));
    }
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void rulesOfTheLastAxis(Device device) {
    var golden = Golden.load("reductions");
    try (var scope = TensorScope.open(device)) {
      Tensor x = tensor(golden, "x");
      Tensor w = tensor(golden, "w").unsqueeze(-1);
      ROWS.forEach((name, row) ->
          checkRule(golden, name + ".dx", pull(new ReduceAxes(row, List.of(1)), x, w)));
    }
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void reductionsOfSeveralAxes(Device device) {
    var golden = Golden.load("reductions");
    try (var scope = TensorScope.open(device)) {
      Tensor cube = tensor(golden, "cube");
      for (List<Integer> axes : List.of(List.of(0), List.of(1), List.of(0, 2), List.of(0, 1, 2))) {
        String spelled = String.join("", axes.stream().map(String::valueOf).toList());
        int[] array = axes.stream().mapToInt(Integer::intValue).toArray();
        FUNCTIONS.forEach(
            (name, f) -> check(golden, "axes." + name + "." + spelled, f.apply(cube, array, true)));
        ROWS.forEach((name, row) -> {
          String key = "axes." + name + "." + spelled;
          Tensor w = tensor(golden, key + ".w");
          check(golden, key + ".dx", pull(new ReduceAxes(row, axes), cube, w));
        });
      }
    }
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void reductionsOfNothing(Device device) {
    var golden = Golden.load("reductions");
    try (var scope = TensorScope.open(device)) {
      Tensor empty = Tensor.of(Shape.of(3, 0), new double[0]);
      check(golden, "empty.sum", empty.sum(-1));
      check(golden, "empty.prod", empty.prod(-1));
      check(golden, "empty.mean", empty.mean(-1));
      check(golden, "empty.logsumexp", empty.logSumExp(-1));
      check(golden, "empty.norm", empty.norm(-1));
    }
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void softmax(Device device) {
    var golden = Golden.load("softmax");
    try (var scope = TensorScope.open(device)) {
      for (boolean log : new boolean[] {false, true}) {
        String name = log ? "logSoftmax" : "softmax";
        along(golden, name, new Softmax(1, log), "x", "w");
        along(golden, "axes." + name + ".1", new Softmax(1, log), "cube", "cube.w");
      }
    }
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void cumsum(Device device) {
    var golden = Golden.load("cumsum");
    try (var scope = TensorScope.open(device)) {
      along(golden, "cumsum", new CumSum(1), "x", "w");
      for (int axis = 0; axis < 3; axis++) {
        along(golden, "axes.cumsum." + axis, new CumSum(axis), "cube", "cube.w");
      }
    }
  }

  private static void along(Golden golden, String key, Op op, String input, String weight) {
    Tensor x = tensor(golden, input);
    check(golden, key, op.evaluate(x)[0]);
    Tensor dx = pull(op, x, tensor(golden, weight));
    if (input.equals("x")) {
      checkRule(golden, key + ".dx", dx);
    } else {
      check(golden, key + ".dx", dx);
    }
  }

  @ParameterizedTest
  @MethodSource(DEVICES)
  void ordering(Device device) {
    var golden = Golden.load("ordering");
    try (var scope = TensorScope.open(device)) {
      Tensor x = tensor(golden, "x");
      for (boolean descending : new boolean[] {false, true}) {
        String name = descending ? "descending" : "ascending";
        Reductions.Sorted sorted = x.sort(-1, descending);
        check(golden, name, sorted.values());
        check(golden, name + ".indices", sorted.indices());
        check(golden, "topk." + name, sorted.values().narrow(-1, 0, 3));
        var op = new Sort(1, descending);
        Tensor[] out = op.evaluate(x);
        Tensor w = tensor(golden, "w");
        Tensor[] in = {x};
        check(
            golden,
            name + ".dx",
            Objects.requireNonNull(Rules.pull(op, in, out, w, out[1].zerosLike())[0]));
      }
      check(golden, "topk.descending", x.topK(3, -1).values());
      Reductions.Sorted top = tensor(golden, "cube").topK(2, 1);
      check(golden, "axes.topk.1", top.values());
      check(golden, "axes.topk.1.indices", top.indices());
    }
  }
}
