package carousel.nn.random;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Unary;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Graphs with a little less in them. */
final class GraphShrink {
  private GraphShrink() {}

  /** Largest steps first: from the last node to the first, what it reads in its place, or something plain. */
  static Stream<Graph> smaller(Graph graph, List<Form> forms) {
    Graph pruned = graph.pruned();
    Stream<Graph> dead =
        pruned.nodes().size() < graph.nodes().size() ? Stream.of(pruned) : Stream.of();
    Stream<Graph> cut =
        IntStream.range(0, graph.nodes().size())
            .boxed()
            .sorted((a, b) -> b - a)
            .flatMap(i -> at(graph, forms, i));
    return Stream.concat(dead, cut);
  }

  private static Stream<Graph> at(Graph graph, List<Form> forms, int i) {
    Node node = graph.nodes().get(i);
    Form form = forms.get(i);
    // What it reads, directly or not, if that is of the same form.
    if (graph.isDead(i)) {
      return Stream.of(graph.without(i));
    }
    Stream<Graph> earlier =
        IntStream.range(0, i)
            .filter(j -> forms.get(j).equals(form) && isSimpler(graph, j, i))
            .mapToObj(j -> graph.replaced(i, j));
    // What it reads, of whatever form: weights may be made to fit.
    Stream<Graph> operands =
        node.operands().stream()
            .filter(j -> !forms.get(j).equals(form))
            .map(j -> graph.replaced(i, j));
    return Stream.concat(Stream.concat(earlier, operands), plain(graph, node, i, form));
  }

  /** Of two leaves only one is simpler, lest they take turns. */
  private static boolean isSimpler(Graph graph, int j, int i) {
    return !graph.nodes().get(i).operands().isEmpty()
        || rank(graph.nodes().get(j)) < rank(graph.nodes().get(i));
  }

  private static int rank(Node node) {
    return switch (node) {
      case Node.Constant _ -> 0;
      case Node.Given _ -> 1;
      case Node.Weight _ -> 2;
      case Node.Made _ -> 3;
      case Node.Captured _ -> 4;
      default -> 5;
    };
  }

  /** A plainer node. */
  private static Stream<Graph> plain(Graph graph, Node node, int i, Form form) {
    return switch (node) {
      case Node.Constant(double value) when value != 0.5 && value != 2 ->
          Stream.of(graph.with(i, new Node.Constant(value > 1 ? 2 : 0.5)));
      case Node.Annealed _, Node.Made _ when !form.mask() ->
          Stream.of(graph.with(i, new Node.Constant(0.5)));
      case Node.Captured _ when !form.mask() && form.rank() < 2 ->
          Stream.of(graph.with(i, new Node.Constant(0.5)));
      case Node.Weight _ when form.rank() < 2 -> Stream.of(graph.with(i, new Node.Constant(0.5)));
      case Node.Row(var row, List<Integer> operands)
          when row instanceof Unary && row != Unary.TANH ->
          Stream.of(graph.with(i, new Node.Row(Unary.TANH, operands)));
      case Node.Row(var row, List<Integer> operands)
          when row instanceof Binary && row != Binary.ADD && row != Binary.MUL ->
          Stream.of(
              graph.with(i, new Node.Row(Binary.ADD, operands)),
              graph.with(i, new Node.Row(Binary.MUL, operands)));
      case Node.Row(var row, List<Integer> operands) when row == Binary.MUL ->
          Stream.of(graph.with(i, new Node.Row(Binary.ADD, operands)));
      case Node.Own(OwnOp op, int _, List<Integer> operands) when operands.size() == 1 ->
          Stream.of(graph.with(i, new Node.Row(Unary.TANH, operands)));
      case Node.Own(OwnOp op, int output, List<Integer> operands)
          when op.row() instanceof Unary && op.row() != Unary.TANH ->
          Stream.of(
              graph.with(
                  i,
                  new Node.Own(
                      new OwnOp(op.kind(), Unary.TANH, op.slope(), op.factor()),
                      output,
                      operands)));
      case Node.Joined(List<Integer> parts) when parts.size() > 1 ->
          IntStream.range(0, parts.size())
              .mapToObj(k ->
                  graph.with(
                      i,
                      new Node.Joined(
                          IntStream.range(0, parts.size())
                              .filter(j -> j != k)
                              .mapToObj(parts::get)
                              .toList())));
      case Node.Folded(var reduce, int x, boolean keep, boolean over)
          when reduce != Reduce.SUM && !form.mask() ->
          Stream.of(graph.with(i, new Node.Folded(Reduce.SUM, x, keep, over)));
      default -> Stream.of();
    };
  }
}
