package carousel.nn.random;

import carousel.nn.random.CompositeProgram.Input;
import carousel.nn.random.CompositeProgram.Run;
import carousel.nn.random.CompositeProgram.View;
import carousel.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Composites with a little less in them. */
final class CompositeShrink {
  private CompositeShrink() {}

  /** Candidates, the largest steps first; only programs. */
  static Stream<CompositeProgram> smaller(CompositeProgram program) {
    List<Supplier<Stream<CompositeProgram>>> ways =
        List.of(
            () -> calls(program),
            () -> options(program),
            () -> sizes(program),
            () -> outputs(program),
            () -> graphs(program),
            () -> unused(program));
    return ways.stream()
        .flatMap(Supplier::get)
        .map(CompositeShrink::valid)
        .filter(Objects::nonNull)
        .filter(candidate -> !candidate.equals(program));
  }

  private static @Nullable CompositeProgram valid(CompositeProgram program) {
    try {
      return program.valid();
    } catch (Form.Invalid e) {
      return null;
    }
  }

  private static Stream<CompositeProgram> calls(CompositeProgram p) {
    List<List<Run>> all = new ArrayList<>();
    if (p.calls().size() > 1) {
      p.calls().forEach(call -> all.add(List.of(call)));
    }
    for (int i = 0; i < p.calls().size(); i++) {
      Run run = p.calls().get(i);
      List<Run> plainer =
          List.of(
              new Run(run.rows(), run.fresh(), 1, run.second()),
              new Run(run.rows(), run.fresh(), run.threads(), false),
              new Run(run.rows(), false, run.threads(), run.second()),
              new Run(least(run.rows(), 1), run.fresh(), run.threads(), run.second()),
              new Run(least(run.rows(), 2), run.fresh(), run.threads(), run.second()));
      for (Run each : plainer) {
        List<Run> changed = new ArrayList<>(p.calls());
        changed.set(i, each);
        all.add(changed);
      }
    }
    return all.stream().map(calls -> p.run(p.label(), calls));
  }

  private static List<Integer> least(List<Integer> rows, int most) {
    return rows.stream().map(n -> Math.min(n, most)).toList();
  }

  private static Stream<CompositeProgram> options(CompositeProgram p) {
    List<Input> dense =
        p.inputs().stream().map(input -> new Input(input.form(), View.DENSE)).toList();
    return Stream.of(
        p.run("mine", p.calls()),
        p.given(DType.F64, p.inputs(), p.body()),
        p.given(p.type(), dense, p.body()));
  }

  private static Stream<CompositeProgram> sizes(CompositeProgram p) {
    List<CompositeProgram> all = new ArrayList<>();
    int from = p.inputs().getFirst().form().columns();
    for (int to : new int[] {1, 2, 3, 8, from - 1}) {
      if (to < from && to > 0) {
        var resize = new Resize(from, to);
        List<Input> inputs =
            p.inputs().stream()
                .map(input ->
                    new Input(
                        new Form(resize.dims(input.form().dims()), input.form().mask()),
                        input.view()))
                .toList();
        all.add(
            p.holding(
                    p.captured().stream()
                        .map(c -> new Capture(resize.dims(c.dims()), c.kind()))
                        .toList(),
                    p.numbers())
                .given(p.type(), inputs, resize.graph(p.body())));
      }
    }
    return all.stream();
  }

  /** Without an output, or an input that nobody reads. */
  private static Stream<CompositeProgram> outputs(CompositeProgram p) {
    Stream<CompositeProgram> fewer =
        p.body().results().size() < 2
            ? Stream.of()
            : IntStream.range(0, p.body().results().size())
                .mapToObj(i -> p.given(p.type(), p.inputs(), p.body().withoutResult(i)));
    Stream<CompositeProgram> inputs =
        IntStream.range(0, p.inputs().size())
            .filter(i -> !p.body().nodes().contains(new Node.Given(i)))
            .mapToObj(i -> withoutInput(p, i));
    return Stream.concat(fewer, inputs);
  }

  private static CompositeProgram withoutInput(CompositeProgram p, int drop) {
    List<Input> inputs = new ArrayList<>(p.inputs());
    inputs.remove(/* index */ drop);
    Graph body =
        CellShrink.mapped(
            p.body(),
            node -> node instanceof Node.Given(int i) && i > drop ? new Node.Given(i - 1) : node);
    return p.given(p.type(), inputs, body);
  }

  private static Stream<CompositeProgram> graphs(CompositeProgram p) {
    return GraphShrink.smaller(p.body(), p.forms().of(p.body()))
        .map(graph -> p.given(p.type(), p.inputs(), graph));
  }

  private static Stream<CompositeProgram> unused(CompositeProgram p) {
    var unused = Unused.of(p.body().nodes(), 0, p.captured().size(), p.numbers());
    return Stream.of(
        p.holding(
                unused.captured().stream().map(p.captured()::get).toList(), unused.numbers().size())
            .given(p.type(), p.inputs(), CellShrink.mapped(p.body(), unused::renumbered)));
  }
}
