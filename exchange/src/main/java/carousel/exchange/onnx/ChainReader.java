package carousel.exchange.onnx;

import carousel.exchange.onnx.Graph.Output;
import carousel.exchange.onnx.Graph.Step;
import carousel.nn.Layer;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A graph as a chain, if it is one: one line of layers from an input to the outputs. */
final class ChainReader {
  private final Graph graph;
  private final Map<String, Step> makers = new HashMap<>();

  private final Map<String, Boolean> finals = new HashMap<>();

  /** The names that depend on the data. */
  private final Set<String> flows = new HashSet<>();

  ChainReader(Graph graph) {
    this.graph = graph;
    for (var step : graph.steps()) {
      for (var name : step.to()) {
        makers.put(name, step);
      }
    }
  }

  Chain chain() {
    var line = line(end());
    flow(line);
    var layers = new ArrayList<Layer>();
    String lengths = null;
    for (var step : line) {
      layers.add(step.layer());
      if (step.layer() instanceof Sequence) {
        lengths = lengths(step, lengths);
        checkStates(step);
      }
    }
    checkOthers(line);
    try {
      return new Chain(layers);
    } catch (TensorException e) {
      throw new OnnxException("the layers do not fit each other: " + e.getMessage());
    }
  }

  private static OnnxException wrong(String problem) {
    return new OnnxException(
        "this is no chain of layers: " + problem + "; run it as the graph that it is");
  }

  /** The output that layers lead to; where there are only final states, that of the last layer. */
  private String end() {
    var ends =
        graph.outputs().stream().map(Output::value).filter(value -> !isFinal(value)).toList();
    if (ends.size() > 1) {
      throw wrong(
          String.format(Locale.ROOT, "%d of its outputs are outputs of layers", ends.size()));
    }
    if (!ends.isEmpty()) {
      return ends.getFirst();
    }
    for (var step : graph.steps().reversed()) {
      if (step.layer() instanceof Sequence) {
        return step.to().getFirst();
      }
    }
    throw wrong("it has no layer");
  }

  /** Whether a value is a final state, or such joined. */
  private boolean isFinal(String value) {
    // Not computeIfAbsent, which the function must not be called from.
    var known = finals.get(value);
    if (known != null) {
      return known;
    }
    boolean found = findsFinal(value);
    finals.put(value, found);
    return found;
  }

  private boolean findsFinal(String value) {
    var step = makers.get(value);
    if (step == null) {
      return false;
    }
    if (step.layer() instanceof Sequence) {
      return !step.to().getFirst().equals(value);
    }
    boolean joins =
        step.layer() instanceof Operation o
            && o.operator().equals("Concat")
            && Long.valueOf(0).equals(o.attributes().get("axis"));
    boolean swaps = step.layer() instanceof Transpose;
    return (joins || swaps) && step.from().stream().allMatch(this::isFinal);
  }

  /** The steps that lead to a value, each by the first that it reads. */
  private List<Step> line(String end) {
    var line = new ArrayList<Step>();
    String at = end;
    for (var step = makers.get(at); step != null; step = makers.get(at)) {
      if (!step.to().getFirst().equals(at)) {
        throw wrong(String.format(Locale.ROOT, "%s goes on from a final state", name(line)));
      }
      if (step.from().size() != 1 && !(step.layer() instanceof Sequence)) {
        throw wrong(
            String.format(
                Locale.ROOT, "%s reads %d values", OnnxException.quote(at), step.from().size()));
      }
      line.addFirst(step);
      at = step.from().getFirst();
    }
    return line;
  }

  private static String name(List<Step> line) {
    return line.isEmpty() ? "an output" : OnnxException.quote(line.getFirst().to().getFirst());
  }

  private void flow(List<Step> line) {
    if (line.isEmpty()) {
      throw wrong("an output is an input");
    }
    flows.add(line.getFirst().from().getFirst());
    for (var step : graph.steps()) {
      if (step.from().stream().anyMatch(flows::contains)) {
        flows.addAll(step.to());
      }
    }
  }

  /** A run has lengths for all its layers or for none. */
  private String lengths(Step step, @Nullable String before) {
    String lengths = step.from().size() > 1 ? step.from().get(1) : "";
    if (before != null && !before.equals(lengths)) {
      throw wrong(
          String.format(
              Locale.ROOT,
              "%s has the sequence_lens %s, a layer before it %s",
              OnnxException.quote(step.to().getFirst()),
              OnnxException.quote(lengths),
              OnnxException.quote(before)));
    }
    if (!lengths.isEmpty() && makers.containsKey(lengths)) {
      throw wrong(
          String.format(
              Locale.ROOT,
              "sequence_lens %s is computed or constant",
              OnnxException.quote(lengths)));
    }
    return lengths;
  }

  /** States are given to a run, or the layer's own; not computed from the data. */
  private void checkStates(Step step) {
    for (var state : step.from().subList(Math.min(2, step.from().size()), step.from().size())) {
      if (flows.contains(state)) {
        throw wrong(
            String.format(
                Locale.ROOT,
                "%s starts from a state that is computed, %s",
                OnnxException.quote(step.to().getFirst()),
                OnnxException.quote(state)));
      }
    }
  }

  /** Nothing else may be made of the data than what the line makes, but for joined final states. */
  private void checkOthers(List<Step> line) {
    for (var step : graph.steps()) {
      boolean isElsewhere = step.from().stream().anyMatch(flows::contains) && !line.contains(step);
      if (isElsewhere && !isFinal(step.to().getFirst())) {
        throw wrong(
            String.format(
                Locale.ROOT,
                "%s is beside the line that leads to the output",
                OnnxException.quote(step.to().getFirst())));
      }
    }
  }
}
