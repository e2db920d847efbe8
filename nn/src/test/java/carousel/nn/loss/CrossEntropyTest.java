package carousel.nn.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.nn.Goldens;
import carousel.nn.Wrong;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CrossEntropyTest {
  private static final Golden GOLDEN = Golden.load("cross-entropy");
  private static final double TOLERANCE = 1e-12;

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private record Case(String name, String logits, BiFunction<CrossEntropy, Tensor[], Tensor> f) {}

  private static Tensor apply(CrossEntropy loss, Tensor... in) {
    return loss.apply(in[0], in[1]);
  }

  private static Tensor weights() {
    return Goldens.tensor(GOLDEN, "ce.weight");
  }

  private static final List<Case> CASES =
      List.of(
          new Case("ce.", "ce.x", CrossEntropyTest::apply),
          new Case("ce.smooth.", "ce.finite", (loss, in) -> apply(loss.withSmoothing(0.1), in)),
          new Case("ce.weighted.", "ce.x", (loss, in) -> apply(loss.withWeights(weights()), in)),
          new Case(
              "ce.weightedSmooth.",
              "ce.finite",
              (loss, in) -> apply(loss.withWeights(weights()).withSmoothing(0.1), in)),
          new Case("nll.", "nll.x", (loss, in) -> loss.ofLogProbabilities(in[0], in[1])));

  @TestFactory
  Stream<DynamicTest> agreesWithPyTorch() {
    var tests = new ArrayList<DynamicTest>();
    for (var c : CASES) {
      for (var reduction : Reduction.values()) {
        for (var targets : List.of("all", "holes")) {
          String key = c.name + targets + "." + reduction.name().toLowerCase(java.util.Locale.ROOT);
          tests.add(DynamicTest.dynamicTest(key, () -> check(c, key, targets, reduction)));
        }
      }
    }
    return tests.stream();
  }

  private static void check(Case c, String key, String targets, Reduction reduction) {
    try (var scope = TensorScope.open()) {
      Tensor at = Goldens.tensor(GOLDEN, targets.equals("all") ? "ce.targets" : "ce.holes");
      var loss = CrossEntropy.of().withReduction(reduction);
      Goldens.expect(
          GOLDEN,
          key,
          Goldens.tensor(GOLDEN, "ce.w"),
          new String[] {"x"},
          new Tensor[] {Goldens.tensor(GOLDEN, c.logits)},
          in -> c.f.apply(loss, new Tensor[] {in[0], at}),
          TOLERANCE);
    }
  }

  @Test
  void ofNoTargetAtAll() {
    Tensor x = Goldens.tensor(GOLDEN, "ce.x");
    Tensor nothing = Goldens.tensor(GOLDEN, "ce.nothing");
    assertThat(Loss.crossEntropy(x, nothing).item()).isNaN();
    assertThat(Loss.crossEntropy(x, nothing, Reduction.SUM).item()).isZero();
    Goldens.expect(
        GOLDEN,
        "ce.nothing.sum",
        x,
        new String[] {"x"},
        new Tensor[] {x},
        in -> Loss.crossEntropy(in[0], nothing, Reduction.SUM),
        TOLERANCE);
    assertThat(Loss.crossEntropy(Tensor.zeros(0, 3), Tensor.of(new int[0])).item()).isNaN();
  }

  @Test
  void theIgnoredTargetMayBeAClass() {
    Tensor x = Goldens.tensor(GOLDEN, "ce.finite");
    int[] values = GOLDEN.tensor("ce.targets").ints();
    int[] holes = values.clone();
    for (int i = 0; i < holes.length; i++) {
      holes[i] = values[i] == 2 ? CrossEntropy.IGNORED : values[i];
    }
    for (var loss : List.of(CrossEntropy.of(), CrossEntropy.of().withSmoothing(0.2))) {
      double padded = loss.withIgnored(2).apply(x, Tensor.of(values)).item();
      assertThat(padded).isEqualTo(loss.apply(x, Tensor.of(holes)).item());
    }
  }

  @Test
  void takesAnyNumberOfAxes() {
    Tensor x = Goldens.tensor(GOLDEN, "ce.finite").narrow(0, 0, 6);
    Tensor targets = Goldens.tensor(GOLDEN, "ce.targets").narrow(0, 0, 6);
    Tensor flat = Loss.crossEntropy(x, targets, Reduction.NONE);
    Tensor cube = Loss.crossEntropy(x.reshape(3, 2, 5), targets.reshape(3, 2), Reduction.NONE);
    assertThat(cube.shape()).isEqualTo(Shape.of(3, 2));
    assertThat(cube.reshape(6).sameValues(flat)).isTrue();

    Tensor one = Loss.crossEntropy(x.select(0, 1), targets.select(0, 1));
    assertThat(one.item()).isCloseTo(flat.get(1), within(1e-15));
    assertThat(Loss.nll(x.logSoftmax(-1), targets).item())
        .isCloseTo(flat.mean().item(), within(1e-15));
  }

  @Test
  void isInNats() {
    Tensor uniform = Tensor.zeros(4, 10);
    assertThat(Loss.crossEntropy(uniform, Tensor.of(1, 2, 3, 9)).item())
        .isCloseTo(Math.log(10), within(1e-6));
  }

  @Test
  void namesATargetThatIsNoClass() {
    Tensor x = Tensor.zeros(2, 3, 5);
    Tensor targets = Tensor.of(Shape.of(2, 3), 0, 1, 2, 3, 4, 5);
    Wrong.index(
        () -> Loss.crossEntropy(x, targets),
        5,
        "crossEntropy: target 5 at [1,2] of [2,3] is out of range; valid are 0 to 4,"
            + " and -100, which is ignored");
    Wrong.index(
        () -> Loss.nll(x, Tensor.of(Shape.of(2, 3), 0, 1, -1, 3, 4, 4)),
        -1,
        "nll: target -1 at [0,2]");
    Wrong.index(
        () -> Loss.crossEntropy(Tensor.zeros(5), Tensor.of(Shape.SCALAR, 7)),
        7,
        "target 7 at [] of []");
    Wrong.index(() -> Loss.crossEntropy(x, targets, Reduction.NONE), 5, "target 5 at [1,2]");
  }

  @Test
  void saysWhatDoesNotFit() {
    Tensor x = Tensor.zeros(2, 5);
    assertThatThrownBy(() -> Loss.crossEntropy(x, Tensor.of(1, 2, 3)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("crossEntropy: [2,5] wants targets of the shape before its last axis")
        .hasMessageContaining("got targets [3]");
    assertThatThrownBy(() -> Loss.crossEntropy(Tensor.zeros(2, 0), Tensor.of(1, 2)))
        .hasMessageContaining("at least one");
    assertThatThrownBy(() -> Loss.crossEntropy(x, Tensor.zeros(2)))
        .hasMessageContaining(
            "targets must be I32, got F32 [2]; convert them with cast(DType.I32)");
    assertThatThrownBy(
            () -> CrossEntropy.of().withWeights(Tensor.ones(4)).apply(x, Tensor.of(1, 2)))
        .hasMessageContaining("weights must have shape [5], got [4]");
    assertThatThrownBy(() -> CrossEntropy.of().withSmoothing(1.5))
        .hasMessageContaining("smoothing must be in [0, 1], got 1.5");
    assertThat(x.dtype()).isEqualTo(DType.F32);
  }
}
