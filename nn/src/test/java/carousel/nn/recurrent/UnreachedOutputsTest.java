package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a loss does not read has no part in its gradient, whatever it overflows to, for every choice of the
 * results that a loss reads: by kernels, as by the code that they are made of, as of code that does not compute
 * the rest at all.
 */
class UnreachedOutputsTest {
  private static final int T = 4;
  private static final int N = 3;
  private static final int D = 2;
  private static final int H = 9;
  private static final Init INIT = Init.normal(0.5).as(DType.F64);

  /** What a {@link Watched} carries. */
  record Seen(Tensor h, Tensor c, Tensor total, Tensor root, Tensor late)
      implements RecurrentState {}

  /** What is left of it where nothing is watched. */
  record Plain(Tensor h, Tensor c) implements RecurrentState {}

  /**
   * {@code h' = tanh(a)}, {@code c' = c/2 + h'}, a total that overflows, a root whose slope is infinite, and what
   * is read of c a step later; of the output, on demand, one that overflows.
   */
  record Watched(Parameter wx, Parameter wh, boolean overflows) implements Cell<Seen> {
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
      return x.matmul(wx.value());
    }

    @Override
    public Seen step(Tensor z, Seen s) {
      Tensor a = z.add(s.h().matmul(wh.value()));
      Tensor h = a.tanh();
      return new Seen(
          h,
          s.c().mul(0.5).add(h),
          s.total().add(a.mul(500).exp()),
          a.sub(a).sqrt().add(h),
          s.c().mul(h));
    }

    @Override
    public Seen zero(int batch) {
      return new Seen(zeros(batch), zeros(batch), zeros(batch), zeros(batch), zeros(batch));
    }

    private Tensor zeros(int batch) {
      return wx.value().zerosLike(Shape.of(batch, H));
    }

    @Override
    public Tensor output(Seen s) {
      return overflows ? s.h().mul(2000).exp() : s.h().add(s.c());
    }
  }

  /** The same without what is watched. */
  record Unwatched(Watched cell) implements Cell<Plain> {
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
      return cell.project(x);
    }

    @Override
    public Plain step(Tensor z, Plain s) {
      Tensor h = z.add(s.h().matmul(cell.wh().value())).tanh();
      return new Plain(h, s.c().mul(0.5).add(h));
    }

    @Override
    public Plain zero(int batch) {
      return new Plain(cell.zeros(batch), cell.zeros(batch));
    }

    @Override
    public Tensor output(Plain s) {
      return s.h().add(s.c());
    }
  }

  static Stream<Device> devices() {
    return Stream.of(Device.standard(), Device.reference());
  }

  @ParameterizedTest
  @MethodSource("devices")
  void ofARecurrenceHaveNoPart(Device device) {
    try (var scope = TensorScope.open(device)) {
      for (boolean overflows : new boolean[] {false, true}) {
        var rng = Philox.of(4);
        var cell = new Watched(INIT.parameter(rng, D, H), INIT.parameter(rng, H, H), overflows);
        var layer = Recurrent.of(cell);
        Sequence plain = Recurrent.of(new Unwatched(cell));
        for (double scale : new double[] {0.05, 3}) {
          Tensor x = Philox.of(5).normal(DType.F64, 0, scale, T, N, D).to(device);
          Tensor lengths = Tensor.of(T, 2, 0);
          for (Tensor of : new Tensor[] {null, lengths}) {
            for (int some = 1; some < 1 << 6; some++) {
              var read = BitSet.valueOf(new long[] {some});
              Supplier<Tensor> loss = () -> loss(layer.run(x, List.of(), of), read);
              String what = read + " at " + scale + (overflows ? ", overflowing y" : "");
              List<Tensor> by = leaves(layer, x);
              List<Tensor> actual = gradients(loss, by);
              same(actual, FusedContract.BODIES.run(() -> gradients(loss, by)), what);
              if (some < 8 && !(overflows && read.get(0))) {
                same(actual, gradients(() -> loss(plain.run(x, List.of(), of), read), by), what);
                assertThat(Double.isFinite(actual.getLast().sum().item())).isTrue();
              }
            }
          }
        }
      }
    }
  }

  /**
   * {@code y = r}, {@code r = q'}, {@code q = e^{500 z}}: what is read of a state is that of the step before, so that the
   * last exponential is of no account, though the state is.
   */
  record Behind(Parameter wx) implements Cell<Plain> {
    @Override
    public int inputs() {
      return 1;
    }

    @Override
    public int outputs() {
      return 1;
    }

    @Override
    public Tensor project(Tensor x) {
      return x.mul(wx.value());
    }

    @Override
    public Plain step(Tensor z, Plain s) {
      return new Plain(z.mul(500).exp(), s.h());
    }

    @Override
    public Tensor output(Plain s) {
      return s.c();
    }

    @Override
    public Plain zero(int batch) {
      return new Plain(
          wx.value().zerosLike(Shape.of(batch, 1)), wx.value().zerosLike(Shape.of(batch, 1)));
    }
  }

  /** y_t = e^{500 x_{t−1}}: dx_t is 500 e^{500 x_t}, and 0 at the last step, whatever is there. */
  @ParameterizedTest
  @MethodSource("devices")
  void ofTheLastStepsHaveNoPart(Device device) {
    try (var scope = TensorScope.open(device)) {
      var cell = new Behind(Parameter.of(() -> Tensor.ones(DType.F64, 1)));
      for (int rows = 1; rows < 4; rows++) {
        for (boolean reverse : new boolean[] {false, true}) {
          var layer = reverse ? Recurrent.reverse(cell) : Recurrent.of(cell);
          Tensor x = Tensor.of(DType.F64, 0.001, -0.002, 0.003, 50).reshape(T, 1, 1);
          Tensor in = (reverse ? x.flip(0) : x).expand(T, rows, 1).copy();
          Tensor[] of = {in, cell.wx().value()};
          var gradients = Grad.of(() -> layer.run(in).y().sum(), of);
          Tensor g = reverse ? gradients.get(0).flip(0) : gradients.get(0);
          double sum = 0;
          for (int t = 0; t < T; t++) {
            double value = x.get(t, 0, 0);
            double slope = t < T - 1 ? 500 * Math.exp(500 * value) : 0;
            sum += rows * slope * (t < T - 1 ? value : 0);
            for (int n = 0; n < rows; n++) {
              assertThat(g.get(t, n, 0)).isCloseTo(slope, within(1e-10));
            }
          }
          assertThat(gradients.get(1).item()).isCloseTo(sum, within(1e-10));
          // Where the state at the end is read, its slope is what it is.
          Supplier<Tensor> all =
              () -> {
                Run run = layer.run(in);
                return run.y().sum().add(Layers.tensors(run.states()).getFirst().sum());
              };
          assertThat(Grad.of(all, in).get(0).max().item()).isInfinite();
          // Of the last state alone, steps before it have no part: their exponentials overflow.
          Tensor high = in.neg().add(50).copy();
          Supplier<Tensor> end = () -> Layers.tensors(layer.run(high).states()).getFirst().sum();
          Tensor last = Grad.of(end, high).get(0);
          last = reverse ? last.flip(0) : last;
          assertThat(last.narrow(0, 0, T - 1).abs().max().item()).isZero();
          assertThat(last.get(T - 1, 0, 0)).isCloseTo(500, within(1e-9));
        }
      }
    }
  }

  /** Of y, then of the tensors of the state, those that are read. */
  private static Tensor loss(Run run, BitSet read) {
    List<Tensor> all = new ArrayList<>(List.of(run.y()));
    all.addAll(Layers.tensors(run.states()));
    return sum(read.stream().mapToObj(all::get));
  }

  private static Tensor sum(Stream<Tensor> results) {
    return results
        .map(y -> {
          Tensor weights = Philox.of(7).normal(DType.F64, 0, 1, y.shape().toArray());
          return y.mul(weights.to(y.device()).cast(y.dtype())).sum();
        })
        .reduce(Tensor::add)
        .orElseThrow();
  }

  private static List<Tensor> leaves(Recurrent<Seen> layer, Tensor x) {
    return List.of(Layers.inputs(layer, x, List.of()));
  }

  private static List<Tensor> gradients(Supplier<Tensor> loss, List<Tensor> by) {
    var gradients = Grad.orZero(loss, by.toArray(Tensor[]::new));
    return IntStream.range(0, by.size()).mapToObj(gradients::get).toList();
  }

  private static void same(List<Tensor> actual, List<Tensor> expected, String what) {
    for (int i = 0; i < actual.size(); i++) {
      double[] a = actual.get(i).cast(DType.F64).toDoubleArray();
      double[] e = expected.get(i).cast(DType.F64).toDoubleArray();
      double most = 1;
      for (double value : e) {
        most = Double.isFinite(value) ? Math.max(most, Math.abs(value)) : most;
      }
      for (int j = 0; j < e.length; j++) {
        if (Double.compare(a[j], e[j]) != 0) {
          assertThat(Math.abs(a[j] - e[j]) / most)
              .as("%s: gradient %d, element %d, %s for %s", what, i, j, a[j], e[j])
              .isLessThan(1e-10);
        }
      }
    }
  }

  private static final Composite PAIR =
      new Composite(
          "test.unreached",
          in -> {
            Tensor a = in[0].mul(in[1]);
            return new Tensor[] {a.tanh(), a.exp(), a.sub(a).sqrt().add(a)};
          });

  @ParameterizedTest
  @MethodSource("devices")
  void ofACompositeHaveNoPart(Device device) {
    try (var scope = TensorScope.open(device)) {
      for (double scale : new double[] {0.5, 1000}) {
        Tensor x = Philox.of(5).normal(DType.F64, 0, scale, N, 16).to(device);
        Tensor w = Philox.of(6).normal(DType.F64, 0, 3, 16).to(device);
        for (int some = 1; some < 1 << 3; some++) {
          var read = BitSet.valueOf(new long[] {some});
          Supplier<Tensor> loss =
              () -> {
                Tensor[] all = Op.applyAll(PAIR, x, w);
                return sum(read.stream().mapToObj(k -> all[k]));
              };
          List<Tensor> actual = gradients(loss, List.of(x, w));
          same(actual, FusedContract.BODIES.run(() -> gradients(loss, List.of(x, w))), read + "");
          if (some == 1) {
            Supplier<Tensor> alone = () -> sum(Stream.of(x.mul(w).tanh()));
            same(actual, gradients(alone, List.of(x, w)), "tanh at " + scale);
          }
        }
      }
    }
  }
}
