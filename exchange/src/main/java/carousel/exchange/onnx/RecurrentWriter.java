package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Bidirectional.Merge;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Layers over time to nodes: an operator of ONNX, and what brings its output to {@code [T,N,..]}. */
final class RecurrentWriter {
  private final GraphWriter out;
  private final Draft known; // the types of values
  private final DType type; // of weights

  RecurrentWriter(GraphWriter out, Draft known, DType type) {
    this.out = out;
    this.known = known;
    this.type = type;
  }

  /** Noise is for training; but zoneout mixes states outside of it, too. */
  private static void checkNoise(String path, Recurrent<?> layer) {
    if (layer.noise().zoneout().stream().anyMatch(rate -> rate > 0)) {
      throw new OnnxException(
          String.format(
                  Locale.ROOT,
                  "%s, Recurrent with zoneout, cannot be exported: no operator of ONNX mixes the states before",
                  path)
              + " and after a step; withNoise(Noise.none()) leaves that out");
    }
  }

  /** Says why a layer cannot be written; nothing if it can. */
  static void check(String path, Sequence layer) {
    checkPair(path, weights(path, layer));
  }

  /** The tensors of the states of a layer: h, and of an LSTM c. */
  static List<String> stateNames(String path, Sequence layer) {
    return weights(path, layer).getFirst().operator() == Operator.LSTM
        ? List.of("h", "c")
        : List.of("h");
  }

  private static List<RecurrentWeights> weights(String path, Sequence layer) {
    var directions = Graph.directions(layer);
    var weights = new ArrayList<RecurrentWeights>();
    for (int i = 0; i < directions.size(); i++) {
      String side = directions.size() == 1 ? "" : i == 0 ? ".forward" : ".backward";
      weights.add(CellWriter.of(path + side + ".cell", directions.get(i).cell()));
      checkNoise(path + side, directions.get(i));
    }
    return weights;
  }

  /** One direction, or forward and reverse, as one operator and what brings Y to {@code [T,N,..]}. */
  void write(Graph.Step step, Sequence layer) {
    String path = step.to().getFirst();
    var directions = Graph.directions(layer);
    var weights = weights(path, layer);
    checkPair(path, weights);
    var states = stateNames(path, layer);
    var from = step.from();
    var in = new ArrayList<String>();
    in.add(from.getFirst());
    in.add(out.constant(path + ".W", stacked(weights.stream().map(RecurrentWeights::w))));
    in.add(out.constant(path + ".R", stacked(weights.stream().map(RecurrentWeights::r))));
    in.add(weights.stream().anyMatch(RecurrentWeights::hasBias) ? biases(path, weights) : "");
    in.add(from.size() > 1 ? lengths(path, from.get(1)) : "");
    for (int i = 0; i < states.size(); i++) {
      String given = from.size() > 2 + i ? from.get(2 + i) : "";
      in.add(given.isEmpty() ? initial(step, states.get(i), i, directions) : given);
    }
    if (weights.stream().anyMatch(w -> w.p() != null)) {
      in.add(out.constant(path + ".P", stacked(weights.stream().map(RecurrentWriter::peepholes))));
    }
    var to = new ArrayList<>(List.of(path + ".Y"));
    to.addAll(step.to().subList(1, step.to().size()));
    out.node(
        weights.getFirst().operator().name(),
        path + ".operator",
        in,
        to,
        attributes(direction(directions), weights));
    var merge = layer instanceof Bidirectional pair ? pair.merge() : Merge.CONCAT;
    flattened(path, to.getFirst(), directions.size(), merge);
  }

  /** Of a pair of which only one cell has biases, the other's are zero. */
  private String biases(String path, List<RecurrentWeights> weights) {
    var each = weights.stream().map(w -> List.of(w.biasOfInput(), w.biasOfState()));
    return out.constant(path + ".B", stacked(each.map(both -> Tensor.concat(both, 0))));
  }

  /** ONNX wants INT32 there. */
  private String lengths(String path, String name) {
    return name.isEmpty() || known.type(name) == DataType.INT32
        ? name
        : out.node(
            "Cast",
            path + ".lengths",
            List.of(name),
            attribute("to", (long) DataType.INT32.code()));
  }

  private static void checkPair(String path, List<RecurrentWeights> weights) {
    var a = weights.getFirst();
    var b = weights.getLast();
    if (a.operator() != b.operator()
        || a.hidden() != b.hidden()
        || !a.settings().fits(b.settings())) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "%s, Bidirectional, cannot be exported: one operator of ONNX runs both directions, so both"
                  + " cells must be of one kind and size, got %s of %d units and %s of %d",
              path,
              a.operator(),
              a.hidden(),
              b.operator(),
              b.hidden()));
    }
  }

  /** Of a pair of which only one cell has peepholes, the other's are zero. */
  private static Tensor peepholes(RecurrentWeights w) {
    return w.p() != null ? w.p() : w.r().zerosLike(Shape.of(3 * w.hidden()));
  }

  private static Tensor stacked(Stream<Tensor> directions) {
    return Tensor.stack(directions.toList(), 0).contiguous();
  }

  private static String direction(List<Recurrent<?>> directions) {
    return directions.size() == 2
        ? "bidirectional"
        : directions.getFirst().direction() == Recurrent.Direction.FORWARD ? "forward" : "reverse";
  }

  private static List<WireWriter> attributes(String direction, List<RecurrentWeights> weights) {
    var first = weights.getFirst();
    var settings = first.settings();
    var attributes = new ArrayList<WireWriter>();
    attributes.add(attribute("hidden_size", (long) first.hidden()));
    attributes.add(attribute("direction", direction));
    if (settings.coupled()) {
      attributes.add(attribute("input_forget", 1L));
    }
    if (settings.resetAfter()) {
      attributes.add(attribute("linear_before_reset", 1L));
    }
    if (settings.clip() != Clip.NONE) {
      attributes.add(attribute("clip", settings.clip()));
    }
    var all = weights.stream().flatMap(w -> w.settings().activations().stream()).toList();
    if (weights.stream()
        .anyMatch(w -> !w.settings().activations().equals(w.operator().defaults()))) {
      attributes.add(
          GraphWriter.texts("activations", all.stream().map(a -> a.function().label()).toList()));
      // Only functions that have these numbers take some off the lists.
      var alphas = all.stream().filter(a -> a.function().hasAlpha()).map(a -> a.alpha()).toList();
      var betas = all.stream().filter(a -> a.function().hasBeta()).map(a -> a.beta()).toList();
      if (!alphas.isEmpty()) {
        attributes.add(GraphWriter.numbers("activation_alpha", alphas));
      }
      if (!betas.isEmpty()) {
        attributes.add(GraphWriter.numbers("activation_beta", betas));
      }
    }
    return attributes;
  }

  /** The initial state of an operator that is not given: the learned one, or none. */
  private String initial(Graph.Step step, String state, int index, List<Recurrent<?>> directions) {
    int width = directions.getFirst().outputs();
    int sides = directions.size();
    if (directions.stream().allMatch(d -> d.start().isEmpty())) {
      return "";
    }
    String path = step.to().getFirst();
    var rows =
        directions.stream()
            .map(d ->
                d.start().isEmpty()
                    ? Tensor.zeros(type, 1, width)
                    : d.start().get(index).value().unsqueeze(0));
    String name = path + ".initial_" + state;
    String batch =
        out.node(
            "Shape",
            name + ".batch",
            List.of(step.from().getFirst()),
            attribute("start", 1L),
            attribute("end", 2L));
    String shape =
        out.node(
            "Concat",
            name + ".shape",
            List.of(
                out.constant(name + ".directions", (long) sides),
                batch,
                out.constant(name + ".units", (long) width)),
            attribute("axis", 0L));
    return out.node("Expand", name, List.of(out.constant(name + ".row", stacked(rows)), shape));
  }

  /** {@code Y [T,directions,N,H] → [T,N,directions·H]}, or {@code [T,N,H]} where directions are merged. */
  private void flattened(String path, String y, int directions, Merge merge) {
    if (directions == 1) {
      out.node("Squeeze", path, List.of(y, out.constant(path + ".axis", 1L)));
      return;
    }
    switch (merge) {
      case CONCAT -> {
        String sides =
            out.node("Transpose", path + ".sides", List.of(y), attribute("perm", 0, 2, 1, 3));
        out.node("Reshape", path, List.of(sides, out.constant(path + ".flat", 0L, 0L, -1L)));
      }
      case ADD ->
          out.node(
              "ReduceSum",
              path,
              List.of(y, out.constant(path + ".axis", 1L)),
              attribute("keepdims", 0L));
      case MULTIPLY ->
          out.node("Mul", path, List.of(side(path, y, "forward", 0), side(path, y, "reverse", 1)));
      case AVERAGE ->
          out.node(
              "ReduceMean",
              path,
              List.of(y),
              attribute("axes", new int[] {1}),
              attribute("keepdims", 0L));
    }
  }

  private String side(String path, String y, String name, long number) {
    String part = path + "." + name;
    var one = List.of(y, out.constant(part + ".number", number));
    String gathered = out.node("Gather", part + ".gathered", one, attribute("axis", 1L));
    return out.node("Squeeze", part, List.of(gathered, out.constant(part + ".axis", 1L)));
  }
}
