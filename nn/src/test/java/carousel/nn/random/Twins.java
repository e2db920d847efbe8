package carousel.nn.random;

import carousel.nn.random.CellProgram.Kind;
import carousel.tensor.op.Binary;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Programs that differ from another in one thing: which block is cut off, which weight is read, which value is a
 * result, whether a gradient flows, which kind of cell it is. They run after it, and not by its kernel.
 */
final class Twins {
  private Twins() {}

  /** One of the twins of every other cell. */
  static Stream<CellProgram> of(CellProgram p) {
    List<CellProgram> all = new ArrayList<>();
    if (p.projection() == Projection.AFFINE) {
      Kind other = p.kind() == Kind.AFFINE ? Kind.PLAIN : Kind.AFFINE;
      all.add(p.with(p.type(), other, p.projection()));
    }
    List<CellProgram> steps = new ArrayList<>();
    graphs(p.step(), p.stepForms().of(p.step()))
        .forEach(graph -> steps.add(p.computing(graph, p.output())));
    var dice = Dice.of(p.seed() + 7);
    boolean kind = steps.isEmpty() || dice.chance(0.3);
    return some(dice, kind ? all : steps, twin -> first(twin).valid());
  }

  private static CellProgram first(CellProgram p) {
    return p.run(p.label(), p.learned(), p.direction(), List.of(p.calls().getFirst()));
  }

  /** One of the twins of every other composite. */
  static Stream<CompositeProgram> of(CompositeProgram p) {
    List<CompositeProgram> all =
        graphs(p.body(), p.forms().of(p.body()))
            .map(graph -> p.given(p.type(), p.inputs(), graph))
            .toList();
    return some(
        Dice.of(p.seed() + 7),
        all,
        twin -> twin.run(twin.label(), List.of(twin.calls().getFirst())).valid());
  }

  private static <P> Stream<P> some(Dice dice, List<P> all, Function<P, P> made) {
    if (all.isEmpty() || dice.chance(0.5)) {
      return Stream.of();
    }
    try {
      return Stream.of(made.apply(dice.of(all)));
    } catch (Form.Invalid e) {
      return Stream.of(); // the last block may be a smaller one
    }
  }

  private static Stream<Graph> graphs(Graph graph, List<Form> forms) {
    return Stream.concat(
        results(graph, forms),
        IntStream.range(0, graph.nodes().size())
            .boxed()
            .flatMap(i -> nodes(graph, forms, i).map(node -> graph.with(i, node))));
  }

  /** The same nodes, of which another is the first result. */
  private static Stream<Graph> results(Graph graph, List<Form> forms) {
    int first = graph.results().getFirst();
    return IntStream.range(0, graph.nodes().size())
        .filter(i -> i != first && forms.get(i).equals(forms.get(first)))
        .mapToObj(i -> {
          List<Integer> results = new ArrayList<>(graph.results());
          results.set(0, i);
          return new Graph(graph.nodes(), results);
        })
        .limit(2);
  }

  private static Stream<Node> nodes(Graph graph, List<Form> forms, int at) {
    return switch (graph.nodes().get(at)) {
      case Node.Chunk(int x, int pieces, int i) ->
          Stream.of(new Node.Chunk(x, pieces, (i + 1) % pieces));
      case Node.Narrow(int x, int start, int length) ->
          Stream.of(new Node.Narrow(x, start >= length ? start - length : start + length, length));
      case Node.Own(OwnOp op, int output, List<Integer> operands) ->
          op.others().map(other -> new Node.Own(other, output, operands));
      case Node.Split(int x, int before, int i) -> Stream.of(new Node.Split(x, before, 1 - i));
      case Node.Weight _ ->
          IntStream.range(0, at)
              .filter(j -> graph.nodes().get(j) instanceof Node.Weight)
              .filter(j -> forms.get(j).equals(forms.get(at)))
              .filter(j -> !graph.nodes().get(j).equals(graph.nodes().get(at)))
              .mapToObj(graph.nodes()::get);
      case Node.Row(var row, List<Integer> operands) when operands.size() == 2 -> {
        boolean one =
            row == Binary.MUL
                && graph.nodes().get(operands.getLast()).equals(new Node.Constant(1))
                && forms.get(operands.getFirst()).equals(forms.get(at));
        // Rare, so the more often where there is one.
        yield Stream.<Node>generate(() -> new Node.Detached(operands.getFirst()))
            .limit(one ? 5 : 0);
      }
      default -> Stream.of();
    };
  }
}
