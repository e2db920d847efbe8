package carousel.nn.onnx;

import static carousel.nn.onnx.GraphWriter.attribute;

import carousel.nn.Dropout;
import carousel.nn.Embedding;
import carousel.nn.Layer;
import carousel.nn.LayerNorm;
import carousel.nn.Linear;
import carousel.nn.onnx.RecurrentWeights.Operator;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Stack;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Layers to nodes: what each computes, said in operators of ONNX. */
final class LayerWriter {
  private static final String TIME = "time";
  private static final String BATCH = "batch";
  private static final String LENGTHS = "lengths";

  private final GraphWriter graph = new GraphWriter();
  private final Set<Onnx.Input> wanted;
  private final DataType type;
  private String flow; // the value that the next layer reads
  private int rank; // of it: 2 for tokens
  private String first; // its first axis
  private int recurrent; // how many recurrent operators there are so far

  private LayerWriter(Chain chain, Set<Onnx.Input> wanted) {
    this.wanted = wanted;
    this.type = type(chain);
    this.rank = chain.readsTokens() ? 2 : 3;
    this.first = chain.isBatchFirst() ? BATCH : TIME;
    this.flow =
        chain.readsTokens()
            ? graph.input("tokens", DataType.INT64, first, other(first))
            : graph.input("x", type, first, other(first), chain.inputs());
    if (wanted.contains(Onnx.Input.LENGTHS)) graph.input(LENGTHS, DataType.INT32, BATCH);
  }

  /** The file of a chain; its tensors belong to the innermost scope. */
  static WireWriter model(Chain chain, Set<Onnx.Input> wanted) {
    var writer = new LayerWriter(chain, wanted);
    for (var i = 0; i < chain.layers().size(); i++) {
      writer.layer("layers." + i, chain.layers().get(i));
    }
    writer.graph.node("Identity", "y", List.of(writer.flow));
    writer.graph.output("y", writer.type, writer.first, other(writer.first), chain.outputs());
    return writer.graph.model();
  }

  private static String other(String axis) {
    return axis.equals(TIME) ? BATCH : TIME;
  }

  private static DataType type(Chain chain) {
    var types = chain.parameters().stream().map(named -> named.value().dtype()).distinct().toList();
    if (types.size() != 1) {
      throw new OnnxException(
          types.isEmpty()
              ? "there is nothing to export: the layers have no parameters"
              : String.format(
                  Locale.ROOT,
                  "the layers' weights are of types %s; one model has one type",
                  types));
    }
    return DataType.of(types.getFirst());
  }

  private void layer(String path, Layer layer) {
    switch (layer) {
      case Dropout _ -> {} // drops nothing where nothing is trained
      case Transpose _ -> {
        var perm = rank == 2 ? new int[] {1, 0} : new int[] {1, 0, 2};
        flow = graph.node("Transpose", path, List.of(flow), attribute("perm", perm));
        first = other(first);
      }
      case Embedding embedding -> {
        var table = weight(path, "weight", embedding.weight().value());
        flow = graph.node("Gather", path, List.of(table, flow));
        rank = 3;
      }
      case Linear linear -> linear(path, linear);
      case LayerNorm norm ->
          flow =
              graph.node(
                  "LayerNormalization",
                  path,
                  List.of(
                      flow,
                      weight(path, "gain", norm.gain().value()),
                      weight(path, "bias", norm.bias().value())),
                  attribute("axis", -norm.gain().value().rank()),
                  attribute("epsilon", norm.epsilon()));
      case Stack stack -> {
        for (var i = 0; i < stack.layers().size(); i++) {
          layer(path + ".layers." + i, stack.layers().get(i));
        }
      }
      case Recurrent<?> one -> recurrent(path, List.of(one));
      case Bidirectional pair -> recurrent(path, List.of(pair.forward(), pair.backward()));
      default ->
          throw new OnnxException(
              String.format(
                  Locale.ROOT,
                  "%s, %s, cannot be exported: what it computes is not known; %s",
                  path,
                  layer.getClass().getSimpleName(),
                  "give the Recurrent, Bidirectional and Stack layers it is made of"));
    }
  }

  private void linear(String path, Linear linear) {
    var bias = linear.bias();
    var product = List.of(flow, weight(path, "weight", linear.weight().value()));
    if (bias == null) {
      flow = graph.node("MatMul", path, product);
    } else {
      var sum =
          List.of(
              graph.node("MatMul", path + ".product", product), weight(path, "bias", bias.value()));
      flow = graph.node("Add", path, sum);
    }
  }

  private String weight(String path, String name, Tensor value) {
    return graph.constant(path + "." + name, value);
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

  /** One direction, or forward and reverse, as one operator and what brings Y to {@code [T,N,..]}. */
  private void recurrent(String path, List<Recurrent<?>> directions) {
    var weights = new ArrayList<RecurrentWeights>();
    for (var i = 0; i < directions.size(); i++) {
      var side = directions.size() == 1 ? "" : i == 0 ? ".forward" : ".backward";
      weights.add(CellWriter.of(path + side + ".cell", directions.get(i).cell()));
      checkNoise(path + side, directions.get(i));
    }
    var first = weights.getFirst();
    checkPair(path, weights);
    var states = first.operator() == Operator.LSTM ? List.of("h", "c") : List.of("h");
    var in = new ArrayList<String>();
    in.add(flow);
    in.add(weight(path, "W", stacked(weights.stream().map(RecurrentWeights::w))));
    in.add(weight(path, "R", stacked(weights.stream().map(RecurrentWeights::r))));
    in.add(
        weight(
            path,
            "B",
            stacked(weights.stream().map(w -> Tensor.concat(0, List.of(w.wb(), w.rb()))))));
    in.add(wanted.contains(Onnx.Input.LENGTHS) ? LENGTHS : "");
    for (var i = 0; i < states.size(); i++) in.add(initial(path, states.get(i), i, directions));
    if (weights.stream().anyMatch(w -> w.p() != null)) {
      in.add(weight(path, "P", stacked(weights.stream().map(LayerWriter::peepholes))));
    }
    var out = new ArrayList<>(List.of(path + ".Y"));
    for (var state : states) {
      out.add(
          graph.output(
              String.format(Locale.ROOT, "final_%s_%d", state, recurrent),
              type,
              directions.size(),
              BATCH,
              first.hidden()));
    }
    graph.node(first.operator().name(), path, in, out, attributes(direction(directions), weights));
    flow = flattened(path, out.getFirst(), directions.size());
    recurrent++;
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
    return w.p() != null ? w.p() : Tensor.zerosAs(w.r(), Shape.of(3 * w.hidden()));
  }

  private static Tensor stacked(Stream<Tensor> directions) {
    return Tensor.stack(0, directions.toList()).contiguous();
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
    if (settings.coupled()) attributes.add(attribute("input_forget", 1L));
    if (settings.resetAfter()) attributes.add(attribute("linear_before_reset", 1L));
    if (settings.clip() != Clip.NONE) attributes.add(attribute("clip", settings.clip()));
    var all = weights.stream().flatMap(w -> w.settings().activations().stream()).toList();
    if (weights.stream()
        .anyMatch(w -> !w.settings().activations().equals(w.operator().defaults()))) {
      attributes.add(
          GraphWriter.texts("activations", all.stream().map(a -> a.function().label()).toList()));
      // Only functions that have these numbers take some off the lists.
      var alphas = all.stream().filter(a -> a.function().hasAlpha()).map(a -> a.alpha()).toList();
      var betas = all.stream().filter(a -> a.function().hasBeta()).map(a -> a.beta()).toList();
      if (!alphas.isEmpty()) attributes.add(GraphWriter.numbers("activation_alpha", alphas));
      if (!betas.isEmpty()) attributes.add(GraphWriter.numbers("activation_beta", betas));
    }
    return attributes;
  }

  /** The initial state of an operator: an input, the learned one, or none. */
  private String initial(String path, String state, int index, List<Recurrent<?>> directions) {
    var width = directions.getFirst().outputs();
    var sides = directions.size();
    if (wanted.contains(Onnx.Input.STATES)) {
      return graph.input(
          String.format(Locale.ROOT, "initial_%s_%d", state, recurrent), type, sides, BATCH, width);
    }
    if (directions.stream().allMatch(d -> d.start().isEmpty())) return "";
    var rows =
        directions.stream()
            .map(d ->
                d.start().isEmpty()
                    ? Tensor.zeros(type == DataType.DOUBLE ? DType.F64 : DType.F32, 1, width)
                    : d.start().get(index).value().unsqueeze(0));
    var name = path + ".initial_" + state;
    var batch =
        graph.node(
            "Shape", name + ".batch", List.of(flow), attribute("start", 1L), attribute("end", 2L));
    var shape =
        graph.node(
            "Concat",
            name + ".shape",
            List.of(
                graph.constant(name + ".directions", (long) sides),
                batch,
                graph.constant(name + ".units", (long) width)),
            attribute("axis", 0L));
    return graph.node("Expand", name, List.of(graph.constant(name + ".row", stacked(rows)), shape));
  }

  /** {@code Y [T,directions,N,H] → [T,N,directions·H]}. */
  private String flattened(String path, String y, int directions) {
    if (directions == 1) {
      return graph.node("Squeeze", path + ".y", List.of(y, graph.constant(path + ".axis", 1L)));
    }
    var sides = graph.node("Transpose", path + ".sides", List.of(y), attribute("perm", 0, 2, 1, 3));
    return graph.node(
        "Reshape", path + ".y", List.of(sides, graph.constant(path + ".flat", 0L, 0L, -1L)));
  }
}
