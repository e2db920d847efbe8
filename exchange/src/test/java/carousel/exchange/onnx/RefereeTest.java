package carousel.exchange.onnx;

import static carousel.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.exchange.onnx.OnnxActivation.Function;
import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.LstmState;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * ONNX Runtime as referee: random weights, every combination of what an operator can be told. Both
 * ways: what it computes from a file is what we compute after reading the file, and what it computes
 * from the file that we write of that. What we read of the second gives the same bits.
 */
class RefereeTest {
  private static final double TOLERANCE = 1e-5;
  private static final List<String> DIRECTIONS = List.of("forward", "reverse", "bidirectional");

  private static int combinations;
  private static double worst;

  /** An operator and what its attributes say, all but the direction. */
  record Variant(
      Operator operator, boolean peephole, String flag, double clip, List<OnnxActivation> each) {

    List<WireWriter> attributes(String direction) {
      var attributes = new ArrayList<WireWriter>();
      if (!flag.isEmpty()) {
        attributes.add(GraphWriter.attribute(flag, 1L));
      }
      if (clip > 0) {
        attributes.add(GraphWriter.attribute("clip", clip));
      }
      if (!each.isEmpty()) {
        var all = new ArrayList<>(each);
        if (direction.equals("bidirectional")) {
          all.addAll(each);
        }
        attributes.add(
            GraphWriter.texts("activations", all.stream().map(a -> a.function().label()).toList()));
        attributes.add(numbers("activation_alpha", all, Function::hasAlpha, OnnxActivation::alpha));
        attributes.add(numbers("activation_beta", all, Function::hasBeta, OnnxActivation::beta));
      }
      return attributes;
    }

    private static WireWriter numbers(
        String name,
        List<OnnxActivation> all,
        Predicate<Function> has,
        ToDoubleFunction<OnnxActivation> number) {
      return GraphWriter.numbers(
          name,
          all.stream().filter(a -> has.test(a.function())).map(number::applyAsDouble).toList());
    }
  }

  /** The rows of a batch: of how many steps, how long each is, and the units that read them. */
  record Rows(String name, int units, int steps, int... lengths) {
    boolean given() {
      return !name.equals("no lengths");
    }
  }

  private static final Rows RAGGED = new Rows("ragged", 5, 6, 3, 6, 2, 5);

  private static final List<Rows> ROWS =
      List.of(
          new Rows("no lengths", 5, 5, 5, 5, 5),
          new Rows("full", 16, 4, 4, 4),
          RAGGED,
          new Rows("ragged, wide", 33, 4, 3, 4, 2, 1, 4),
          new Rows("length 1", 4, 4, 1, 3, 1),
          new Rows("length 0", 5, 4, 2, 0, 4),
          new Rows("only length 0", 3, 3, 0, 0),
          new Rows("one step", 1, 1, 1));

  static Stream<Variant> variants() {
    var all = new ArrayList<Variant>();
    for (var clip : List.of(0.0, 0.35)) {
      for (var peephole : List.of(false, true)) {
        for (var flag : List.of("", "input_forget")) {
          all.add(new Variant(Operator.LSTM, peephole, flag, clip, List.of()));
        }
      }
      for (var flag : List.of("", "linear_before_reset")) {
        all.add(new Variant(Operator.GRU, false, flag, clip, List.of()));
      }
      all.add(new Variant(Operator.RNN, false, "", clip, List.of()));
      for (var f : List.of(OnnxActivation.RELU, OnnxActivation.IDENTITY)) {
        all.add(new Variant(Operator.RNN, false, "", clip, List.of(f)));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("variants")
  void everyCombinationComputesTheSame(Variant variant) throws IOException {
    for (var direction : DIRECTIONS) {
      for (var rows : ROWS) {
        for (var states : List.of(false, true)) {
          compare(variant, direction, rows, states);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyActivationComputesTheSameInEveryPlace(Function function) throws IOException {
    var f =
        new OnnxActivation(function, function.hasAlpha() ? 0.8 : 0, function.hasBeta() ? 0.3 : 0);
    for (var operator : Operator.values()) {
      for (int place = 0; place < operator.defaults().size(); place++) {
        var each = new ArrayList<>(operator.defaults());
        each.set(place, f);
        for (var direction : DIRECTIONS) {
          compare(new Variant(operator, false, "", 0, each), direction, RAGGED, true);
        }
      }
    }
  }

  private static void compare(Variant variant, String direction, Rows rows, boolean states)
      throws IOException {
    var file =
        new Operators(
            variant.operator(),
            direction,
            3,
            rows.units(),
            variant.each().isEmpty() ? 1 : 0.3, // many functions have no bounds
            variant.peephole(),
            variant.attributes(direction),
            rows.given(),
            states);
    String name =
        String.format(
            Locale.ROOT,
            "%s, %s, %s, %s",
            variant,
            direction,
            rows.name(),
            states ? "states" : "no states");
    try (var scope = TensorScope.open()) {
      compare(name, file, rows);
    }
    combinations++;
  }

  private static void compare(String name, Operators file, Rows rows) throws IOException {
    var rng = Philox.of(name.hashCode());
    int n = rows.lengths().length;
    Tensor x = rng.normal(F32, 0, 1, rows.steps(), n, file.inputs());
    var given = new HashMap<>(Collections.singletonMap("x", x));
    Tensor lengths = file.lengths() ? Tensor.of(rows.lengths()) : null;
    if (lengths != null) {
      given.put("lengths", lengths);
    }
    var start = new ArrayList<Tensor>(); // h, c: [directions,N,H]
    for (var state : file.stateNames()) {
      start.add(rng.normal(F32, 0, file.states() ? 1 : 0, file.directions(), n, file.hidden()));
      if (file.states()) {
        given.put(String.format(Locale.ROOT, "initial_%s_0", state), start.getLast());
      }
    }
    var initial = file.states() ? states(start) : List.<RecurrentState>of();

    var original = file.file(rng);
    // What follows the layer only brings its output into the form of the operator.
    var chain = new Chain(Onnx.parse(original).chain().layers().subList(0, 1));
    var ours = chain.run(x, Marks.ofLengths(lengths), initial);
    try (var runtime = OnnxRuntime.open(original)) {
      var theirs = runtime.run(given);
      near(name + ": Y", ours.y(), Operators.flat(theirs.get("Y")));
      for (int i = 0; i < start.size(); i++) {
        String output = "Y_" + file.stateNames().get(i);
        finals(name + ": " + output, i, ours.states(), theirs.get(output), start.get(i), rows);
      }
    }

    var written = written(chain, file);
    try (var runtime = OnnxRuntime.open(written)) {
      var theirs = runtime.run(given);
      near(name + ": y as written", ours.y(), theirs.get("y"));
      for (int i = 0; i < start.size(); i++) {
        String output = String.format(Locale.ROOT, "final_%s_0", file.stateNames().get(i));
        finals(name + ": " + output, i, ours.states(), theirs.get(output), start.get(i), rows);
      }
    }
    var again = Onnx.parse(written).chain().run(x, Marks.ofLengths(lengths), initial);
    assertThat(again.y().toFloatArray())
        .as(name + ": as read again")
        .isEqualTo(ours.y().toFloatArray());
  }

  private static byte[] written(Chain chain, Operators file) throws IOException {
    var inputs = EnumSet.noneOf(Onnx.Input.class);
    if (file.lengths()) {
      inputs.add(Onnx.Input.LENGTHS);
    }
    if (file.states()) {
      inputs.add(Onnx.Input.STATES);
    }
    var out = new ByteArrayOutputStream();
    Onnx.write(Channels.newChannel(out), chain, inputs);
    return out.toByteArray();
  }

  private static List<RecurrentState> states(List<Tensor> start) {
    var states = new ArrayList<RecurrentState>();
    for (int d = 0; d < start.getFirst().dim(0); d++) {
      Tensor h = start.getFirst().select(0, d);
      states.add(
          start.size() == 1 ? new HiddenState(h) : new LstmState(h, start.get(1).select(0, d)));
    }
    return states;
  }

  /**
   * The standard does not say what the final state of a row of length 0 is. Here it is the state that
   * the row started from, in ONNX Runtime it is 0.
   */
  private static void finals(
      String name, int index, List<RecurrentState> ours, Tensor theirs, Tensor start, Rows rows) {
    for (int d = 0; d < ours.size(); d++) {
      for (int n = 0; n < rows.lengths().length; n++) {
        Tensor own = ours.get(d).tensors().get(index).select(0, n);
        Tensor other = theirs.select(0, d).select(0, n);
        if (rows.lengths()[n] > 0) {
          near(name + " of row " + n, own, other);
        } else {
          assertThat(own.sameValues(start.select(0, d).select(0, n))).as(name).isTrue();
          assertThat(other.abs().max().item()).as(name + " of length 0, ONNX Runtime").isZero();
        }
      }
    }
  }

  private static void near(String name, Tensor ours, Tensor theirs) {
    assertThat(ours.shape()).as(name).isEqualTo(theirs.shape());
    double difference =
        ours.sub(theirs).abs().max().item() / Math.max(1, theirs.abs().max().item());
    assertThat(difference).as(name).isLessThan(TOLERANCE);
    worst = Math.max(worst, difference);
  }

  @AfterAll
  static void report() {
    System.out.printf(
        Locale.ROOT,
        "ONNX Runtime: %d combinations, both ways; differences up to %.1e%n",
        combinations,
        worst);
  }
}
