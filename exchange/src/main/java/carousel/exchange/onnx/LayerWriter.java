package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;

import carousel.nn.Parameter;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Steps to nodes: what each computes, said in operators of ONNX. */
final class LayerWriter {
  private final GraphWriter out = new GraphWriter();
  private final Graph graph;
  private final Draft known = new Draft(); // the types of values
  private final RecurrentWriter recurrent;
  private final IdentityHashMap<Parameter, String> tables =
      new IdentityHashMap<>(); // by the names they have
  private int constants; // how many operands were written so far

  private LayerWriter(Graph graph) {
    this.graph = graph;
    this.recurrent = new RecurrentWriter(out, known, graph.weightType());
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
    String to = step.to().getFirst();
    switch (step.layer()) {
      case Dropout _ -> out.node("Identity", to, step.from());
      case Transpose _ -> transpose(step);
      case Embedding embedding -> {
        String table = table(to, embedding.weight());
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
      case Sequence sequence -> recurrent.write(step, sequence);
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
    String to = step.to().getFirst();
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
    String to = step.to().getFirst();
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
    String x = operand(step, operation.operands().getFirst());
    boolean isEach = !operation.attributes().getOrDefault("noop_with_empty_axes", 0L).equals(0L);
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
    String name = step.to().getFirst() + ".number" + constants++;
    Tensor value = number.value();
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
}
