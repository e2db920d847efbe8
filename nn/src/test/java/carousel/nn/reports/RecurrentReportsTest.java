package carousel.nn.reports;

import static carousel.nn.reports.Compared.same;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.CarriedState;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.LstmState;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of layers over time, tried here. */
class RecurrentReportsTest {
  private static final Init INIT = Init.uniform(0.5).as(F64);

  private final Philox rng = Philox.of(15);
  private final TensorScope run = TensorScope.open();

  @AfterEach
  void close() {
    run.close();
  }

  private Tensor uniform(int... dims) {
    return rng.uniform(F64, -1, 1, dims);
  }

  @Test
  @DisplayName("DL4J 8838: a loss of the last memory alone")
  void gradientOfTheLastMemory() {
    double[] w = {0.3, -0.4, 0.5, 0.6};
    double[] u = {-0.2, 0.7, 0.1, 0.25};
    double[] b = {0.1, 0.2, -0.3, 0.4};
    double[] x = {0.8, -1.1, 0.45};
    var cell = new Lstm(parameter(w), parameter(u), Parameter.of(Tensor.of(b)));
    Gradients g =
        Grad.of(
            () ->
                ((LstmState)
                        Recurrent.of(cell).run(Tensor.of(Shape.of(3, 1, 1), x)).states().getFirst())
                    .c()
                    .sum(),
            cell.wx().value(),
            cell.wh().value(),
            requireNonNull(cell.b()).value());
    double step = 1e-6;
    for (int k = 0; k < 4; k++) {
      double[][] all = {w, u, b};
      for (int p = 0; p < 3; p++) {
        double old = all[p][k];
        all[p][k] = old + step;
        double up = memory(cell.gates().names(), w, u, b, x);
        all[p][k] = old - step;
        double down = memory(cell.gates().names(), w, u, b, x);
        all[p][k] = old;
        assertThat(g.get(p).toDoubleArray()[k]).isCloseTo((up - down) / (2 * step), within(1e-9));
      }
    }
  }

  private static Parameter parameter(double... row) {
    return Parameter.of(Tensor.of(Shape.of(1, row.length), row));
  }

  /** c after an LSTM of one unit has read x. */
  private static double memory(List<String> gates, double[] w, double[] u, double[] b, double[] x) {
    double h = 0;
    double c = 0;
    for (double in : x) {
      double[] a = new double[4];
      for (int k = 0; k < 4; k++) {
        a[k] = w[k] * in + u[k] * h + b[k];
      }
      c =
          sigmoid(a[gates.indexOf("f")]) * c
              + sigmoid(a[gates.indexOf("i")]) * Math.tanh(a[gates.indexOf("g")]);
      h = sigmoid(a[gates.indexOf("o")]) * Math.tanh(c);
    }
    return c;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  @Test
  @DisplayName("PyTorch 619, 345: inputs, states and gradients that are views")
  void viewsInAndOut() {
    var layer = Bidirectional.of(Lstm.of(3, 5, INIT, rng), Lstm.of(3, 5, INIT, rng));
    Tensor x = uniform(3, 7, 4);
    Tensor h = uniform(5, 9);
    Tensor w = uniform(7, 4);
    List<Tensor> got = viewGradients(layer, x, h, w, false);
    List<Tensor> wanted = viewGradients(layer, x, h, w, true);
    for (int i = 0; i < got.size(); i++) {
      same(got.get(i), wanted.get(i));
    }
  }

  private static List<Tensor> viewGradients(
      Bidirectional layer, Tensor x, Tensor h, Tensor w, boolean copies) {
    UnaryOperator<Tensor> made = t -> copies ? t.contiguous().copy() : t;
    Gradients g =
        Grad.of(
            () -> {
              Tensor in = made.apply(x.transpose(0, 1).transpose(1, 2).flip(0)); // [7,4,3]
              Tensor start = made.apply(h.transpose(0, 1).narrow(0, 2, 4)); // [4,5]
              Tensor one = made.apply(h.narrow(1, 1, 1).transpose(0, 1).expand(4, 5));
              var state = new LstmState(start, one);
              var run = layer.run(in, Marks.none(), List.of(state, state));
              Tensor y = made.apply(run.y().transpose(0, 2)); // [10,4,7]
              Tensor every = made.apply(y.slice(0, 0, 10, 3).sum(0).transpose(0, 1));
              return every.mul(w).sum().add(made.apply(run.last().flip(1)).narrow(1, 0, 3).sum());
            },
            x,
            h,
            ((Lstm) layer.forward().cell()).wh().value(),
            requireNonNull(((Lstm) layer.backward().cell()).b()).value());
    return List.of(g.get(0), g.get(1), g.get(2), g.get(3));
  }

  @Test
  @DisplayName("PyTorch 6178: a state whose rows and steps are swapped is refused")
  void statesOfAnotherBatch() {
    var layer = Recurrent.of(Lstm.of(20, 30, Init.uniform(0.1), rng));
    Tensor x = rng.uniform(F32, 0, 1, 1, 100, 20).transpose(0, 1);
    Tensor h = rng.uniform(F32, 0, 1, 100, 30);
    assertThatThrownBy(() -> layer.run(x, new LstmState(h, h)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("[1,30]")
        .hasMessageContaining("[100,30]");
  }

  @Tag("cpu")
  @Test
  @DisplayName("PyTorch 32023: what a row gives does not depend on the rows beside it")
  void rowsByThemselves() {
    var layer = Recurrent.of(GruResetAfter.of(22, 64, Init.uniform(0.2), rng));
    Tensor x = rng.normal(F32, 0, 1, 12, 100, 22);
    Tensor whole = layer.apply(x);
    for (int[] part : new int[][] {{0, 50}, {50, 50}, {0, 1}, {37, 3}, {93, 7}}) {
      Tensor some = layer.apply(x.narrow(1, part[0], part[1]));
      assertThat(some.sameValues(whole.narrow(1, part[0], part[1]).contiguous()))
          .as("rows %d to %d", part[0], part[0] + part[1])
          .isTrue();
    }
  }

  private static Recurrent<HiddenState> linear(double wx, double wh, double b) {
    return Recurrent.of(
        new Elman(
            Activation.IDENTITY,
            parameter(wx),
            parameter(wh),
            Parameter.of(Tensor.of(new double[] {b}))));
  }

  @Test
  @DisplayName("Flux 2185, 1547: gradients of a linear recurrence, the learned start among them")
  void linearRecurrence() {
    // h1 = 5·2 + 4·7 = 38, h2 = 5·3 + 4·38
    var layer = linear(5, 4, 0).withLearnedStart();
    layer.start().getFirst().assign(Tensor.of(new double[] {7}));
    var cell = (Elman) layer.cell();
    Tensor x = Tensor.of(Shape.of(2, 1, 1), 2.0, 3);
    Tensor[] leaves = {
      cell.wx().value(),
      cell.wh().value(),
      requireNonNull(cell.b()).value(),
      layer.start().getFirst().value()
    };
    Gradients g = Grad.of(() -> layer.run(x).last().sum(), leaves);
    assertThat(g.value().item()).isEqualTo(167);
    assertThat(g.get(0).item()).isEqualTo(3 + 4 * 2);
    assertThat(g.get(1).item()).isEqualTo(38 + 4 * 7);
    assertThat(g.get(2).item()).isEqualTo(1 + 4);
    assertThat(g.get(3).item()).isEqualTo(4 * 4);

    var other = linear(0.7, 0.001, 0.85);
    Tensor both = Tensor.of(Shape.of(2, 1, 1), 0.3, 2.5);
    Gradients sum = Grad.of(() -> other.apply(both).sum(), ((Elman) other.cell()).wx().value());
    assertThat(sum.value().item()).isCloseTo(3.66106, within(1e-12));
    assertThat(sum.get(0).item()).isCloseTo(2.8003, within(1e-12));
  }

  @Test
  @DisplayName("Flux 280: a hundred thousand steps, by a layer and by a loop")
  void manySteps() {
    var layer = linear(1, 0.5, 0);
    var cell = (Elman) layer.cell();
    Tensor x = Tensor.ones(F64, 100_000, 1, 1);
    Gradients g = Grad.of(() -> layer.run(x).last().sum(), cell.wx().value(), cell.wh().value());
    assertThat(g.get(0).item()).isCloseTo(2, within(1e-12)); // h = wx / (1 − wh)
    assertThat(g.get(1).item()).isCloseTo(4, within(1e-12));

    Tensor half = Tensor.of(0.5);
    Gradients loop =
        Grad.of(
            () -> {
              Tensor h = Tensor.full(F64, 0);
              for (int t = 0; t < 100_000; t++) {
                h = h.mul(half).add(1);
              }
              return h.sum();
            },
            half);
    assertThat(loop.get(0).item()).isCloseTo(4, within(1e-12));
  }

  @Test
  @DisplayName(
      "DL4J 4619, 1140: windows that carry a state hold no more memory, and no gradient of the last")
  void windows() {
    var cell = Lstm.of(3, 4, INIT, rng);
    Sequence layer = Recurrent.of(cell);
    Tensor x = uniform(5, 2, 3);
    var carried = new CarriedState();
    for (int window = 0; window < 20; window++) {
      List<RecurrentState> before = carried.now();
      long held = run.bytes();
      try (var step = TensorScope.open()) {
        Gradients g =
            Grad.of(() -> layer.run(x, Marks.none(), before).y().sum(), cell.wh().value());
        List<RecurrentState> fresh =
            before.stream().map(s -> RecurrentState.map(s, t -> t.detach().copy())).toList();
        Gradients alone =
            Grad.of(() -> layer.run(x, Marks.none(), fresh).y().sum(), cell.wh().value());
        same(g.get(0), alone.get(0));
        carried.endWith(layer.run(x, before).states());
        carried.advance();
      }
      assertThat(run.bytes() - held).isEqualTo(window == 0 ? 2 * 2 * 4 * 8 : 0); // h and c [2,4]
    }
  }
}
