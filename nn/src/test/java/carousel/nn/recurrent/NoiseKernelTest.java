package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.Layers.weighted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Noise.Per;
import carousel.nn.recurrent.Recurrent.Direction;
import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Combinations;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Noise is the same numbers whoever runs: a kernel, the body, another device, a segment once more. */
class NoiseKernelTest {
  private static final int T = 5;
  private static final int N = 3;
  private static final String SHAPED = "a user's cell of several ranks";

  static Stream<String> cells() {
    return Stream.concat(Layers.cells(), Stream.of(SHAPED));
  }

  static Cell<?> any(String name) {
    if (!name.equals(SHAPED)) {
      return cell(name);
    }
    var rng = Philox.of(4);
    var init = Init.normal(0.6).as(DType.F64);
    return Layers.fillZeros(new ShapedCell(init.parameter(rng, D, H), init.parameter(rng, H)), rng);
  }

  /** Every kind of noise that a cell takes, other rates for each tensor of its state. */
  static Noise everything(Cell<?> cell, Per per) {
    int parts = cell.zero(1).tensors().size();
    double[] states = {0.3, 0.5, 0.2};
    double[] zoneout = {0.2, 0.6, 0.4};
    Noise noise =
        Noise.none()
            .inputs(0.25)
            .states(Arrays.copyOf(states, parts))
            .outputs(0.4)
            .zoneout(Arrays.copyOf(zoneout, parts));
    return cell instanceof CandidateCell ? noise.candidate(0.35, per) : noise;
  }

  private static Recurrent<?> layer(String name, Direction direction, Per per) {
    Cell<?> cell = any(name);
    Recurrent<?> plain =
        direction == Direction.FORWARD ? Recurrent.of(cell) : Recurrent.reverse(cell);
    return Layers.fillZeros(
        plain.withNoise(everything(cell, per)).withLearnedStart(), Philox.of(6));
  }

  private static Marks marks() {
    double[] resets = {0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1};
    double[] taken = {1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1};
    var shape = Shape.of(T, N);
    return Marks.ofLengths(Tensor.of(5, 4, 2))
        .withResets(Tensor.of(shape, resets).ne(0))
        .withTaken(Tensor.of(shape, taken).ne(0));
  }

  @TestFactory
  Stream<DynamicTest> isWhatItIsByHand() {
    return Combinations.numbered(cells())
        .flatMap(name ->
            Stream.of(Direction.values())
                .flatMap(direction ->
                    Stream.of(Per.values())
                        .flatMap(per ->
                            Combinations.numbered(Stream.of(Device.standard(), Device.reference()))
                                .filter(device ->
                                    Combinations.isTried(
                                        2,
                                        name.number(),
                                        direction.ordinal(),
                                        per.ordinal(),
                                        device.number()))
                                .map(device ->
                                    DynamicTest.dynamicTest(
                                        name.value()
                                            + " "
                                            + direction
                                            + " "
                                            + per
                                            + " "
                                            + device.value(),
                                        () ->
                                            byHand(
                                                name.value(), direction, per, device.value()))))));
  }

  private static void byHand(String name, Direction direction, Per per, Device device) {
    try (var scope = TensorScope.open(device)) {
      Recurrent<?> layer = layer(name, direction, per);
      Tensor x = random(1, T, N, D);
      Marks marks = marks();
      for (List<RecurrentState> start :
          List.of(List.<RecurrentState>of(), Layers.states(layer, N, 2))) {
        Supplier<Run> run = () -> Training.with(Philox.of(8), () -> layer.run(x, marks, start));
        Supplier<Run> expected = () -> NoiseByHand.run(layer, Philox.of(8), x, marks, start);
        if (device == Device.reference()) {
          assertThat(hasKernel(run)).as("there is a kernel").isEqualTo(!name.equals(SHAPED));
        }
        Tensor[] by = Layers.inputs(layer, x, start);
        var gradients = Grad.orZero(() -> weighted(Layers.flat(run.get()), 7), by);
        var body =
            FusedContract.BODIES.run(
                () -> Grad.orZero(() -> weighted(Layers.flat(run.get()), 7), by));
        var hand = Grad.orZero(() -> weighted(Layers.flat(expected.get()), 7), by);
        close("values", Layers.flat(run.get()), Layers.flat(expected.get()));
        for (int i = 0; i < by.length; i++) {
          close("gradient " + i, gradients.get(i), hand.get(i));
          close("gradient by the body " + i, body.get(i), hand.get(i));
        }
      }
    }
  }

  /** Whether a run was one composite for which there is a kernel. */
  static boolean hasKernel(Supplier<?> run) {
    boolean[] found = new boolean[1];
    Interpreter watch =
        (op, inputs) -> {
          if (op instanceof Composite composite && composite.label().endsWith(".scan")) {
            found[0] = composite.fused(inputs) != null;
          }
          return Interpreter.EAGER.apply(op, inputs);
        };
    watch.run(run);
    return found[0];
  }

  static void close(String what, Tensor actual, Tensor expected) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    assertThat(actual.sub(expected).abs().max().item()).as(what).isLessThan(1e-11);
  }

  @ParameterizedTest
  @MethodSource("cells")
  void ofOneSeedIsTheSameEachTimeAndOnEveryDevice(String name) {
    double[][] results = new double[3][];
    for (int i = 0; i < results.length; i++) {
      try (var scope = TensorScope.open(i == 2 ? Device.reference() : Device.standard())) {
        Recurrent<?> layer = layer(name, Direction.FORWARD, Per.STEP);
        Tensor x = random(1, T, N, D);
        Tensor[] by = Layers.inputs(layer, x, List.of());
        var gradients =
            Grad.orZero(
                () ->
                    Training.with(
                        Philox.of(8),
                        () -> weighted(Layers.flat(layer.run(x, marks(), List.of())), 7)),
                by);
        List<Tensor> all = new ArrayList<>(List.of(gradients.value().reshape(1)));
        for (int k = 0; k < by.length; k++) {
          all.add(gradients.get(k).flatten());
        }
        results[i] = Tensor.concat(all, 0).toDoubleArray();
      }
    }
    assertThat(results[1]).containsExactly(results[0]);
    assertThat(results[2]).containsExactly(results[0], within(1e-11));
  }

  @ParameterizedTest
  @MethodSource("cells")
  void hasGradientsToSecondOrder(String name) {
    try (var scope = TensorScope.open()) {
      int number = cells().toList().indexOf(name);
      for (Direction direction : Direction.values()) {
        if (!Combinations.isTried(2, number, direction.ordinal())) {
          continue;
        }
        Recurrent<?> layer = layer(name, direction, Per.STEP);
        Tensor x = random(3, 2, 2, D);
        GradCheck.standard()
            .run(
                name + " " + direction,
                in -> Training.with(Philox.of(5), () -> Layers.flat(layer.run(in[0]))),
                Layers.inputs(layer, x, List.of()))
            .require();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cells")
  void outsideOfTrainingHasGradientsToSecondOrder(String name) {
    try (var scope = TensorScope.open()) {
      Recurrent<?> layer = layer(name, Direction.FORWARD, Per.STEP);
      Tensor x = random(3, 2, 2, D);
      GradCheck.standard()
          .run(name, in -> Layers.flat(layer.run(in[0])), Layers.inputs(layer, x, List.of()))
          .require();
    }
  }

  /** A segment that runs again draws the same masks, whether training is within it or around it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void ofACheckpointedSegmentIsDrawnOnce(boolean inside) {
    try (var scope = TensorScope.open()) {
      Recurrent<?> layer = layer("lstm", Direction.FORWARD, Per.STEP);
      Tensor x = random(1, T, N, D);
      Tensor[] by = Layers.inputs(layer, x, List.of());
      var plain =
          Grad.of(
              () -> Training.with(Philox.of(8), () -> weighted(Layers.flat(layer.run(x)), 7)), by);
      var rng = Philox.of(8);
      Supplier<Tensor> segment = () -> Layers.flat(layer.run(x));
      var checkpointed =
          Grad.of(
              () ->
                  weighted(
                      inside
                          ? Grad.checkpoint(() -> Training.with(rng, segment))
                          : Training.with(rng, () -> Grad.checkpoint(segment)),
                      7),
              by);
      close("values", checkpointed.value(), plain.value());
      for (int i = 0; i < by.length; i++) {
        close("gradient " + i, checkpointed.get(i), plain.get(i));
      }
    }
  }

  /** Rates are numbers of a call: a kernel that was made for others takes them. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void mayHaveOtherRatesAtEveryCall(boolean reference) {
    try (var scope = TensorScope.open(reference ? Device.reference() : Device.standard())) {
      var plain = Recurrent.of(cell("lstm"));
      Tensor x = random(1, T, N, D);
      for (double rate : new double[] {0.1, 0.5, 0, 1, 0.3}) {
        var layer = plain.withNoise(Noise.none().states(rate).zoneout(rate / 2).outputs(rate));
        for (boolean training : new boolean[] {true, false}) {
          Supplier<Tensor> run =
              () ->
                  training
                      ? Training.with(Philox.of(8), () -> Layers.flat(layer.run(x)))
                      : Layers.flat(layer.run(x));
          close("rate " + rate, run.get(), FusedContract.BODIES.run(run));
        }
      }
    }
  }

  /** One after the other, each of its own masks. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void ofSeveralLayersIsDrawnLayerByLayer(boolean stacked) {
    try (var scope = TensorScope.open()) {
      Recurrent<?> there = layer("lstm", Direction.FORWARD, Per.STEP);
      Recurrent<?> back = layer("gru", Direction.REVERSE, Per.SEQUENCE);
      Cell<?> above = cell("gru-after", 2 * H, 3);
      var top = Recurrent.of(above).withNoise(everything(above, Per.STEP));
      var pair = new Bidirectional(there, back);
      Sequence layer = stacked ? Stacked.of(pair, top) : pair;
      Tensor x = random(1, T, N, D);
      Run run = Training.with(Philox.of(8), () -> layer.run(x, marks(), List.of()));
      var rng = Philox.of(8);
      Run forward = NoiseByHand.run(there, rng, x, marks(), List.of());
      Run reverse = NoiseByHand.run(back, rng, x, marks(), List.of());
      Tensor y = Tensor.concat(List.of(forward.y(), reverse.y()), 2);
      if (stacked) {
        y = NoiseByHand.run(top, rng, y, marks(), List.of()).y();
      }
      close("outputs", run.y(), y);
    }
  }

  @Test
  void runsByAKernelInSinglePrecision() {
    try (var scope = TensorScope.open(Device.reference())) {
      var rng = Philox.of(1);
      for (String name : Cells.names()) {
        Cell<?> cell = Cells.of(name, D, H, Init.uniform(0.5), rng);
        var layer = Recurrent.of(cell).withNoise(everything(cell, Per.STEP));
        Tensor x = rng.normal(DType.F32, 0, 1, T, N, D);
        for (boolean training : new boolean[] {true, false}) {
          Supplier<Tensor> run =
              () ->
                  training
                      ? Training.with(Philox.of(8), () -> layer.run(x, marks(), List.of()).y())
                      : layer.run(x, marks(), List.of()).y();
          assertThat(hasKernel(run)).as(name).isTrue();
          assertThat(run.get().allClose(FusedContract.BODIES.run(run), 1e-5, 1e-5)).isTrue();
        }
      }
    }
  }

  /** Whoever knows a cell by its label knows its own step, not one that does more. */
  @Test
  void isNotTakenForTheCellsOwnScan() {
    try (var scope = TensorScope.open(Device.reference())) {
      var plain = Recurrent.of(cell("lstm"));
      Tensor x = random(1, T, N, D);
      assertThat(label(() -> plain.run(x))).isEqualTo("lstm.scan");
      var inputs = plain.withNoise(Noise.none().inputs(0.5));
      assertThat(label(() -> Training.with(Philox.of(1), () -> inputs.run(x))))
          .isEqualTo("lstm.scan");
      var dropped = plain.withNoise(Noise.none().states(0.5, 0));
      assertThat(label(() -> dropped.run(x))).isEqualTo("lstm.scan");
      assertThat(label(() -> Training.with(Philox.of(1), () -> dropped.run(x))))
          .isEqualTo("lstm.layer.scan");
      var zoneout = plain.withNoise(Noise.none().zoneout(0, 0.5));
      assertThat(label(() -> zoneout.run(x))).isEqualTo("lstm.layer.scan");
      assertThat(label(() -> plain.run(x, marks(), List.of()))).isEqualTo("lstm.layer.scan");
    }
  }

  private static String label(Supplier<?> run) {
    List<String> labels = new ArrayList<>();
    Interpreter watch =
        (op, inputs) -> {
          if (op.label().endsWith(".scan")) {
            labels.add(op.label());
          }
          return Interpreter.EAGER.apply(op, inputs);
        };
    watch.run(run);
    return String.join(" ", labels);
  }
}
