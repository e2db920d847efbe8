package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.Transform;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Transforms behind layers over time, and their input added: each row as if it ran alone. */
class ThenTest {
  private static final int T = 4;
  private static final int N = 3;
  private static final Init INIT = Init.normal(0.7).as(F64);
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Linear linear(int in, int out, long seed) {
    return Linear.of(in, out, INIT, INIT, Philox.of(seed));
  }

  /** Of as many features as they read. */
  private static List<Sequence> layers() {
    var back = Recurrent.reverse(cell("gru", H, 2));
    var pair = Bidirectional.of(cell("elman", 2 * H, 3), cell("gru", 2 * H, 4));
    return List.of(
        Recurrent.of(cell("lstm", H, 1)),
        back,
        pair,
        Stacked.of(back, Recurrent.of(cell("gru", H, 5))),
        Recurrent.of(cell("gru", H, 5)).residual(),
        back.then(linear(H, H, 6), Tensor::tanh));
  }

  static Stream<Sequence> wrapped() {
    var all = new ArrayList<Sequence>();
    for (Sequence layer : layers()) {
      int width = layer.outputs();
      all.add(layer.residual());
      all.add(layer.then(LayerNorm.of(F64, width), linear(width, 3, 7)));
      all.add(layer.residual().then(x -> x.mul(2).add(1)));
    }
    return all.stream();
  }

  private static void same(Tensor a, Tensor b) {
    assertThat(a.shape()).isEqualTo(b.shape());
    assertThat(a.sub(b).abs().max().item()).isLessThan(1e-12);
  }

  @Test
  void residualsAndTransformsAreWhatTheySay() {
    var plain = Recurrent.of(cell("lstm", H, 1));
    Tensor x = random(1, T, N, H);
    var run = plain.run(x);
    var added = plain.residual().run(x);
    same(added.y(), x.add(run.y()));
    same(added.last(), added.y().select(0, T - 1));
    assertThat(added.states()).hasSize(1);
    var head = linear(H, 5, 2);
    var mapped = plain.then(head, Tensor::relu);
    same(mapped.run(x).y(), head.apply(run.y()).relu());
    same(mapped.run(x).last(), head.apply(run.last()).relu());
    assertThat(mapped.outputs()).isEqualTo(5);
    assertThat(mapped.inputs()).isEqualTo(H);
    assertThat(mapped.parameters().names())
        .containsExactly(
            "layer.cell.wx", "layer.cell.wh", "layer.cell.b", "maps.0.weight", "maps.0.bias");
  }

  @Test
  void theLastOfAResidualIsTheOutputOfTheLastStepTaken() {
    Tensor x = random(1, T, N, H);
    var back = Recurrent.reverse(cell("gru", H, 2)).residual();
    same(back.run(x).last(), back.run(x).y().select(0, 0));
    Tensor wide = random(2, T, N, 2 * H);
    var pair = Bidirectional.of(cell("elman", 2 * H, 3), cell("gru", 2 * H, 4)).residual();
    var run = pair.run(wide);
    same(run.last().narrow(1, 0, H), run.y().select(0, T - 1).narrow(1, 0, H));
    same(run.last().narrow(1, H, H), run.y().select(0, 0).narrow(1, H, H));
  }

  /** Rows that are ragged, with skipped steps, give what each gives alone without the steps that it does not take. */
  @ParameterizedTest
  @ValueSource(ints = {0, 4, 6, 8, 10, 12, 17}) // every kind of layer, every wrapper
  void eachRowIsAsIfItRanAlone(int index) {
    var layer = wrapped().toList().get(index);
    Tensor x = random(3, T, N, layer.inputs());
    int[] lengths = {2, T, 0};
    boolean[][] taken = {
      {true, false, true, true}, {false, true, true, false}, {true, true, true, true}
    };
    double[] flags = new double[T * N];
    for (int t = 0; t < T; t++) {
      for (int n = 0; n < N; n++) {
        flags[t * N + n] = taken[n][t] ? 1 : 0;
      }
    }
    Tensor where = Tensor.of(Shape.of(T, N), flags).ne(0);
    for (boolean skips : new boolean[] {false, true}) {
      var marks = Marks.ofLengths(Tensor.of(lengths));
      var run = layer.run(x, skips ? marks.withTaken(where) : marks);
      for (int n = 0; n < N; n++) {
        List<Integer> steps = new ArrayList<>();
        for (int t = 0; t < lengths[n]; t++) {
          if (!skips || taken[n][t]) {
            steps.add(t);
          }
        }
        Tensor row = x.narrow(1, n, 1);
        var alone =
            layer.run(
                steps.isEmpty()
                    ? row.narrow(0, 0, 0)
                    : Tensor.concat(steps.stream().map(t -> row.narrow(0, t, 1)).toList(), 0));
        for (int t = 0; t < T; t++) {
          Tensor y = run.y().select(0, t).select(0, n);
          int at = steps.indexOf(t);
          same(y, at < 0 ? y.zerosLike() : alone.y().select(0, at).select(0, 0));
        }
        same(run.last().select(0, n), alone.last().select(0, 0));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 7, 10, 13}) // every wrapper, and every kind of layer in one
  void gradientsToSecondOrder(int index) {
    var layer = wrapped().toList().get(index);
    Tensor x = random(3, 2, 2, layer.inputs());
    Tensor lengths = Tensor.of(2, 1);
    GradCheck.standard()
        .run(
            layer.toString(),
            in -> Layers.flat(layer.run(in[0], lengths)),
            Layers.inputs(layer, x, List.of()))
        .require();
  }

  @Test
  void whatIsPastTheEndMakesNoGradientNan() {
    var layer = Recurrent.of(cell("lstm", H, 1)).then(Tensor::square, Tensor::log);
    Tensor x = random(1, T, 2, H);
    Tensor lengths = Tensor.of(T, 2);
    var g = Grad.of(() -> layer.run(x, lengths).y().sum(), Layers.inputs(layer, x, List.of()));
    for (int i = 0; i < g.size(); i++) {
      assertThat(g.get(i).isFinite().all().item()).as("gradient %d", i).isEqualTo(1);
    }
  }

  @Test
  void standInStacksAndKeepTheirStates() {
    var stack =
        Stacked.of(
            Recurrent.of(cell("lstm", D, 1)).then(LayerNorm.of(F64, H)),
            Recurrent.of(cell("gru", H, 2)).residual(),
            Bidirectional.of(cell("elman", H, 3), cell("gru", H, 4)).then(linear(2 * H, 3, 5)));
    assertThat(stack.cells()).isEqualTo(4);
    assertThat(stack.outputs()).isEqualTo(3);
    Tensor x = random(3, T, N, D);
    assertThat(stack.run(x).states()).hasSize(4);
    var forward = Stacked.of(stack.layers().get(0), stack.layers().get(1));
    var whole = forward.run(x);
    var first = forward.run(x.narrow(0, 0, 2));
    var second = forward.run(x.narrow(0, 2, 2), first.states());
    same(Tensor.concat(List.of(first.y(), second.y()), 0), whole.y());
    same(second.last(), whole.last());
  }

  @Test
  void widthsThatDoNotFitAreSaidWithBothSizes() {
    assertThatThrownBy(() -> Recurrent.of(cell("lstm")).residual())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("the layer makes [T,N,2] of [T,N,3]");
    assertThatThrownBy(() -> Recurrent.of(cell("lstm")).then(linear(3, 3, 1)))
        .hasMessage(
            "then: the transforms read 3 features, and the layer before them, Recurrent, gives 2");
    assertThatThrownBy(() ->
            Recurrent.of(cell("lstm")).then(linear(2, 3, 1), Activation.TANH, linear(4, 3, 2)))
        .hasMessage("sequential: layer 2, Linear, reads 4 features, and layer 0, Linear, gives 3");
    Transform same = x -> x;
    assertThatThrownBy(() -> Recurrent.of(cell("lstm")).then(same, linear(3, 3, 1)))
        .hasMessage(
            "sequential: layer 1: linear: reads 3 features, the rows of its weight [3,3], got 2");
    Transform halves = x -> x.narrow(Tensor.LAST, 0, 1);
    assertThatThrownBy(() -> Recurrent.of(cell("lstm")).then(halves).apply(random(1, T, N, D)))
        .hasMessageContaining(
            "then: the transforms make [4,3,1] of [4,3,2], and say that they give 2 features");
  }

  @ParameterizedTest
  @MethodSource("merges")
  void directionsAreMerged(Bidirectional.Merge merge) {
    var pair = Bidirectional.of(cell("lstm"), cell("gru", D, 2));
    var merged = pair.withMerge(merge);
    Tensor x = random(1, T, N, D);
    Tensor lengths = Tensor.of(T, 2, 0);
    Tensor y = pair.run(x, lengths).y();
    Tensor last = pair.run(x, lengths).last();
    var run = merged.run(x, lengths);
    same(run.y(), by(merge, y));
    same(run.last(), by(merge, last));
    assertThat(merged.outputs()).isEqualTo(run.y().dim(2));
    assertThat(run.states()).hasSize(2);
    Tensor few = random(1, 2, 2, D);
    Tensor ends = Tensor.of(2, 1);
    GradCheck.standard()
        .run(
            merge.name(),
            in -> Layers.flat(merged.run(in[0], ends)),
            Layers.inputs(merged, few, List.of()))
        .require();
  }

  static Bidirectional.Merge[] merges() {
    return Bidirectional.Merge.values();
  }

  private static Tensor by(Bidirectional.Merge merge, Tensor both) {
    Tensor f = both.narrow(Tensor.LAST, 0, H);
    Tensor b = both.narrow(Tensor.LAST, H, H);
    return switch (merge) {
      case CONCAT -> both;
      case ADD -> f.add(b);
      case MULTIPLY -> f.mul(b);
      case AVERAGE -> f.add(b).div(2);
    };
  }

  @Test
  void mergesOfUnlikeSizesAreRefused() {
    var wide = Cells.of("gru", D, H + 1, INIT, Philox.of(1));
    var pair = Bidirectional.of(cell("lstm"), wide);
    assertThat(pair.outputs()).isEqualTo(2 * H + 1);
    assertThatThrownBy(() -> pair.withMerge(Bidirectional.Merge.ADD))
        .hasMessageContaining("the layers give 2 and 3 features, which ADD cannot merge");
  }

  @Test
  void aMergedPairHasTheTypeOfItsInput() {
    var single = Init.normal(0.5);
    var pair =
        Bidirectional.of(Lstm.of(D, H, single, Philox.of(1)), Lstm.of(D, H, single, Philox.of(2)))
            .withMerge(Bidirectional.Merge.AVERAGE);
    assertThat(pair.apply(Tensor.zeros(T, N, D)).dtype()).isEqualTo(DType.F32);
  }
}
