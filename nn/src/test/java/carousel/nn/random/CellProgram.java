package carousel.nn.random;

import carousel.nn.random.Form.Invalid;
import carousel.tensor.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A random cell and what is done with it.
 *
 * @param seed what it was made from; its numbers are drawn from that, too
 * @param type of all tensors
 * @param inputs D
 * @param gates the columns of {@code x·wx}
 * @param states the columns of each tensor of the state
 * @param weights the shapes of the parameters
 * @param captured the tensors that it holds
 * @param numbers how many numbers it holds
 * @param kind which interface it implements
 * @param projection what becomes of the input before the steps
 * @param label a name of the library's that it has by chance; null for that of its class
 * @param step from z and the tensors of the state to those of the next
 * @param output from the tensors of the state to what a step gives; null for the first of them
 * @param learned whether the layer starts from a learned state
 * @param direction of the layer
 * @param calls what is done with it, one after the other
 */
record CellProgram(
    long seed,
    DType type,
    int inputs,
    int gates,
    List<Integer> states,
    List<List<Integer>> weights,
    List<Capture> captured,
    int numbers,
    Kind kind,
    Projection projection,
    @Nullable String label,
    Graph step,
    @Nullable Graph output,
    boolean learned,
    Direction direction,
    List<Call> calls) {
  /** The one axis of rows. */
  static final List<Integer> LEAD = List.of(-1);

  CellProgram {
    states = List.copyOf(states);
    weights = List.copyOf(weights);
    captured = List.copyOf(captured);
    calls = List.copyOf(calls);
  }

  /** Which interface the cell implements, and how. */
  enum Kind {
    /** An affine cell that leaves {@code project} as it is. */
    AFFINE,
    /** An affine cell with a {@code project} of its own. */
    OVERRIDING,
    /** A cell, no affine one. */
    PLAIN
  }

  /** How the layer goes through time. */
  enum Direction {
    FORWARD,
    REVERSE,
    BOTH
  }

  int columns() {
    return projection.columns(inputs, gates);
  }

  /** What a step may read. */
  Forms stepForms() {
    List<Form> given = new ArrayList<>(List.of(Form.rows(LEAD, columns())));
    given.addAll(stateForms());
    return forms(given);
  }

  /** What the output may read. */
  Forms outputForms() {
    return forms(stateForms());
  }

  private List<Form> stateForms() {
    return states.stream().map(columns -> Form.rows(LEAD, columns)).toList();
  }

  private Forms forms(List<Form> given) {
    return new Forms(
        LEAD,
        given,
        weights.stream().map(dims -> new Form(dims, false)).toList(),
        captured.stream().map(Capture::form).toList(),
        numbers);
  }

  /** The columns of what a step gives. */
  int outputs() {
    return output == null
        ? states.getFirst()
        : outputForms().of(output).get(output.results().getFirst()).columns();
  }

  /**
   * Checks that this is a program.
   *
   * @throws Invalid if it is none
   */
  CellProgram valid() {
    List<Form> forms = stepForms().of(step);
    Forms.require(gates > 0 && states.stream().allMatch(width -> width > 0), "no columns");
    Forms.require(!states.isEmpty() && step.results().size() == states.size(), "states");
    for (int i = 0; i < states.size(); i++) {
      var wanted = Form.rows(LEAD, states.get(i));
      Forms.require(forms.get(step.results().get(i)).equals(wanted), "state after the step");
    }
    if (output != null) {
      Form form = outputForms().of(output).get(output.results().getFirst());
      Forms.require(form.isRows(LEAD) && !form.mask(), "output");
    }
    Forms.require(kind != Kind.AFFINE || projection == Projection.AFFINE, "affine");
    boolean perRow = captured.stream().anyMatch(c -> !c.form().isShared());
    Forms.require(
        !perRow || calls.stream().mapToInt(Call::rows).distinct().count() == 1, "other rows");
    for (Call call : calls) {
      Forms.require(call.lengths().isEmpty() || call.lengths().size() == call.rows(), "lengths");
      Forms.require(
          call.steps() >= Collections.max(call.lengths().isEmpty() ? List.of(0) : call.lengths()),
          "steps");
    }
    return this;
  }

  CellProgram with(DType newType, Kind newKind, Projection newProjection) {
    return new CellProgram(
        seed,
        newType,
        inputs,
        gates,
        states,
        weights,
        captured,
        numbers,
        newKind,
        newProjection,
        label,
        step,
        output,
        learned,
        direction,
        calls);
  }

  CellProgram sized(int newInputs, int newGates, List<Integer> newStates) {
    return new CellProgram(
        seed,
        type,
        newInputs,
        newGates,
        newStates,
        weights,
        captured,
        numbers,
        kind,
        projection,
        label,
        step,
        output,
        learned,
        direction,
        calls);
  }

  CellProgram holding(List<List<Integer>> newWeights, List<Capture> newCaptured, int newNumbers) {
    return new CellProgram(
        seed,
        type,
        inputs,
        gates,
        states,
        newWeights,
        newCaptured,
        newNumbers,
        kind,
        projection,
        label,
        step,
        output,
        learned,
        direction,
        calls);
  }

  CellProgram computing(Graph newStep, @Nullable Graph newOutput) {
    return new CellProgram(
        seed,
        type,
        inputs,
        gates,
        states,
        weights,
        captured,
        numbers,
        kind,
        projection,
        label,
        newStep,
        newOutput,
        learned,
        direction,
        calls);
  }

  CellProgram run(
      @Nullable String newLabel, boolean newLearned, Direction newDirection, List<Call> newCalls) {
    return new CellProgram(
        seed,
        type,
        inputs,
        gates,
        states,
        weights,
        captured,
        numbers,
        kind,
        projection,
        newLabel,
        step,
        output,
        newLearned,
        newDirection,
        newCalls);
  }
}
