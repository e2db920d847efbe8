package carousel.nn.random;

import carousel.nn.random.Form.Invalid;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.stream.Stream;

/**
 * What can be made at random and judged.
 *
 * @param name in the plural
 * @param maker makes one from a seed
 * @param ready gives it its tensors
 * @param smaller what is a little less of it; not all of that need be programs
 * @param twins what is almost the same, and must not run by its kernel
 * @param traits what it has, for the tally
 * @param source it, as a user would write it
 * @param <P> its programs
 */
record Species<P>(
    String name,
    LongFunction<P> maker,
    Function<P, Referee.Ready> ready,
    Function<P, Stream<P>> smaller,
    Function<P, Stream<P>> twins,
    Function<P, Set<String>> traits,
    Function<P, String> source) {

  static final Species<CellProgram> CELLS =
      new Species<>(
          "cells",
          CellMaker::of,
          CellRun::new,
          CellShrink::smaller,
          Twins::of,
          Species::traits,
          CellSource::of);

  static final Species<CompositeProgram> COMPOSITES =
      new Species<>(
          "composites",
          CompositeProgram.Maker::of,
          CompositeRun::new,
          CompositeShrink::smaller,
          Twins::of,
          Species::traits,
          CompositeSource::of);

  Verdict judge(P program) {
    Verdict verdict = Referee.judge(() -> ready.apply(program));
    for (P twin : verdict.isFailure() ? List.<P>of() : twins.apply(program).toList()) {
      Verdict other = Referee.judge(() -> ready.apply(twin));
      if (other.isFailure()) {
        String text = "after another: " + other.message() + "\n" + source.apply(twin);
        return new Verdict(other.kind(), other.kernel(), text);
      }
    }
    return verdict;
  }

  /** Whether a program fails in a certain way. */
  boolean fails(P program, Verdict.Kind kind) {
    try {
      return judge(program).kind() == kind;
    } catch (Invalid | TensorException e) {
      return false;
    }
  }

  private static Set<String> traits(CellProgram program) {
    Set<String> traits = new TreeSet<>();
    nodes(program.step(), traits);
    traits.add("type " + program.type());
    traits.add("kind " + program.kind());
    traits.add("projection " + program.projection());
    traits.add("direction " + program.direction());
    if (program.states().stream().distinct().count() > 1) {
      traits.add("states of several widths");
    }
    if (program.output() != null) {
      traits.add("output of its own");
    }
    if (program.label() != null) {
      traits.add("label of the library's");
    }
    if (program.calls().stream().anyMatch(call -> !call.lengths().isEmpty())) {
      traits.add("lengths");
    }
    return traits;
  }

  private static Set<String> traits(CompositeProgram program) {
    Set<String> traits = new TreeSet<>();
    nodes(program.body(), traits);
    traits.add("type " + program.type());
    traits.add("axes " + program.axes());
    traits.add("label " + program.label());
    program.inputs().forEach(input -> traits.add("view " + input.view()));
    return traits;
  }

  private static void nodes(Graph graph, Set<String> traits) {
    for (Node node : graph.nodes()) {
      switch (node) {
        case Node.Row row -> traits.add("row " + row.row());
        case Node.Folded folded ->
            traits.add(folded.overRows() ? "fold over rows" : "fold " + folded.reduce());
        case Node.Own own -> traits.add("own " + own.op().kind());
        case Node.Captured _ -> traits.add("node Captured");
        default -> traits.add("node " + node.getClass().getSimpleName());
      }
    }
  }
}
