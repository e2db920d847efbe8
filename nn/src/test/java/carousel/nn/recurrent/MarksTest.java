package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.Layers.weighted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Combinations;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Resets, skipped steps and lengths are what runs of the sequences alone give: values and gradients. */
class MarksTest {
  private static final int T = 5;
  private static final int N = 3;
  private static final int[] WHOLE = {T, T, T};

  /** A layer over a cell, and which of its cells run in reverse. */
  private record Way(String name, Function<String, Sequence> layer, List<Boolean> reverse) {}

  private static final List<Way> WAYS =
      List.of(
          new Way("forward", n -> Recurrent.of(cell(n)), List.of(false)),
          new Way("reverse", n -> Recurrent.reverse(cell(n)), List.of(true)),
          new Way("learned start", n -> learned(Recurrent.of(cell(n))), List.of(false)),
          new Way(
              "reverse from a learned start",
              n -> learned(Recurrent.reverse(cell(n))),
              List.of(true)),
          new Way("bidirectional", MarksTest::pair, List.of(false, true)),
          new Way(
              "stacked",
              n -> Stacked.of(pair(n), learned(Recurrent.of(cell("gru", 2 * H, 3)))),
              List.of(false, true, false)));

  private static Recurrent<?> learned(Recurrent<?> layer) {
    return Layers.fillZeros(layer.withLearnedStart(), Philox.of(6));
  }

  private static Bidirectional pair(String name) {
    return new Bidirectional(
        learned(Recurrent.of(cell(name))), Recurrent.reverse(cell(name, D, 2)));
  }

  /** What is marked; null or empty for nothing. Letters of a row per line, one column per step. */
  private record Case(String name, int[] lengths, String resets, String taken) {
    Segments of(Sequence layer, List<Boolean> reverse) {
      return new Segments(layer, reverse, lengths, flagsOrNone(resets), flagsOrNone(taken));
    }
  }

  private static final Case EVERYTHING =
      new Case("everything", new int[] {4, 5, 2}, ".x..x x..x. .xx..", "xx.xx .xx.x .xx.x");

  private static final List<Case> CASES =
      List.of(
          new Case("some begin", WHOLE, "..x.. .x.x. .....", ""),
          new Case("all begin at step 0", WHOLE, "x.... x.x.. x...x", ""),
          new Case("all begin at every step", WHOLE, "xxxxx xxxxx xxxxx", ""),
          new Case("rows end", new int[] {3, 5, 0}, ".x.xx .x.x. xx.x.", ""),
          new Case("some are skipped", WHOLE, "", "xx.xx .x.x. xxxx."),
          new Case("all of a row are skipped", WHOLE, "", "..... x...x xxxxx"),
          new Case("begins where it is skipped", WHOLE, "..x.. x..x. ....x", "xx.xx .xx.x xxx.."),
          EVERYTHING);

  private static boolean @Nullable [][] flagsOrNone(String rows) {
    return rows.isEmpty() ? null : flags(rows);
  }

  private static boolean[][] flags(String rows) {
    String[] each = rows.split(" ");
    boolean[][] flags = new boolean[each[0].length()][each.length];
    for (int t = 0; t < flags.length; t++) {
      for (int n = 0; n < each.length; n++) {
        flags[t][n] = each[n].charAt(t) == 'x';
      }
    }
    return flags;
  }

  @TestFactory
  Stream<DynamicTest> areWhatTheSequencesAloneGive() {
    return Combinations.numbered(Layers.cells())
        .flatMap(cell ->
            Combinations.numbered(WAYS.stream())
                .filter(way ->
                    way.value().reverse().size() == 1
                        || List.of("lstm", "jordan").contains(cell.value()))
                .flatMap(way ->
                    Combinations.numbered(CASES.stream())
                        .filter(marks ->
                            marks.value() == EVERYTHING
                                || Combinations.isTried(
                                    3, cell.number(), way.number(), marks.number()))
                        .map(marks ->
                            DynamicTest.dynamicTest(
                                cell.value()
                                    + " "
                                    + way.value().name()
                                    + ": "
                                    + marks.value().name(),
                                () -> agree(cell.value(), way.value(), marks.value(), T)))));
  }

  @TestFactory
  Stream<DynamicTest> atOneStep() {
    return WAYS.stream()
        .flatMap(way ->
            Stream.of(
                    new Case("begins", new int[] {1, 1, 0}, "x . x", ""),
                    new Case("is skipped", new int[] {1, 1, 1}, "x . x", ". . x"))
                .map(marks ->
                    DynamicTest.dynamicTest(
                        way.name() + ": " + marks.name(), () -> agree("lstm", way, marks, 1))));
  }

  private static void agree(String cell, Way way, Case marks, int steps) {
    try (var scope = TensorScope.open()) {
      Tensor x = random(1, steps, N, D);
      Sequence layer = way.layer().apply(cell);
      Segments segments = marks.of(layer, way.reverse());
      List<RecurrentState> initial = Layers.states(layer, x.dim(1), 2);
      for (List<RecurrentState> start : List.of(List.<RecurrentState>of(), initial)) {
        Supplier<Run> actual = () -> layer.run(x, segments.marks(x.dim(0)), start);
        Supplier<Run> expected = () -> segments.run(x, start);
        same(flat(actual.get()), flat(expected.get()), "values");
        Tensor[] by = Layers.inputs(layer, x, start);
        var gradients = Grad.orZero(() -> weighted(flat(actual.get()), 7), by);
        var alone = Grad.orZero(() -> weighted(flat(expected.get()), 7), by);
        var body =
            FusedContract.BODIES.run(() -> Grad.orZero(() -> weighted(flat(actual.get()), 7), by));
        for (int i = 0; i < by.length; i++) {
          same(gradients.get(i), alone.get(i), "gradient " + i);
          same(body.get(i), alone.get(i), "gradient by the body " + i);
        }
      }
    }
  }

  /** Outputs and states; what is last is held to these by other tests. */
  private static Tensor flat(Run run) {
    List<Tensor> parts = new ArrayList<>(List.of(run.y().flatten()));
    Layers.tensors(run.states()).forEach(tensor -> parts.add(tensor.flatten()));
    return Tensor.concat(parts, 0);
  }

  private static void same(Tensor actual, Tensor expected, String what) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    assertThat(actual.sub(expected).abs().max().item()).as(what).isLessThan(1e-12);
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void whatIsSkippedIsNotRead(String name) {
    try (var scope = TensorScope.open()) {
      for (var way : WAYS.subList(0, 2)) {
        Sequence layer = way.layer().apply(name);
        int number = Layers.cells().toList().indexOf(name) + WAYS.indexOf(way);
        for (Case marks : CASES.subList(4, CASES.size())) {
          if (!Combinations.isTried(2, number, CASES.indexOf(marks))) {
            continue;
          }
          Segments segments = marks.of(layer, way.reverse());
          boolean[][] taken = flags(marks.taken());
          for (double junk : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            double[] values = random(1, T, N, D).toDoubleArray();
            double[] dirty = values.clone();
            for (int i = 0; i < values.length; i++) {
              int t = i / (N * D);
              int n = i / D % N;
              dirty[i] = taken[t][n] && t < marks.lengths()[n] ? values[i] : junk;
            }
            Tensor clean = Tensor.of(Shape.of(T, N, D), values);
            Tensor x = Tensor.of(clean.shape(), dirty);
            Function<Tensor, Tensor> loss =
                in -> weighted(flat(layer.run(in, segments.marks(T), List.of())), 7);
            var expected =
                Grad.orZero(() -> loss.apply(clean), Layers.inputs(layer, clean, List.of()));
            var actual = Grad.orZero(() -> loss.apply(x), Layers.inputs(layer, x, List.of()));
            assertThat(actual.value().item()).isEqualTo(expected.value().item());
            for (int i = 0; i < expected.size(); i++) {
              assertThat(actual.get(i).sameValues(expected.get(i))).as("gradient " + i).isTrue();
            }
          }
        }
      }
    }
  }

  /** The start is one parameter for all rows: what it gets is the sum over all places where it is read. */
  @Test
  void everyBeginningReachesTheLearnedStart() {
    try (var scope = TensorScope.open()) {
      var layer = learned(Recurrent.of(cell("elman-identity")));
      Tensor x = random(1, T, N, D);
      Function<String, Tensor> gradient =
          resets ->
              Grad.of(
                      () ->
                          layer
                              .run(
                                  x,
                                  Marks.none().withResets(Segments.flags(flags(resets))),
                                  List.of())
                              .y()
                              .sum(),
                      layer.start().getFirst().value())
                  .get(0);
      // y_t = s·wh^k + ..: after a beginning the start is multiplied by wh, wh², ...
      Tensor wh = ((Elman) layer.cell()).wh().value();
      Tensor reaches = Tensor.zeros(DType.F64, H);
      String[] rows = "..x.. xx.x. .....".split(" ");
      for (String row : rows) {
        Tensor power = wh;
        for (int t = 0; t < T; t++) {
          power = t > 0 && row.charAt(t) != 'x' ? power.matmul(wh) : wh;
          reaches = reaches.add(power.sum(1));
        }
      }
      same(gradient.apply("..x.. xx.x. ....."), reaches, "the start's gradient");
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void haveGradientsToSecondOrder(String name) {
    try (var scope = TensorScope.open()) {
      int number = Layers.cells().toList().indexOf(name);
      for (var way : List.of(WAYS.get(2), WAYS.get(1))) {
        if (!Combinations.isTried(2, number, WAYS.indexOf(way))) {
          continue;
        }
        Sequence layer = way.layer().apply(name);
        Tensor x = random(3, 3, 2, D);
        var marks = new Case("", new int[] {3, 2}, ".x. ..x", "xx. .xx").of(layer, way.reverse());
        GradCheck.standard()
            .run(
                name + ", " + way.name(),
                in -> flat(layer.run(in[0], marks.marks(3), List.of())),
                Layers.inputs(layer, x, List.of()))
            .require();
      }
    }
  }

  @Test
  void areOfTheirTypesAndShapes() {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell("lstm"));
      Tensor x = random(1, 4, 2, D);
      Tensor flags = Tensor.zeros(4, 2).ne(0);
      assertThatThrownBy(() -> layer.run(x, Marks.none().withResets(Tensor.zeros(4, 2)), List.of()))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining(
              "recurrent Lstm: resets must be BOOL [4,2], one per step and row of [4,2,3], got F32"
                  + " [4,2]; compare numbers, e.g. ne(0)");
      assertThatThrownBy(
              () -> layer.run(x, Marks.none().withTaken(flags.transpose(0, 1)), List.of()))
          .isInstanceOf(TensorException.class)
          .hasMessageEndingWith(
              "recurrent Lstm: taken must be BOOL [4,2], one per step and row of [4,2,3], got BOOL"
                  + " [2,4]");
      assertThatThrownBy(() -> layer.run(x, Marks.none().withTaken(flags.select(1, 0)), List.of()))
          .hasMessageContaining("got BOOL [4]");
      assertThatThrownBy(
              () -> layer.run(x, Marks.ofLengths(Tensor.of(1, 2, 3)).withResets(flags), List.of()))
          .hasMessageContaining("lengths must be I32 [2]");
    }
  }

  /** Flags of no steps are none. */
  @Test
  void ofNoStepsLeaveTheInitialState() {
    try (var scope = TensorScope.open()) {
      for (var layer : List.of(Recurrent.of(cell("lstm")), Recurrent.reverse(cell("lstm")))) {
        Tensor flags = Tensor.zeros(0, 2).ne(0);
        List<RecurrentState> initial = Layers.states(layer, 2, 2);
        var run =
            layer.run(random(1, 0, 2, D), Marks.none().withResets(flags).withTaken(flags), initial);
        same(flat(run), flat(new Run(run.y(), run.last(), initial)), "initial state");
      }
    }
  }
}
