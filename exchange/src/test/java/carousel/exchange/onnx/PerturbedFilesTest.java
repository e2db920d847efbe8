package carousel.exchange.onnx;

import static carousel.exchange.onnx.Field.changed;
import static carousel.exchange.onnx.Field.nodes;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Nothing in a file is passed over: each operator, attribute and input of a corpus is changed, one at a time,
 * and what comes of that is what ONNX Runtime computes, or a refusal. Where it is neither, something was not
 * looked at.
 */
class PerturbedFilesTest {
  /** One in so many is tried; all of them with {@code -Dcarousel.perturbations=all}. */
  private static final int EVERY = 6;

  private static final boolean ALL = "all".equals(System.getProperty("carousel.perturbations"));

  private final SplittableRandom sampling = new SplittableRandom(15);
  private final Philox rng = Philox.of(17);

  /** What came of the changes, by what it was. */
  private final Map<String, Integer> outcomes = new TreeMap<>();

  private record Sample(String name, byte[] file, Map<String, Tensor> inputs) {}

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
        for (int i = 0; i < nodes.size(); i++) {
          for (var change : Change.all(nodes.get(i), nodes)) {
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
}
