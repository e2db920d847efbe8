package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.weighted;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * A cell that is finite at what it is given has finite gradients, whatever it would be at padding, at zeros, or
 * at an input beside another step's state: as finite as of each sequence alone.
 */
class UnreadStepsTest {
  private static final int T = 5;
  private static final int N = 3;
  private static final int D = 2;
  private static final int H = 3;
  private static final Init INIT = Init.normal(0.5).as(DType.F64);

  /** What a {@link Picky} carries. */
  record Met(Tensor h, Tensor last) implements RecurrentState {}

  /**
   * Not finite where x ≤ 0, where it meets the input that it met last, and at states below −1.5, which it
   * never makes: nothing of that is among what it is given, but for steps that are not taken.
   */
  record Picky(Parameter wx, Parameter wh) implements Cell<Met> {
    static Picky of() {
      var rng = Philox.of(3);
      return new Picky(INIT.parameter(rng, D, H), INIT.parameter(rng, H, H));
    }

    @Override
    public int inputs() {
      return D;
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public Tensor project(Tensor x) {
      return x.log().matmul(wx.value());
    }

    @Override
    public Met step(Tensor z, Met s) {
      Tensor far = z.sub(s.last()).square().sum(1, true).sqrt();
      Tensor h = s.h().add(1.5).log().matmul(wh.value());
      return new Met(z.div(far).add(h).tanh(), z);
    }

    @Override
    public Met zero(int batch) {
      var shape = Shape.of(batch, H);
      return new Met(wx.value().zerosLike(shape), wx.value().zerosLike(shape));
    }
  }

  private record Case(String name, int[] lengths, String resets, String taken) {
    boolean[][] at(String rows) {
      String[] each = rows.split(" ");
      boolean[][] flags = new boolean[T][N];
      for (int i = 0; i < T * N; i++) {
        flags[i / N][i % N] = each[i % N].charAt(i / N) == 'x';
      }
      return flags;
    }

    boolean reads(int t, int n) {
      return t < lengths[n] && (taken.isEmpty() || at(taken)[t][n]);
    }

    boolean reads(int n) {
      for (int t = 0; t < T; t++) {
        if (reads(t, n)) {
          return true;
        }
      }
      return false;
    }

    Segments of(Sequence layer, boolean reverse) {
      return new Segments(
          layer,
          List.of(reverse),
          lengths,
          resets.isEmpty() ? null : at(resets),
          taken.isEmpty() ? null : at(taken));
    }
  }

  private static final List<Case> CASES =
      List.of(
          new Case("rows end", new int[] {3, 5, 1}, "", ""),
          new Case("rows are empty", new int[] {0, 2, 0}, "", ""),
          new Case("rows end and begin", new int[] {0, 5, 3}, ".x.xx .x.x. x..x.", ""),
          new Case("skipped", new int[] {5, 5, 5}, "", "xx.xx .x.x. xxx.."),
          new Case("rows are skipped", new int[] {5, 5, 5}, "", "..... x...x ..x.."),
          new Case("begins", new int[] {5, 5, 5}, "..x.. x..x. ....x", "xx.xx .xx.x xxx.."),
          new Case("everything", new int[] {4, 5, 2}, ".x..x x..x. .xx..", "xx.xx .xx.x ..xxx"));

  @TestFactory
  Stream<DynamicTest> isAsFiniteAsWhatIsRead() {
    return CASES.stream()
        .flatMap(marks ->
            Stream.of(false, true)
                .flatMap(reverse ->
                    Stream.of(Device.standard(), Device.reference())
                        .map(device ->
                            DynamicTest.dynamicTest(
                                marks.name() + (reverse ? " reverse, " : ", ") + device,
                                () -> agree(marks, reverse, device)))));
  }

  private static void agree(Case marks, boolean reverse, Device device) {
    try (var scope = TensorScope.open(device)) {
      Recurrent<Met> layer = reverse ? Recurrent.reverse(Picky.of()) : Recurrent.of(Picky.of());
      Segments segments = marks.of(layer, reverse);
      Tensor clean = Philox.of(1).uniform(DType.F64, 0.3, 2, T, N, D).to(device);
      List<RecurrentState> start = List.of(start(marks, device));
      Tensor[] by = Layers.inputs(layer, clean, start);
      Supplier<Run> alone = () -> segments.run(clean, start);
      var expected = Grad.orZero(() -> loss(alone.get()), by);
      Tensor curved = hvp(alone, clean);
      assertThat(Double.isFinite(expected.get(by.length - 1).sum().item())).isTrue();
      for (double junk : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
        Tensor x = Tensor.of(clean.shape(), dirty(marks, clean, junk)).to(device);
        by[0] = x;
        Supplier<Run> actual = () -> layer.run(x, segments.marks(T), start);
        var kernel = Grad.orZero(() -> loss(actual.get()), by);
        var body = FusedContract.BODIES.run(() -> Grad.orZero(() -> loss(actual.get()), by));
        assertThat(kernel.value().item() - expected.value().item()).isBetween(-1e-12, 1e-12);
        for (int i = 0; i < by.length; i++) {
          same(kernel.get(i), expected.get(i), "gradient " + i + " beside " + junk);
          same(body.get(i), expected.get(i), "gradient by the body " + i + " beside " + junk);
        }
        same(hvp(actual, x), curved, "second derivative beside " + junk);
      }
    }
  }

  /** Any state; in rows that take no step one at which the cell is not finite. */
  private static Met start(Case marks, Device device) {
    double[] h = Philox.of(5).uniform(DType.F64, -0.9, 0.9, N, H).toDoubleArray();
    for (int i = 0; i < h.length; i++) {
      h[i] = marks.reads(i / H) ? h[i] : -5;
    }
    Tensor last = Philox.of(6).normal(DType.F64, 0, 1, N, H).to(device);
    return new Met(Tensor.of(Shape.of(N, H), h).to(device), last);
  }

  private static double[] dirty(Case marks, Tensor clean, double junk) {
    double[] values = clean.toDoubleArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = marks.reads(i / (N * D), i / D % N) ? values[i] : junk;
    }
    return values;
  }

  private static Tensor hvp(Supplier<Run> run, Tensor x) {
    Tensor direction = Philox.of(8).normal(DType.F64, 0, 1, T, N, D).to(x.device());
    return Grad.hvp(() -> loss(run.get()), List.of(x), List.of(direction)).get(0);
  }

  private static Tensor loss(Run run) {
    List<Tensor> parts = new ArrayList<>(List.of(run.y().flatten()));
    Layers.tensors(run.states()).forEach(tensor -> parts.add(tensor.flatten()));
    Tensor all = Tensor.concat(parts, 0);
    return all.mul(Philox.of(7).normal(DType.F64, 0, 1, (int) all.size()).to(all.device())).sum();
  }

  private static void same(Tensor actual, Tensor expected, String what) {
    double most = 1 + expected.abs().max().item();
    assertThat(actual.sub(expected).abs().max().item() / most).as(what).isLessThan(1e-11);
  }

  /** That the comparison of a kernel's first run does not blame padding on it. */
  @Test
  @Tag("cpu") // which has kernels of any cell
  void aKernelWhoseFirstRunIsRaggedIsKept() {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(Picky.of());
      Tensor x = Philox.of(1).uniform(DType.F64, 0.3, 2, T, N, D);
      Tensor lengths = Tensor.of(2, 5, 0);
      Grad.orZero(
          () -> weighted(layer.run(x, Marks.ofLengths(lengths)).y(), 7),
          Layers.inputs(layer, x, List.of()));
      if (Agreement.isFusionOn()) {
        assertThat(layer.explain(x)).contains("one kernel for all steps");
      }
    }
  }
}
