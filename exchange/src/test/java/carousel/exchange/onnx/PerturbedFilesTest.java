package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static carousel.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Nothing in a file is passed over: each operator, attribute and input of a corpus is changed, one at a time,
 * and what comes of that is what ONNX Runtime computes, or a refusal. Where it is neither, something was not
 * looked at.
 */
class PerturbedFilesTest {
  /** Fields of a model, a graph, a node and an attribute. */
  private static final int GRAPH = 7;

  private static final int NODE = 1;
  private static final int INPUT = 1;
  private static final int OPERATOR = 4;
  private static final int ATTRIBUTE = 5;
  private static final int DOMAIN = 7;

  /** One in so many is tried; all of them with {@code -Dcarousel.perturbations=all}. */
  private static final int EVERY = 6;

  private static final boolean ALL = "all".equals(System.getProperty("carousel.perturbations"));

  private final SplittableRandom sampling = new SplittableRandom(15);
  private final Philox rng = Philox.of(17);

  /** What came of the changes, by what it was. */
  private final Map<String, Integer> outcomes = new TreeMap<>();

  /** One field of a message, by its number, and its bytes with the tag. */
  private record Field(int number, byte[] value, boolean isMessage, long integer) {}

  private record Sample(String name, byte[] file, Map<String, Tensor> inputs) {}

  /** A node as fields, which a change replaces by others. */
  private record Change(String what, UnaryOperator<List<Field>> change) {}

  @Test
  void everyChangeIsSeen() throws IOException {
    try (var scope = TensorScope.open()) {
      var wrong = new ArrayList<String>();
      var corpus = corpus();
      // The samples agree, or a change that is not seen would not be.
      for (var sample : corpus) {
        assertThat(outcome(sample.file(), sample.inputs())).as(sample.name()).isEqualTo("agrees");
      }
      for (var sample : corpus) {
        var nodes = nodes(sample.file());
        for (var i = 0; i < nodes.size(); i++) {
          for (var change : changes(nodes.get(i), nodes)) {
            if (!ALL && sampling.nextInt(EVERY) != 0) {
              continue;
            }
            var file = changed(sample.file(), i, change.change().apply(nodes.get(i)));
            String outcome;
            try (var trying = TensorScope.open()) {
              outcome = outcome(file, sample.inputs());
            }
            outcomes.merge(outcome.split(":", 2)[0], 1, Integer::sum);
            if (outcome.startsWith("differs")) {
              wrong.add(
                  String.format(
                      Locale.ROOT,
                      "%s, node %d, %s: %s",
                      sample.name(),
                      i,
                      change.what(),
                      outcome));
            }
          }
        }
      }
      System.out.println("perturbed files: " + outcomes);
      assertThat(String.join("\n", wrong)).isEmpty();
      assertThat(outcomes.get("agrees")).isGreaterThan(50);
      assertThat(outcomes.get("refused")).isGreaterThan(50);
    }
  }

  private List<Sample> corpus() throws IOException {
    var samples = new ArrayList<Sample>();
    samples.add(pytorch("last-output", "x", normal(2, 5, 4)));
    samples.add(pytorch("last-state-rnn", "x", normal(2, 5, 4)));
    samples.add(pytorch("residual-old-norm", "x", normal(5, 2, 5)));
    samples.add(pytorch("residual", "x", normal(5, 2, 5)));
    samples.add(pytorch("two-ways", "x", normal(5, 2, 4)));
    samples.add(pytorch("attention", "x", normal(2, 5, 4)));
    samples.add(
        new Sample(
            "stateful-lstm",
            MakersTest.exported("stateful-lstm"),
            Map.of("x", normal(5, 2, 4), "h0", normal(2, 2, 5), "c0", normal(2, 2, 5))));
    samples.add(pytorch("lstm", "tokens", rng.uniform(F32, 0, 9, 5, 2).floor().cast(DType.I32)));
    for (var operator : Operator.values()) {
      var file =
          new Operators(
              operator,
              "bidirectional",
              3,
              2,
              0.5,
              operator == Operator.LSTM,
              List.of(
                  attribute("clip", 0.7),
                  operator == Operator.GRU
                      ? attribute("linear_before_reset", 1L)
                      : GraphWriter.texts(
                          "activations",
                          operator == Operator.RNN
                              ? List.of("Elu", "Tanh")
                              : List.of("Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Tanh", "Relu"))),
              true,
              true);
      var given = new LinkedHashMap<String, Tensor>();
      given.put("x", normal(4, 2, 3));
      given.put("lengths", Tensor.of(4, 2));
      for (var state : file.stateNames()) {
        given.put(String.format(Locale.ROOT, "initial_%s_0", state), normal(2, 2, 2));
      }
      samples.add(new Sample(operator.name(), file.file(rng), given));
    }
    samples.add(new Sample("small operators", operators(), Map.of("x", normal(4, 2, 3))));
    return samples;
  }

  private Tensor normal(int... dims) {
    return rng.normal(F32, 0, 0.8, dims);
  }

  private static Sample pytorch(String name, String input, Tensor x) throws IOException {
    return new Sample(name, MakersTest.exported(name), Map.of(input, x));
  }

  /** Operators that no maker's model has, one after another. */
  private byte[] operators() {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "T", "N", 3);
    g.node("Cast", "whole", List.of("x"), attribute("to", 6L));
    g.node("Cast", "cut", List.of("whole"), attribute("to", 1L));
    g.node("LeakyRelu", "leaky", List.of("cut"), attribute("alpha", 0.2));
    g.node("Elu", "elu", List.of("leaky"), attribute("alpha", 0.5));
    g.node("HardSigmoid", "hard", List.of("x"), attribute("alpha", 0.3), attribute("beta", 0.4));
    g.node("Selu", "selu", List.of("hard"), attribute("alpha", 1.5), attribute("gamma", 1.1));
    g.node("ThresholdedRelu", "bent", List.of("x"), attribute("alpha", 0.5));
    g.node("Concat", "joined", List.of("elu", "selu", "bent"), attribute("axis", 2L));
    g.node(
        "Split",
        "split",
        List.of("joined", g.constant("sizes", 4L, 5L)),
        List.of("four", "five"),
        List.of(attribute("axis", -1L)));
    g.node("Dropout", "kept", List.of("four", g.constant("ratio", Tensor.full(F32, 0.5))));
    g.node("Flatten", "flat", List.of("kept"), attribute("axis", 2L));
    g.node(
        "Gemm",
        "gemm",
        List.of("flat", g.constant("w", normal(4, 4)), g.constant("b", normal(4))),
        attribute("alpha", 0.5),
        attribute("beta", 2.0),
        attribute("transB", 1L));
    g.node("ReduceSum", "sum", List.of("gemm", g.constant("axis", 1L)), attribute("keepdims", 1L));
    g.node(
        "ReduceMax",
        "max",
        List.of("gemm"),
        attribute("axes", new int[] {1}),
        attribute("keepdims", 1L));
    g.node("Sub", "gap", List.of("max", "sum"));
    g.node("Clip", "clipped", List.of("gap", g.constant("low", Tensor.full(F32, -1))));
    g.node(
        "Slice",
        "backwards",
        List.of(
            "five",
            g.constant("from", -1L),
            g.constant("past", Long.MIN_VALUE),
            g.constant("along", 2L),
            g.constant("step", -2L)));
    g.node("Transpose", "turned", List.of("backwards"), attribute("perm", 2, 0, 1));
    g.node("Shape", "shape", List.of("turned"), attribute("start", 1L), attribute("end", 2L));
    g.node("Cast", "size", List.of("shape"), attribute("to", 1L));
    g.node("Mul", "scaled", List.of("turned", "size"));
    g.node("ArgMax", "best", List.of("scaled"), attribute("axis", 0L), attribute("keepdims", 0L));
    g.node(
        "LayerNormalization",
        "norm",
        List.of("scaled", g.constant("gain", normal(2))),
        attribute("axis", 2L),
        attribute("epsilon", 0.1));
    g.output("clipped", DataType.FLOAT, (Object[]) null);
    g.output("norm", DataType.FLOAT, (Object[]) null);
    g.output("best", DataType.INT64, (Object[]) null);
    return Operators.bytes(g.model());
  }

  /** "refused", "agrees", or what is wrong; "theirs" where ONNX Runtime refuses, too. */
  private static String outcome(byte[] file, Map<String, Tensor> inputs) {
    Map<String, Tensor> ours;
    try {
      var graph = Onnx.parse(file);
      var read = new LinkedHashMap<>(inputs);
      read.keySet().retainAll(graph.inputs().stream().map(Graph.Input::name).toList());
      ours = graph.run(read);
    } catch (OnnxException | TensorException e) {
      return "refused: " + e.getMessage();
    }
    // Of NaN the recurrent kernels of ONNX Runtime make numbers; ours stay NaN, which is seen.
    if (ours.values().stream()
        .anyMatch(y -> y.dtype().isFloating() && y.isFinite().all().item() == 0)) {
      return "no numbers";
    }
    Map<String, Tensor> theirs;
    try {
      theirs = OnnxRuntime.tried(file, inputs);
    } catch (OrtException e) {
      return "refused by ONNX Runtime: " + e.getMessage();
    }
    try {
      // What is overlooked is off by more; a change may well magnify roundings.
      Agreement.same(ours, theirs, 1e-3);
      return "agrees";
    } catch (AssertionError e) {
      return "differs: "
          + String.valueOf(e.getMessage()).lines().filter(line -> !line.isBlank()).toList();
    }
  }

  private List<Change> changes(List<Field> node, List<List<Field>> all) {
    var changes = new ArrayList<Change>();
    for (var i = 0; i < node.size(); i++) {
      var at = i;
      var field = node.get(i);
      switch (field.number()) {
        case INPUT -> {
          // ONNX Runtime 1.29 ends the process where a norm has an empty name for its bias.
          if (!isNorm(node)) {
            changes.add(new Change("input " + i + " left out", n -> with(n, at, text(INPUT, ""))));
          }
          for (var other : List.of(text(node), text(all.getLast()))) {
            changes.add(
                new Change("input " + i + " is " + other, n -> with(n, at, text(INPUT, other))));
          }
          changes.add(new Change("input " + i + " twice", n -> inserted(n, at, field)));
        }
        case OPERATOR -> {
          for (var other : List.of("Tanh", "Relu", "Identity", "Sub", "Mul", "Dropout", "GRU")) {
            changes.add(new Change("is " + other, n -> with(n, at, text(OPERATOR, other))));
          }
        }
        case ATTRIBUTE -> attributes(field, at, changes);
        default -> {}
      }
    }
    for (var value : List.of(1L, -1L)) {
      for (var name :
          List.of("axis", "layout", "keepdims", "transA", "transB", "to", "allowzero", "secret")) {
        if (fields(node, ATTRIBUTE).stream().anyMatch(a -> name(a).equals(name))) {
          continue;
        }
        var added = message(ATTRIBUTE, attribute(name, value));
        changes.add(
            new Change(
                String.format(Locale.ROOT, "has %s %d", name, value),
                n -> inserted(n, n.size(), added)));
      }
    }
    changes.add(
        new Change("of a domain", n -> inserted(n, n.size(), text(DOMAIN, "com.microsoft"))));
    return changes;
  }

  /** Every field of an attribute that is a number, a text or a list is another, and the attribute is not there. */
  private static void attributes(Field attribute, int at, List<Change> changes) {
    var name = name(attribute);
    changes.add(new Change("without " + name, n -> without(n, at)));
    var parts = fields(attribute.value());
    for (var i = 0; i < parts.size(); i++) {
      var part = parts.get(i);
      var place = i;
      var others = new ArrayList<Field>();
      switch (part.number()) {
        case 2 -> { // a float, in 4 bytes
          others.add(single(part, x -> x * 1.5f));
          others.add(single(part, x -> 0f));
          others.add(single(part, x -> -1 - x));
        }
        case 3, 8 -> { // an integer, alone or in a list
          for (var by : List.of(1L, -1L, 2L)) {
            others.add(integer(part.number(), part.integer() + by));
          }
        }
        case 4 -> others.addAll(List.of(text(4, "reverse"), text(4, "forward"), text(4, "odd")));
        case 9 -> others.addAll(List.of(text(9, "Softplus"), text(9, "Affine"), text(9, "odd")));
        default -> {}
      }
      for (var other : others) {
        changes.add(
            new Change(
                name + " has " + shown(other),
                n -> with(n, at, new Field(ATTRIBUTE, bytes(with(parts, place, other)), true, 0))));
      }
    }
  }

  private static String shown(Field field) {
    return field.value().length == 0
        ? Long.toString(field.integer())
        : field.isMessage()
            ? new String(field.value(), StandardCharsets.UTF_8)
            : "the float "
                + ByteBuffer.wrap(field.value()).order(ByteOrder.LITTLE_ENDIAN).getFloat(0);
  }

  private static boolean isNorm(List<Field> node) {
    var operator = fields(node, OPERATOR).getFirst().value();
    return new String(operator, StandardCharsets.UTF_8).equals("LayerNormalization");
  }

  private static String text(List<Field> node) {
    for (var field : node) {
      if (field.number() == INPUT && field.value().length > 0) {
        return new String(field.value(), StandardCharsets.UTF_8);
      }
    }
    return "x";
  }

  private static String name(Field attribute) {
    for (var field : fields(attribute.value())) {
      if (field.number() == 1) {
        return new String(field.value(), StandardCharsets.UTF_8);
      }
    }
    return "";
  }

  private static List<Field> fields(List<Field> node, int number) {
    return node.stream().filter(field -> field.number() == number).toList();
  }

  private static Field text(int number, String value) {
    return new Field(number, value.getBytes(StandardCharsets.UTF_8), true, 0);
  }

  private static Field message(int number, WireWriter value) {
    return new Field(number, Operators.bytes(value), true, 0);
  }

  private static Field integer(int number, long value) {
    return new Field(number, new byte[0], false, value);
  }

  private interface Single {
    float apply(float x);
  }

  private static Field single(Field field, Single f) {
    var value = ByteBuffer.wrap(field.value()).order(ByteOrder.LITTLE_ENDIAN);
    var other = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    other.putFloat(f.apply(value.getFloat(0)));
    return new Field(field.number(), other.array(), false, 0);
  }

  private static List<Field> with(List<Field> fields, int at, Field other) {
    var copy = new ArrayList<>(fields);
    copy.set(at, other);
    return copy;
  }

  private static List<Field> inserted(List<Field> fields, int at, Field other) {
    var copy = new ArrayList<>(fields);
    copy.add(at, other);
    return copy;
  }

  private static List<Field> without(List<Field> fields, int at) {
    var copy = new ArrayList<>(fields);
    copy.remove(at);
    return copy;
  }

  /** The fields of a message; lists of integers that are packed become one field each. */
  private static List<Field> fields(byte[] message) {
    var fields = new ArrayList<Field>();
    var in = new WireReader(message);
    while (in.next()) {
      var number = in.field();
      var bytes = in.bytes();
      var value = new byte[bytes.remaining()];
      bytes.duplicate().get(value);
      switch (in.type()) {
        case 0 -> fields.add(integer(number, WireReader.varint(bytes)));
        case 2 -> fields.add(new Field(number, value, true, 0));
        default -> fields.add(new Field(number, value, false, 0));
      }
    }
    return fields;
  }

  private static byte[] bytes(List<Field> fields) {
    var out = new WireWriter();
    for (var field : fields) {
      if (field.isMessage()) {
        out.bytes(field.number(), field.value());
      } else if (field.value().length == 0) {
        out.integer(field.number(), field.integer());
      } else {
        var value = ByteBuffer.wrap(field.value()).order(ByteOrder.LITTLE_ENDIAN);
        out.single(field.number(), value.getFloat(0));
      }
    }
    return Operators.bytes(out);
  }

  private static List<List<Field>> nodes(byte[] file) {
    for (var field : fields(file)) {
      if (field.number() != GRAPH) {
        continue;
      }
      return fields(field.value()).stream()
          .filter(part -> part.number() == NODE)
          .map(part -> fields(part.value()))
          .toList();
    }
    throw new AssertionError("no graph");
  }

  private static byte[] changed(byte[] file, int node, List<Field> other) {
    var model = new ArrayList<Field>();
    for (var field : fields(file)) {
      if (field.number() != GRAPH) {
        model.add(field);
        continue;
      }
      var graph = new ArrayList<Field>();
      var count = 0;
      for (var part : fields(field.value())) {
        graph.add(
            part.number() == NODE && count++ == node
                ? new Field(NODE, bytes(other), true, 0)
                : part);
      }
      model.add(new Field(GRAPH, bytes(graph), true, 0));
    }
    return bytes(model);
  }
}
