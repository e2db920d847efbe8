package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.nn.Parameter;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Bidirectional.Merge;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Steps to nodes: what each computes, said in operators of ONNX. */
final class LayerWriter {
  private final GraphWriter out = new GraphWriter();
  private final Graph graph;
  private final DataType type;
  private final Draft known = new Draft(); // the types of values
  private final IdentityHashMap<Parameter, String> tables =
      new IdentityHashMap<>(); // by the names they have
  private int constants; // how many operands were written so far

  private LayerWriter(Graph graph) {
    this.graph = graph;
    this.type = DataType.of(graph.weightType());
  }

  /** The file of a graph; its tensors belong to the innermost scope. */
  static WireWriter model(Graph graph) {
    var writer = new LayerWriter(graph);
    for (var input : graph.inputs()) {
      writer.known.input(input);
      writer.out.input(input.name(), input.type(), dims(input.dims()));
    }
    for (var step : graph.steps()) {
      writer.known.add(step.layer(), step.from(), step.to());
      writer.checkType(step);
      writer.step(step);
    }
    for (var output : graph.outputs()) {
      if (!output.name().equals(output.value())) {
        writer.out.node("Identity", output.name(), List.of(output.value()));
      }
      var found = writer.known.type(output.value());
      writer.out.output(output.name(), found == null ? output.type() : found, dims(output.dims()));
    }
    return writer.out.model();
  }

  /** What a layer multiplies has the type of its weights. */
  private void checkType(Graph.Step step) {
    var x = known.type(step.from().isEmpty() ? "" : step.from().getFirst());
    var weights = Draft.weights(step.layer());
    if (x == null || weights == null || step.layer() instanceof Embedding || x == weights) {
      return;
    }
    throw new OnnxException(
        String.format(
            Locale.ROOT,
            "%s reads %s, which is %s, and has weights of %s; declare the input as what it is, or cast it",
            step.to().getFirst(),
            step.from().getFirst(),
            x,
            weights));
  }

  /** A size is a number; null for axes that are not known. */
  private static Object @Nullable [] dims(@Nullable List<String> dims) {
    return dims == null
        ? null
        : dims.stream()
            .map(dim -> dim.matches("[0-9]{1,9}") ? (Object) Integer.valueOf(dim) : dim)
            .toArray();
  }

  private void step(Graph.Step step) {
    var to = step.to().getFirst();
    switch (step.layer()) {
      case Dropout _ -> out.node("Identity", to, step.from());
      case Transpose _ -> transpose(step);
      case Embedding embedding -> {
        var table = table(to, embedding.weight());
        out.node("Gather", to, List.of(table, step.from().getFirst()));
      }
      case Linear linear ->
          affine(step, weight(to, "weight", linear.weight().value()), linear.bias());
      case TiedLinear tied -> affine(step, transposed(to, tied.weight()), tied.bias());
      case LayerNorm norm ->
          out.node(
              "LayerNormalization",
              to,
              List.of(
                  step.from().getFirst(),
                  weight(to, "gain", norm.gain().value()),
                  weight(to, "bias", norm.bias().value())),
              attribute("axis", -norm.gain().value().rank()),
              attribute("epsilon", norm.epsilon()));
      case Operation operation when Forms.hasAxesAttribute(operation.operator()) ->
          reduction(step, operation);
      case Operation operation -> operation(step, operation);
      case Sequence sequence -> recurrent(step, sequence);
      default ->
          throw new OnnxException(
              String.format(
                  Locale.ROOT,
                  "%s, %s, cannot be exported: what it computes is not known",
                  to,
                  step.layer().getClass().getSimpleName()));
    }
  }

  /** Of tokens there are two axes, of all else three. */
  private void transpose(Graph.Step step) {
    var perm = isTokens(step.from().getFirst()) ? new int[] {1, 0} : new int[] {1, 0, 2};
    out.node("Transpose", step.to().getFirst(), step.from(), attribute("perm", perm));
  }

  private boolean isTokens(String name) {
    for (var input : graph.inputs()) {
      if (input.name().equals(name)) {
        return input.dims() != null && input.dims().size() == 2;
      }
    }
    for (var step : graph.steps()) {
      if (step.to().getFirst().equals(name)) {
        return step.layer() instanceof Transpose && isTokens(step.from().getFirst());
      }
    }
    return false;
  }

  /** A table of tokens, which a tied layer shares, is in the file once. */
  private String table(String path, Parameter weight) {
    return tables.computeIfAbsent(weight, table -> weight(path, "weight", table.value()));
  }

  private String transposed(String path, Parameter weight) {
    return out.node(
        "Transpose", path + ".transposed", List.of(table(path, weight)), attribute("perm", 1, 0));
  }

  private void affine(Graph.Step step, String weight, @Nullable Parameter bias) {
    var to = step.to().getFirst();
    var product = List.of(step.from().getFirst(), weight);
    if (bias == null) {
      out.node("MatMul", to, product);
    } else {
      var sum =
          List.of(out.node("MatMul", to + ".product", product), weight(to, "bias", bias.value()));
      out.node("Add", to, sum);
    }
  }

  private void operation(Graph.Step step, Operation operation) {
    var from = new ArrayList<String>();
    var attributes = new ArrayList<WireWriter>();
    for (var operand : operation.operands()) {
      from.add(operand(step, operand));
    }
    new TreeMap<>(operation.attributes())
        .forEach((name, value) -> attributes.add(attributeOf(name, value)));
    out.node(operation.operator(), step.to().getFirst(), from, step.to(), attributes);
  }

  /** But for the sum, reductions have their axes as an attribute in opset 17, and always fold something. */
  private void reduction(Graph.Step step, Operation operation) {
    var to = step.to().getFirst();
    var axes =
        operation.operands().size() == 1
            ? new int[0]
            : switch (operation.operands().get(1)) {
              case Operation.Operand.Constant numbers -> numbers.value().toIntArray();
              case Operation.Operand.Missing _ -> new int[0];
              default ->
                  throw new OnnxException(
                      String.format(
                          Locale.ROOT,
                          "%s, %s, cannot be exported: its axes are computed",
                          to,
                          operation.operator()));
            };
    var x = operand(step, operation.operands().getFirst());
    var isEach = !operation.attributes().getOrDefault("noop_with_empty_axes", 0L).equals(0L);
    if (axes.length == 0 && isEach) {
      switch (operation.operator()) {
        case "ReduceL2" -> out.node("Abs", to, List.of(x));
        case "ReduceSumSquare" -> out.node("Mul", to, List.of(x, x));
        default -> out.node("Identity", to, List.of(x)); // of one number all others are that
      }
      return;
    }
    var attributes = new ArrayList<WireWriter>();
    var keeps = operation.attributes().get("keepdims");
    if (keeps != null) {
      attributes.add(attributeOf("keepdims", keeps));
    }
    if (axes.length > 0) {
      attributes.add(attribute("axes", axes));
    }
    out.node(operation.operator(), to, List.of(x), step.to(), attributes);
  }

  private String operand(Graph.Step step, Operation.Operand operand) {
    return switch (operand) {
      case Operation.Operand.Given given -> step.from().get(given.index());
      case Operation.Operand.Weight weight ->
          weight(step.to().getFirst(), "operand" + constants++, weight.value().value());
      case Operation.Operand.Constant number -> number(step, number);
      case Operation.Operand.Missing _ -> "";
    };
  }

  private String number(Graph.Step step, Operation.Operand.Constant number) {
    var name = step.to().getFirst() + ".number" + constants++;
    var value = number.value();
    return value.dtype() == DType.F32 || value.dtype() == DType.F64
        ? out.constant(name, value)
        : out.constant(name, number.type(), value);
  }

  private static WireWriter attributeOf(String name, Object value) {
    return switch (value) {
      case Long integer -> attribute(name, (long) integer);
      case Double single -> attribute(name, (double) single);
      case String text -> attribute(name, text);
      case List<?> list -> attribute(name, list.stream().mapToLong(n -> (Long) n).toArray());
      default ->
          throw new OnnxException(String.format(Locale.ROOT, "attribute %s is %s", name, value));
    };
  }

  private String weight(String path, String name, Tensor value) {
    return out.constant(path + "." + name, value);
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
    for (var i = 0; i < directions.size(); i++) {
      var side = directions.size() == 1 ? "" : i == 0 ? ".forward" : ".backward";
      weights.add(CellWriter.of(path + side + ".cell", directions.get(i).cell()));
      checkNoise(path + side, directions.get(i));
    }
    return weights;
  }

  /** One direction, or forward and reverse, as one operator and what brings Y to {@code [T,N,..]}. */
  private void recurrent(Graph.Step step, Sequence layer) {
    var path = step.to().getFirst();
    var directions = Graph.directions(layer);
    var weights = weights(path, layer);
    checkPair(path, weights);
    var states = stateNames(path, layer);
    var from = step.from();
    var in = new ArrayList<String>();
    in.add(from.getFirst());
    in.add(weight(path, "W", stacked(weights.stream().map(RecurrentWeights::w))));
    in.add(weight(path, "R", stacked(weights.stream().map(RecurrentWeights::r))));
    in.add(weights.stream().anyMatch(RecurrentWeights::hasBias) ? biases(path, weights) : "");
    in.add(from.size() > 1 ? lengths(path, from.get(1)) : "");
    for (var i = 0; i < states.size(); i++) {
      var given = from.size() > 2 + i ? from.get(2 + i) : "";
      in.add(given.isEmpty() ? initial(step, states.get(i), i, directions) : given);
    }
    if (weights.stream().anyMatch(w -> w.p() != null)) {
      in.add(weight(path, "P", stacked(weights.stream().map(LayerWriter::peepholes))));
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
    return weight(path, "B", stacked(each.map(both -> Tensor.concat(both, 0))));
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
    var width = directions.getFirst().outputs();
    var sides = directions.size();
    if (directions.stream().allMatch(d -> d.start().isEmpty())) {
      return "";
    }
    var path = step.to().getFirst();
    var rows =
        directions.stream()
            .map(d ->
                d.start().isEmpty()
                    ? Tensor.zeros(type == DataType.DOUBLE ? DType.F64 : DType.F32, 1, width)
                    : d.start().get(index).value().unsqueeze(0));
    var name = path + ".initial_" + state;
    var batch =
        out.node(
            "Shape",
            name + ".batch",
            List.of(step.from().getFirst()),
            attribute("start", 1L),
            attribute("end", 2L));
    var shape =
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
        var sides =
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
    var part = path + "." + name;
    var one = List.of(y, out.constant(part + ".number", number));
    var gathered = out.node("Gather", part + ".gathered", one, attribute("axis", 1L));
    return out.node("Squeeze", part, List.of(gathered, out.constant(part + ".axis", 1L)));
  }
}
