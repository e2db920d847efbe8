package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Functions that are made of rows, in a cell's step: those of single elements, and of sums over units, become
 * part of its kernel; all others run op by op. Either way a run is what a loop over the steps gives.
 */
@Tag("cpu") // other devices have kernels for other cells
class FunctionsInStepTest {
  private static final int T = 5;
  private static final int N = 3;
  private static final int H = 4;

  private static final Map<String, BinaryOperator<Tensor>> IN_A_KERNEL =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("logCumSumExp", (x, w) -> x.logCumSumExp(1)),
              Map.entry("roll", (x, w) -> x.roll(1, 1)),
              Map.entry("tril", (x, w) -> x.tril(0)),
              Map.entry("logSigmoid", (x, w) -> x.logSigmoid()),
              Map.entry("mish", (x, w) -> x.mish()),
              Map.entry("geluTanh", (x, w) -> x.geluTanh()),
              Map.entry("selu", (x, w) -> x.selu()),
              Map.entry("celu", (x, w) -> x.celu(0.5)),
              Map.entry("hardTanh", (x, w) -> x.hardTanh()),
              Map.entry("hardSigmoid", (x, w) -> x.hardSigmoid()),
              Map.entry("hardSwish", (x, w) -> x.hardSwish()),
              Map.entry("relu6", (x, w) -> x.relu6()),
              Map.entry("threshold", (x, w) -> x.threshold(0.1, -0.5)),
              Map.entry("softShrink", (x, w) -> x.softShrink(0.1)),
              Map.entry("hardShrink", (x, w) -> x.hardShrink(0.1)),
              Map.entry("tanhShrink", (x, w) -> x.tanhShrink()),
              Map.entry("softsign", (x, w) -> x.softsign()),
              Map.entry("frac", (x, w) -> x.mul(3).frac()),
              Map.entry("nanToNum", (x, w) -> x.nanToNum()),
              Map.entry("lerp", (x, w) -> x.lerp(x.sigmoid(), x.tanh())),
              Map.entry("logAddExp", (x, w) -> x.logAddExp(x.neg())),
              Map.entry("xlogy", (x, w) -> x.sigmoid().xlogy(x.sigmoid())),
              Map.entry("maskedFill", (x, w) -> x.maskedFill(x.gt(0.2), 0.1)),
              Map.entry("glu", (x, w) -> Tensor.concat(List.of(x, x.neg()), 1).glu(1)),
              Map.entry("softmin", (x, w) -> x.softmin(1)),
              Map.entry("normalize", (x, w) -> x.normalize(1)),
              Map.entry(
                  "cosineSimilarity",
                  (x, w) -> x.mul(x.cosineSimilarity(x.tanh(), 1).unsqueeze(1))),
              Map.entry("matmul", (x, w) -> x.mul(x.matmul(w.select(0, 0)).unsqueeze(1))),
              Map.entry("einsum", (x, w) -> Tensor.einsum("ni,oi->no", x, w)),
              Map.entry("pNorm", (x, w) -> x.mul(x.pNorm(3, new int[] {1}, true)))));

  private static final Map<String, BinaryOperator<Tensor>> OP_BY_OP =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("sinh", (x, w) -> x.sinh()),
              Map.entry("atan", (x, w) -> x.atan()),
              Map.entry("remainder", (x, w) -> x.remainder(0.7)),
              Map.entry("cumprod", (x, w) -> x.cumprod(1)),
              Map.entry("cummax", (x, w) -> x.cummax(1).values()),
              Map.entry("repeat", (x, w) -> x.repeat(1, 2).narrow(1, 1, H)),
              Map.entry("median", (x, w) -> x.mul(x.median(1).values().unsqueeze(1))),
              Map.entry("quantile", (x, w) -> x.mul(x.quantile(0.3, 1).unsqueeze(1))),
              Map.entry("maskedSelect", (x, w) -> x.add(x.maskedSelect(x.gt(0)).sum())),
              Map.entry("outer", (x, w) -> Tensor.einsum("ni,nj->nij", x, x).sum(2))));

  private record Step(BinaryOperator<Tensor> function, Tensor w) implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return H;
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public Tensor project(Tensor x) {
      return x;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(function.apply(state.h().mul(0.5).add(z), w));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(Tensor.zeros(DType.F64, batch, H));
    }
  }

  @TestFactory
  Stream<DynamicTest> arePartOfTheKernel() {
    return IN_A_KERNEL.entrySet().stream()
        .map(e ->
            DynamicTest.dynamicTest(e.getKey(), () -> check(e.getValue(), FusedContract.VECTORS)));
  }

  @TestFactory
  Stream<DynamicTest> runOpByOp() {
    return OP_BY_OP.entrySet().stream()
        .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> check(e.getValue(), false)));
  }

  private static void check(BinaryOperator<Tensor> function, boolean kernel) {
    try (var scope = TensorScope.open()) {
      Tensor w = Philox.of(4).normal(DType.F64, 0, 0.5, H, H);
      var cell = new Step(function, w);
      var layer = Recurrent.of(cell);
      Tensor x = Philox.of(3).normal(DType.F64, 0, 1, T, N, H);
      String explained = layer.explain(x);
      assertThat(explained).contains(kernel ? "one kernel" : "no kernel");
      Supplier<Tensor> steps =
          () -> {
            List<Tensor> all = new ArrayList<>();
            HiddenState state = cell.zero(N);
            for (Tensor z : x.unbind(0)) {
              state = cell.step(z, state);
              all.add(state.h());
            }
            return Tensor.stack(all, 0);
          };
      same(Agreement.trusting(() -> layer.apply(x)), steps.get());
      same(
          Agreement.trusting(() -> Grad.orZero(() -> layer.apply(x).square().sum(), x)).get(0),
          Grad.orZero(() -> steps.get().square().sum(), x).get(0));
      same(
          Agreement.trusting(() -> Grad.orZero(() -> layer.apply(x).square().sum(), w)).get(0),
          Grad.orZero(() -> steps.get().square().sum(), w).get(0));
    }
  }

  private static void same(Tensor actual, Tensor expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    double[] a = actual.toDoubleArray();
    double[] e = expected.toDoubleArray();
    for (int i = 0; i < a.length; i++) {
      assertThat(a[i]).isCloseTo(e[i], within(1e-11 * Math.max(1, Math.abs(e[i]))));
    }
  }
}
