package carousel.nn.random;

import carousel.nn.random.CellProgram.Direction;
import carousel.nn.random.CellProgram.Kind;
import carousel.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cells with a little less in them. */
final class CellShrink {
  private CellShrink() {}

  /** Candidates, the largest steps first; only programs. */
  static Stream<CellProgram> smaller(CellProgram program) {
    List<Supplier<Stream<CellProgram>>> ways =
        List.of(
            () -> options(program),
            () -> calls(program),
            () -> sizes(program),
            () -> states(program),
            () -> graphs(program),
            () -> unused(program));
    return ways.stream()
        .flatMap(Supplier::get)
        .map(CellShrink::valid)
        .filter(Objects::nonNull)
        .filter(candidate -> !candidate.equals(program));
  }

  private static @Nullable CellProgram valid(CellProgram program) {
    try {
      return program.valid();
    } catch (Form.Invalid e) {
      return null;
    }
  }

  private static Stream<CellProgram> options(CellProgram p) {
    List<CellProgram> all = new ArrayList<>();
    all.add(p.run(null, p.learned(), p.direction(), p.calls()));
    all.add(p.run(p.label(), false, p.direction(), p.calls()));
    all.add(p.run(p.label(), p.learned(), Direction.FORWARD, p.calls()));
    if (p.direction() == Direction.BOTH) {
      all.add(p.run(p.label(), p.learned(), Direction.REVERSE, p.calls()));
    }
    all.add(p.computing(p.step(), null));
    all.add(p.with(DType.F64, p.kind(), p.projection()));
    all.add(p.with(p.type(), Kind.AFFINE, Projection.AFFINE));
    if (p.kind() != Kind.AFFINE) {
      all.add(p.with(p.type(), p.kind(), Projection.AFFINE));
      if (p.projection() != Projection.IDENTITY) {
        all.add(p.with(p.type(), p.kind(), Projection.PRODUCT));
      }
    }
    return all.stream();
  }

  private static Stream<CellProgram> calls(CellProgram p) {
    List<List<Call>> all = new ArrayList<>();
    if (p.calls().size() > 1) {
      p.calls().forEach(call -> all.add(List.of(call)));
    }
    for (int i = 0; i < p.calls().size(); i++) {
      for (Call plainer : plainer(p.calls().get(i))) {
        List<Call> changed = new ArrayList<>(p.calls());
        changed.set(i, plainer);
        all.add(changed);
      }
    }
    for (int rows : new int[] {1, 2}) {
      if (p.calls().getFirst().rows() > rows) {
        all.add(p.calls().stream().map(call -> rows(call, rows)).toList());
      }
    }
    return all.stream().map(calls -> p.run(p.label(), p.learned(), p.direction(), calls));
  }

  private static Call rows(Call call, int rows) {
    int fewer = Math.min(rows, call.rows());
    List<Integer> lengths = call.lengths().isEmpty() ? List.of() : call.lengths().subList(0, fewer);
    return call.sized(call.steps(), fewer, lengths);
  }

  private static List<Call> plainer(Call call) {
    List<Call> all = new ArrayList<>();
    if (!call.lengths().isEmpty()) {
      var dense = call.view() == Call.View.PADDED ? Call.View.DENSE : call.view();
      all.add(
          call.sized(call.steps(), call.rows(), List.of())
              .asked(call.given(), call.training(), call.wanted(), dense));
    }
    all.add(call.asked(call.given(), call.training(), call.wanted(), Call.View.DENSE));
    all.add(call.asked(false, call.training(), call.wanted(), call.view()));
    all.add(call.asked(call.given(), false, call.wanted(), call.view()));
    all.add(call.asked(call.given(), call.training(), Call.Wanted.OUTPUTS, call.view()));
    all.add(call.checked(call.fresh(), 1, call.second()));
    all.add(call.checked(call.fresh(), call.threads(), false));
    for (var each : call.fresh()) {
      all.add(call.checked(without(call.fresh(), each), call.threads(), call.second()));
    }
    for (int steps : new int[] {1, 2, call.steps() - 1}) {
      if (steps < call.steps() && steps >= 0) {
        List<Integer> lengths = call.lengths().stream().map(n -> Math.min(n, steps)).toList();
        all.add(call.sized(steps, call.rows(), lengths));
      }
    }
    return all;
  }

  private static Set<Call.Fresh> without(Set<Call.Fresh> some, Call.Fresh one) {
    return Set.copyOf(some.stream().filter(each -> each != one).toList());
  }

  /** All sizes to smaller ones, in proportion to one of them. */
  private static Stream<CellProgram> sizes(CellProgram p) {
    Stream<CellProgram> all = Stream.of(p.sized(1, p.gates(), p.states()));
    for (int from : p.states().stream().distinct().toList()) {
      for (int to : new int[] {1, 2, 3, 8, from - 1}) {
        if (to < from && to > 0) {
          all = Stream.concat(all, Stream.of(resized(p, new Resize(from, to))));
        }
      }
    }
    for (int gates : new int[] {p.states().getFirst(), p.gates() / 2, p.gates() - 1}) {
      if (gates < p.gates() && gates > 0) {
        all = Stream.concat(all, Stream.of(p.sized(p.inputs(), gates, p.states())));
      }
    }
    return all;
  }

  private static CellProgram resized(CellProgram p, Resize resize) {
    boolean square = p.projection().columns(p.inputs(), 0) > 0;
    List<Integer> states = p.states().stream().map(resize::of).toList();
    return p.sized(square ? resize.of(p.inputs()) : p.inputs(), resize.of(p.gates()), states)
        .holding(
            p.weights().stream().map(resize::dims).toList(),
            p.captured().stream().map(c -> new Capture(resize.dims(c.dims()), c.kind())).toList(),
            p.numbers())
        .computing(resize.graph(p.step()), p.output() == null ? null : resize.graph(p.output()));
  }

  /** Without one of the states: what reads it reads another one. */
  private static Stream<CellProgram> states(CellProgram p) {
    if (p.states().size() == 1) {
      return Stream.of();
    }
    return IntStream.range(0, p.states().size())
        .boxed()
        .flatMap(drop ->
            IntStream.range(0, p.states().size())
                .filter(to -> to != drop && p.states().get(to).equals(p.states().get(drop)))
                .mapToObj(to -> withoutState(p, drop, to)));
  }

  private static CellProgram withoutState(CellProgram p, int drop, int to) {
    List<Integer> states = new ArrayList<>(p.states());
    states.remove(/* index */ drop);
    int target = to > drop ? to - 1 : to;
    UnaryOperator<Node> inStep = given(1 + drop, 1 + target);
    Graph step = mapped(p.step().withoutResult(drop), inStep);
    Graph output = p.output() == null ? null : mapped(p.output(), given(drop, target));
    return p.sized(p.inputs(), p.gates(), states).computing(step, output);
  }

  private static UnaryOperator<Node> given(int drop, int target) {
    return node ->
        node instanceof Node.Given(int i) && i >= drop
            ? new Node.Given(i == drop ? target : i - 1)
            : node;
  }

  static Graph mapped(Graph graph, UnaryOperator<Node> change) {
    return new Graph(graph.nodes().stream().map(change).toList(), graph.results());
  }

  private static Stream<CellProgram> graphs(CellProgram p) {
    Stream<CellProgram> step =
        GraphShrink.smaller(p.step(), p.stepForms().of(p.step())).map(graph -> fitted(p, graph));
    Graph output = p.output();
    return output == null
        ? step
        : Stream.concat(
            step,
            GraphShrink.smaller(output, p.outputForms().of(output))
                .map(graph -> p.computing(p.step(), graph)));
  }

  /** A program with another step; the weights of products get as many rows as they need. */
  private static CellProgram fitted(CellProgram p, Graph step) {
    List<List<Integer>> weights = new ArrayList<>(p.weights());
    List<Form> forms = new ArrayList<>();
    for (Node node : step.nodes()) {
      CellProgram known = p.holding(weights, p.captured(), p.numbers());
      if (node instanceof Node.Product(int left, int right)
          && step.nodes().get(right) instanceof Node.Weight(int i)
          && forms.get(right).rank() == 2) {
        weights.set(i, List.of(forms.get(left).columns(), forms.get(right).columns()));
        forms.set(right, new Form(weights.get(i), false));
      }
      try {
        forms.add(known.stepForms().of(node, forms));
      } catch (Form.Invalid e) {
        return p;
      }
    }
    return p.holding(weights, p.captured(), p.numbers()).computing(step, p.output());
  }

  /** Without what it holds but does not read. */
  private static Stream<CellProgram> unused(CellProgram p) {
    List<Node> all = new ArrayList<>(p.step().nodes());
    if (p.output() != null) {
      all.addAll(p.output().nodes());
    }
    var unused = Unused.of(all, p.weights().size(), p.captured().size(), p.numbers());
    CellProgram less =
        p.holding(
                unused.weights().stream().map(p.weights()::get).toList(),
                unused.captured().stream().map(p.captured()::get).toList(),
                unused.numbers().size())
            .computing(
                mapped(p.step(), unused::renumbered),
                p.output() == null ? null : mapped(p.output(), unused::renumbered));
    return Stream.of(less);
  }
}
