package carousel.nn.reports;

import static carousel.nn.reports.Compared.same;
import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.LstmState;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of rows of several lengths, of none, and of skipped steps, tried here. */
class LengthReportsTest {
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
  @DisplayName("PyTorch 4582, 11514: a row of length 0 is a row")
  void lengthZero() {
    var layer = Recurrent.of(GruResetAfter.of(2, 3, INIT, rng));
    Tensor x = uniform(4, 3, 2);
    Tensor h = uniform(3, 3);
    var marks = Marks.ofLengths(Tensor.of(0, 4, 2));
    var ragged = layer.run(x, marks, List.of(new HiddenState(h)));
    var whole = layer.run(x, new HiddenState(h));
    var half = layer.run(x.narrow(0, 0, 2), new HiddenState(h));
    assertThat(ragged.y().select(1, 0).toDoubleArray()).containsOnly(0);
    same(ragged.last().select(0, 0), h.select(0, 0));
    same(ragged.last().select(0, 1), whole.last().select(0, 1));
    same(ragged.last().select(0, 2), half.last().select(0, 2));

    Gradients g =
        Grad.of(
            () -> layer.run(x, marks, List.of(new HiddenState(h))).last().select(0, 0).sum(), x, h);
    assertThat(g.get(0).toDoubleArray()).containsOnly(0);
    same(g.get(1), Tensor.of(Shape.of(3, 3), 1.0, 1, 1, 0, 0, 0, 0, 0, 0));
  }

  @Test
  @DisplayName("PyTorch 50192, 149227: no steps, and no rows")
  void noStepsAndNoRows() {
    var cell = Lstm.of(2, 3, INIT, rng);
    var layer = Bidirectional.of(cell, Lstm.of(2, 3, INIT, rng));
    Tensor h = uniform(5, 3);
    Tensor c = uniform(5, 3);
    List<RecurrentState> start = List.of(new LstmState(h, c), new LstmState(c, h));
    Tensor none = Tensor.zeros(F64, 0, 5, 2);
    var run = layer.run(none, Marks.none(), start);
    assertThat(run.y().shape()).isEqualTo(Shape.of(0, 5, 6));
    same(run.last(), Tensor.concat(List.of(h, c), 1));
    same(((LstmState) run.states().getFirst()).c(), c);
    Gradients g =
        Grad.orZero(
            () -> layer.run(none, Marks.none(), start).last().square().sum(), h, cell.wx().value());
    same(g.get(0), h.mul(2));
    same(g.get(1), Tensor.zeros(F64, 2, 12));

    Tensor noRows = Tensor.zeros(F64, 4, 0, 2);
    var lengths = Marks.ofLengths(Tensor.of(new int[0]));
    assertThat(layer.run(noRows, lengths, List.of()).y().shape()).isEqualTo(Shape.of(4, 0, 6));
    Gradients zero =
        Grad.of(() -> layer.run(noRows, lengths, List.of()).y().sum(), cell.wx().value());
    same(zero.get(0), Tensor.zeros(F64, 2, 12));
  }

  @Test
  @DisplayName("MXNet 19323, DL4J 1030, JAX 15183: both directions of rows of several lengths")
  void bidirectionalLengths() {
    var forward = Lstm.of(8, 4, INIT, rng);
    var backward = Lstm.of(8, 4, INIT, rng);
    var layer = Bidirectional.of(forward, backward);
    int[] lengths = {4, 5, 4, 1, 1, 1, 1, 1};
    Tensor x = uniform(5, 8, 8);
    Tensor weights = uniform(5, 8, 8);
    Tensor there = Tensor.arange(5).unsqueeze(1).lt(Tensor.of(lengths)).unsqueeze(2);
    Tensor padded = Tensor.where(there, x, x.scalarLike(Double.NaN));
    Tensor[] leaves = {
      forward.wx().value(), backward.wh().value(), requireNonNull(backward.b()).value()
    };
    var marks = Marks.ofLengths(Tensor.of(lengths));
    var all = layer.run(padded, marks, List.of());
    Gradients g = Grad.of(() -> layer.run(padded, marks, List.of()).y().mul(weights).sum(), leaves);
    List<Tensor> sums =
        new ArrayList<>(
            List.of(leaves[0].zerosLike(), leaves[1].zerosLike(), leaves[2].zerosLike()));
    for (int n = 0; n < lengths.length; n++) {
      int row = n;
      Tensor alone = x.narrow(0, 0, lengths[n]).narrow(1, n, 1);
      Tensor w = weights.narrow(0, 0, lengths[n]).narrow(1, n, 1);
      var one = layer.run(alone);
      same(all.y().narrow(0, 0, lengths[row]).narrow(1, row, 1), one.y());
      same(all.last().narrow(0, n, 1), one.last());
      Gradients part = Grad.of(() -> layer.run(alone).y().mul(w).sum(), leaves);
      for (int i = 0; i < leaves.length; i++) {
        sums.set(i, sums.get(i).add(part.get(i)));
      }
    }
    for (int i = 0; i < leaves.length; i++) {
      same(g.get(i), sums.get(i));
    }
  }

  @Test
  @DisplayName("Keras 4192, 1300: where the skipped steps stand makes no difference")
  void skippedStepsAnywhere() {
    var layer =
        Bidirectional.of(Elman.of(Activation.TANH, 2, 3, INIT, rng), Lstm.of(2, 3, INIT, rng));
    layer = new Bidirectional(layer.forward().withLearnedStart(), layer.backward());
    requireNonNull(((Elman) layer.forward().cell()).b()).assign(Tensor.full(F64, 0.7, 3));
    Tensor x = uniform(3, 1, 2);
    var wanted = layer.run(x);
    boolean[][] places = {
      {true, true, true, false, false},
      {false, false, true, true, true},
      {true, false, true, false, true}
    };
    for (boolean[] taken : places) {
      List<Tensor> steps = new ArrayList<>();
      List<Integer> at = new ArrayList<>();
      for (int t = 0, i = 0; t < taken.length; t++) {
        steps.add(taken[t] ? x.select(0, i++) : Tensor.full(F64, 9, 1, 2));
        if (taken[t]) {
          at.add(t);
        }
      }
      var marks = Marks.none().withTaken(Tensor.of(Shape.of(5, 1), taken));
      var got = layer.run(Tensor.stack(steps, 0), marks, List.of());
      for (int i = 0; i < 3; i++) {
        same(got.y().select(0, at.get(i)), wanted.y().select(0, i));
      }
      same(got.last(), wanted.last());
    }
  }

  /** Carries a matrix per row, and gives something that is no part of it. */
  public record Wide(Parameter scale) implements Cell<Wide.Carried> {
    /** {@code m [N,2,3]}. */
    public record Carried(Tensor m) implements RecurrentState {}

    @Override
    public int inputs() {
      return 2;
    }

    @Override
    public int outputs() {
      return 4;
    }

    @Override
    public Tensor project(Tensor x) {
      return x.mul(scale.value());
    }

    @Override
    public Carried step(Tensor z, Carried state) {
      return new Carried(state.m().add(z.unsqueeze(2)));
    }

    @Override
    public Carried zero(int batch) {
      return new Carried(Tensor.zeros(F64, batch, 2, 3));
    }

    @Override
    public Tensor output(Carried state) {
      Tensor sums = state.m().sum(2);
      return Tensor.concat(List.of(sums, sums.mul(-10)), 1);
    }
  }

  @Test
  @DisplayName(
      "Keras 11498, TensorFlow 23632: states of rank 3, outputs that are no state, the last step skipped")
  void outputsAreNotStates() {
    var layer = Recurrent.of(new Wide(Parameter.of(Tensor.full(F64, 1))));
    Tensor x = Tensor.ones(F64, 4, 3, 2);
    Tensor taken = Tensor.of(Shape.of(4, 1), true, true, true, false).expand(4, 3).contiguous();
    var run = layer.run(x, Marks.none().withTaken(taken), List.of());
    assertThat(run.states().getFirst().tensors().getFirst().toDoubleArray())
        .hasSize(18)
        .containsOnly(3);
    assertThat(run.y().select(0, 3).toDoubleArray()).containsOnly(0);
    assertThat(run.y().select(0, 2).select(0, 1).toDoubleArray()).containsExactly(9, 9, -90, -90);
    assertThat(run.last().select(0, 0).toDoubleArray()).containsExactly(9, 9, -90, -90);
  }

  @Test
  @DisplayName("DL4J 5982: the last output of two directions")
  void lastOfBothDirections() {
    var layer = Bidirectional.of(Lstm.of(2, 3, INIT, rng), Lstm.of(2, 4, INIT, rng));
    Tensor x = uniform(5, 2, 2);
    var run = layer.run(x, Marks.ofLengths(Tensor.of(5, 3)), List.of());
    for (int n = 0; n < 2; n++) {
      Tensor y = run.y().select(1, n);
      Tensor last = run.last().select(0, n);
      same(last.narrow(0, 0, 3), y.select(0, n == 0 ? 4 : 2).narrow(0, 0, 3));
      same(last.narrow(0, 3, 4), y.select(0, 0).narrow(0, 3, 4));
    }
  }
}
