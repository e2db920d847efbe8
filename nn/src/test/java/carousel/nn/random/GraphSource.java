package carousel.nn.random;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Writes a graph as the Java that a user would write. */
final class GraphSource {
  private final IntFunction<String> given;
  private final String suffix;
  private final List<Form> forms;
  private final List<Node> nodes;
  private final List<String> names = new ArrayList<>();
  private final Map<Node, String> pieces = new HashMap<>();
  private final StringBuilder text = new StringBuilder();

  private GraphSource(
      Graph graph, List<Form> forms, IntFunction<String> given, String suffix, String indent) {
    this.nodes = graph.nodes();
    this.forms = forms;
    this.given = given;
    this.suffix = suffix;
    for (int i = 0; i < nodes.size(); i++) {
      String expression = expression(nodes.get(i), i, indent);
      if (expression.matches(
              "\\w+(\\[\\d+\\])?" + suffix.replace(".", "\\.").replace("()", "\\(\\)"))
          || expression.matches("\\w+(\\[\\d+\\])?")
          || nodes.get(i) instanceof Node.Constant
          || nodes.get(i) instanceof Node.Annealed) {
        names.add(expression);
      } else {
        names.add("v" + i);
        text.append(indent).append("Tensor v" + i + " = ").append(expression);
        text.append("; // ")
            .append(forms.get(i).mask() ? "mask " : "")
            .append(dims(i))
            .append('\n');
      }
    }
  }

  /**
   * The statements of a graph, with the names of its results.
   *
   * @param graph what is computed
   * @param forms of its nodes
   * @param given the names of what it is given
   * @param suffix what follows the name of a weight
   * @param indent of every line
   */
  static Written of(
      Graph graph, List<Form> forms, IntFunction<String> given, String suffix, String indent) {
    var source = new GraphSource(graph, forms, given, suffix, indent);
    return new Written(
        source.text.toString(), graph.results().stream().map(source.names::get).toList());
  }

  /** Statements, and the names of results. */
  record Written(String statements, List<String> results) {}

  private String dims(int i) {
    return forms.get(i).dims().stream()
        .map(d -> d == -1 ? "N" : d == -2 ? "M" : d.toString())
        .collect(Collectors.joining(",", "[", "]"));
  }

  private String expression(Node node, int place, String indent) {
    String like = given.apply(0);
    return switch (node) {
      case Node.Given(int i) -> given.apply(i);
      case Node.Weight(int i) -> "w" + i + suffix;
      case Node.Captured(int i) -> "c" + i;
      case Node.Constant(double value) -> like + ".scalarLike(" + value + ")";
      case Node.Annealed(int i) -> like + ".scalarLike(numbers[" + i + "])";
      case Node.Made(Node.Pattern pattern, int columns, double value) ->
          switch (pattern) {
            case FULL -> "Tensor.full(" + like + ".dtype(), " + value + ", " + columns + ")";
            case FULL_ROWS ->
                String.format(
                    Locale.ROOT,
                    "%1$s.fullLike(%1$s.shape().with(%1$s.rank() - 1, %2$d), %3$s)",
                    like,
                    columns,
                    value);
            case ZEROS_LIKE -> like + ".zerosLike()";
            case RAMP ->
                String.format(
                    Locale.ROOT,
                    "Tensor.linspace(%s.dtype(), %s, %s, %d)",
                    like,
                    -value,
                    value,
                    columns);
          };
      case Node.Row(Op row, List<Integer> operands) -> row(row, operands);
      case Node.Own(OwnOp op, int output, List<Integer> operands) ->
          piece(
              new Node.Own(op, 0, operands),
              String.format(
                  Locale.ROOT,
                  "List.of(%s.applyAll(%s))",
                  op.source(),
                  operands.stream().map(names::get).collect(Collectors.joining(", "))),
              output,
              place,
              indent);
      case Node.Product(int left, int right) ->
          names.get(left) + ".matmul(" + names.get(right) + ")";
      case Node.Joined(List<Integer> operands) ->
          String.format(
              Locale.ROOT,
              "Tensor.concat(List.of(%s), Tensor.LAST)",
              operands.stream().map(names::get).collect(Collectors.joining(", ")));
      case Node.Single single -> single(single, names.get(single.x()), place, indent);
    };
  }

  private String single(Node.Single node, String x, int place, String indent) {
    return switch (node) {
      case Node.Cast _ -> x + ".cast(" + given.apply(0) + ".dtype())";
      case Node.Transposed _ -> x + ".transpose(0, 1)";
      case Node.Chunk(int from, int count, int index) ->
          piece(
              new Node.Chunk(from, count, 0),
              x + ".chunk(" + count + ", Tensor.LAST)",
              index,
              place,
              indent);
      case Node.Split(int from, int at, int index) ->
          piece(
              new Node.Split(from, at, 0),
              String.format(
                  Locale.ROOT,
                  "%s.split(List.of(%d, %d), Tensor.LAST)",
                  x,
                  at,
                  forms.get(from).columns() - at),
              index,
              place,
              indent);
      case Node.Narrow(int _, int start, int length) ->
          String.format(Locale.ROOT, "%s.narrow(Tensor.LAST, %d, %d)", x, start, length);
      case Node.Strided(int from) ->
          String.format(
              Locale.ROOT, "%s.slice(Tensor.LAST, 0, %d, 2)", x, forms.get(from).columns());
      case Node.Folded(Reduce reduce, int _, boolean keep, boolean overRows) ->
          String.format(Locale.ROOT, "%s.%s(%d, %s)", x, reduce.label(), overRows ? 0 : -1, keep);
      case Node.Softmaxed(int _, boolean log) ->
          x + (log ? ".logSoftmax" : ".softmax") + "(Tensor.LAST)";
      case Node.Pooled(Reduce reduce, int from, int blocks) ->
          String.format(
              Locale.ROOT,
              "%s.reshape(-1, %d, %d).%s(1)",
              x,
              blocks,
              forms.get(from).columns() / blocks,
              reduce.label());
      case Node.Unsqueezed _ -> x + ".unsqueeze(-1)";
      case Node.Expanded(int _, int columns) ->
          String.format(
              Locale.ROOT, "%1$s.expand(%1$s.shape().with(%1$s.rank() - 1, %2$d))", x, columns);
      case Node.Flipped _ -> x + ".flip(Tensor.LAST)";
      case Node.Cumulated _ -> x + ".cumsum(Tensor.LAST)";
      case Node.Copied _ -> x + ".copy()";
      case Node.Detached _ -> x + ".detach()";
      case Node.Dropped(int _, double probability) ->
          "new Dropout(" + probability + ").apply(" + x + ")";
      case Node.Composed(String label, Op row, int _) ->
          String.format(
              Locale.ROOT,
              "Op.apply(Composite.of(\"%s\", (Tensor t) -> %s), %s)",
              label,
              call(row, List.of("t")),
              x);
    };
  }

  private String piece(Node cut, String expression, int index, int place, String indent) {
    String all = pieces.get(cut);
    if (all == null) {
      all = "cut" + place;
      pieces.put(cut, all);
      text.append(String.format(Locale.ROOT, "%sList<Tensor> %s = %s;%n", indent, all, expression));
    }
    return all + ".get(" + index + ")";
  }

  private String row(Op row, List<Integer> operands) {
    List<String> arguments =
        IntStream.range(0, operands.size()).mapToObj(i -> argument(row, operands, i)).toList();
    return call(row, arguments);
  }

  /** A number needs no tensor where a method takes one. */
  private String argument(Op row, List<Integer> operands, int i) {
    int operand = operands.get(i);
    boolean number = i == 1 && row instanceof Binary binary && binary.domain().accepts(DType.F64);
    if (number && has(method(row), double.class)) {
      if (nodes.get(operand) instanceof Node.Constant(double value)) {
        return Double.toString(value);
      }
      if (nodes.get(operand) instanceof Node.Annealed(int index)) {
        return "numbers[" + index + "]";
      }
    }
    return names.get(operand);
  }

  private static String call(Op row, List<String> arguments) {
    if (row == Ternary.WHERE) {
      return "Tensor.where(" + String.join(", ", arguments) + ")";
    }
    Class<?>[] types = new Class<?>[arguments.size() - 1];
    Arrays.fill(types, Tensor.class);
    List<String> rest = arguments.subList(1, arguments.size());
    return has(method(row), types)
        ? arguments.getFirst() + "." + method(row) + "(" + String.join(", ", rest) + ")"
        : String.format(
            Locale.ROOT,
            "Op.apply(%s.%s, %s)",
            row instanceof Unary ? "Unary" : row instanceof Binary ? "Binary" : "Ternary",
            row,
            String.join(", ", arguments));
  }

  private static String method(Op row) {
    return row == Binary.MAX ? "maximum" : row == Binary.MIN ? "minimum" : row.label();
  }

  private static boolean has(String method, Class<?>... types) {
    return Arrays.stream(Tensor.class.getMethods())
        .anyMatch(m -> m.getName().equals(method) && Arrays.equals(m.getParameterTypes(), types));
  }
}
