package carousel.nn.random;

import carousel.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A random composite and what is done with it.
 *
 * @param seed what it was made from; its numbers are drawn from that, too
 * @param type of all tensors but masks
 * @param axes how many axes the rows have: 0 to 2
 * @param label its name, which the library may use for something else
 * @param inputs what it is given
 * @param captured the tensors that it holds
 * @param numbers how many numbers it holds
 * @param body from inputs to outputs
 * @param calls what is done with it, one after the other
 */
record CompositeProgram(
    long seed,
    DType type,
    int axes,
    String label,
    List<Input> inputs,
    List<Capture> captured,
    int numbers,
    Graph body,
    List<Run> calls) {
  CompositeProgram {
    inputs = List.copyOf(inputs);
    captured = List.copyOf(captured);
    calls = List.copyOf(calls);
  }

  /**
   * What it is given.
   *
   * @param form its sizes, and whether it is a mask
   * @param view how it lies in memory
   */
  record Input(Form form, View view) {}

  /** How a tensor lies in memory. */
  enum View {
    DENSE,
    /** Some columns of more. */
    NARROW,
    /** One row for all. */
    EXPANDED,
    /** The tensor that was given before, if it is alike. */
    SAME
  }

  /**
   * One application.
   *
   * @param rows the sizes of the axes of the rows
   * @param fresh whether what it holds is assigned before
   * @param threads more than 1: the bits are compared with those of one thread
   * @param second whether second derivatives are compared
   */
  record Run(List<Integer> rows, boolean fresh, int threads, boolean second) {}

  List<Integer> lead() {
    return lead(axes);
  }

  static List<Integer> lead(int axes) {
    return List.of(-1, -2).subList(0, axes);
  }

  Forms forms() {
    return new Forms(
        lead(),
        inputs.stream().map(Input::form).toList(),
        List.of(),
        captured.stream().map(Capture::form).toList(),
        numbers);
  }

  /** Which outputs can be differentiated. */
  List<Boolean> floating() {
    List<Form> forms = forms().of(body);
    return body.results().stream().map(i -> !forms.get(i).mask()).toList();
  }

  /**
   * Checks that this is a program.
   *
   * @throws Form.Invalid if it is none
   */
  CompositeProgram valid() {
    Forms.require(!inputs.isEmpty() && !body.results().isEmpty(), "nothing to do");
    Form first = inputs.getFirst().form();
    Forms.require(first.isRows(lead()) && !first.mask(), "rows come first");
    Forms.require(inputs.stream().allMatch(i -> i.form().columns() > 0), "no columns");
    Forms.require(floating().contains(true), "nothing to differentiate");
    boolean perRow = captured.stream().anyMatch(c -> !c.form().isShared());
    Forms.require(!perRow || calls.stream().map(Run::rows).distinct().count() == 1, "other rows");
    Set<Integer> ranks = Set.copyOf(calls.stream().map(run -> run.rows().size()).toList());
    Forms.require(ranks.equals(Set.of(axes)), "axes");
    return this;
  }

  CompositeProgram given(DType newType, List<Input> newInputs, Graph newBody) {
    return new CompositeProgram(
        seed, newType, axes, label, newInputs, captured, numbers, newBody, calls);
  }

  CompositeProgram holding(List<Capture> newCaptured, int newNumbers) {
    return new CompositeProgram(
        seed, type, axes, label, inputs, newCaptured, newNumbers, body, calls);
  }

  CompositeProgram run(String newLabel, List<Run> newCalls) {
    return new CompositeProgram(
        seed, type, axes, newLabel, inputs, captured, numbers, body, newCalls);
  }

  /** Makes random composites. */
  static final class Maker {
    private static final List<String> LABELS =
        List.of(
            "linear", "dropout", "cross_entropy", "lstm.gates", "cifg.gates", "lstm.scan", "prod");

    private Maker() {}

    static CompositeProgram of(long seed) {
      var dice = Dice.of(seed);
      Set<Feature> features = Feature.some(dice);
      features.remove(Feature.COMPUTED_WEIGHTS);
      int units = dice.of(1, 3, 5, 8, 17, 64);
      int axes = dice.of(0, 1, 1, 1, 2);
      List<Integer> lead = lead(axes);
      String label = features.contains(Feature.LABELS) ? dice.of(LABELS) : "mine";
      List<Input> inputs = new ArrayList<>(like(label, units, lead));
      for (int i = inputs.isEmpty() ? dice.between(1, 4) : 0; i > 0; i--) {
        inputs.add(input(dice, features, units, lead, inputs.isEmpty()));
      }
      List<Form> given = inputs.stream().map(Input::form).toList();
      var holdings = new Holdings(units, false);
      var maker = new GraphMaker(dice, features, holdings, lead, given);
      maker.grow(8);
      List<Integer> results = new ArrayList<>();
      for (int i = dice.of(1, 1, 2, 3); i > 0; i--) {
        boolean raw = dice.chance(0.05);
        int x = raw ? dice.below(maker.size()) : maker.number();
        results.add(maker.squashed(x, Interval.around(20)));
      }
      results.set(0, maker.squashed(maker.number(), Interval.around(20)));
      boolean perRow = holdings.captured().stream().anyMatch(form -> !form.isShared());
      List<Run> calls = new ArrayList<>(List.of(run(dice, axes)));
      if (features.contains(Feature.TWICE)) {
        Run next = run(dice, axes);
        List<Integer> rows = perRow ? calls.getFirst().rows() : next.rows();
        calls.add(new Run(rows, dice.chance(0.8), next.threads(), next.second()));
      }
      return new CompositeProgram(
              seed,
              dice.of(DType.F32, DType.F64),
              axes,
              label,
              inputs,
              holdings.captures(),
              holdings.numbers(),
              maker.graph(results),
              calls)
          .valid();
    }

    /** What the library's own composite of a name is given; nothing if that may be anything. */
    private static List<Input> like(String label, int units, List<Integer> lead) {
      List<Form> forms =
          switch (label) {
            case "linear" -> List.of(Form.rows(lead, units), Form.of(units, units), Form.of(units));
            case "dropout" ->
                List.of(Form.rows(lead, units), Form.rows(lead, units).asMask(true), Form.of());
            case "lstm.gates" -> List.of(Form.rows(lead, 4 * units), Form.rows(lead, units));
            case "cifg.gates" -> List.of(Form.rows(lead, 3 * units), Form.rows(lead, units));
            default -> List.of();
          };
      return forms.stream().map(form -> new Input(form, View.DENSE)).toList();
    }

    private static Input input(
        Dice dice, Set<Feature> features, int units, List<Integer> lead, boolean first) {
      int columns = units * dice.of(1, 1, 1, 2, 4);
      if (features.contains(Feature.OTHER_WIDTHS) && dice.chance(0.3)) {
        columns = dice.of(1, 2, units + 1);
      }
      boolean mask = !first && features.contains(Feature.MASKS) && dice.chance(0.2);
      Form form =
          first || dice.chance(0.7)
              ? Form.rows(lead, columns)
              : new Form(dice.of(List.of(columns), List.of(), List.of(1)), false);
      var view = features.contains(Feature.VIEWS) ? dice.of(View.values()) : View.DENSE;
      return new Input(form.asMask(mask), view);
    }

    private static Run run(Dice dice, int axes) {
      List<Integer> rows = new ArrayList<>();
      for (int i = 0; i < axes; i++) {
        rows.add(i == 0 ? dice.of(1, 2, 3, 13, 40) : dice.of(1, 3));
      }
      return new Run(
          List.copyOf(rows), true, dice.chance(0.12) ? dice.of(2, 3) : 1, dice.chance(0.3));
    }
  }
}
