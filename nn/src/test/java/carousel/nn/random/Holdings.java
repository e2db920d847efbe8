package carousel.nn.random;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** What a program that is being made has to hold: parameters, other tensors, numbers. */
final class Holdings {
  private final int units;
  private final boolean hasWeights;
  private final List<List<Integer>> weights = new ArrayList<>();
  private final List<Capture> captured = new ArrayList<>();
  private int numbers;
  private boolean closed;

  /**
   * Nothing yet.
   *
   * @param units H
   * @param hasWeights whether there may be parameters
   */
  Holdings(int units, boolean hasWeights) {
    this.units = units;
    this.hasWeights = hasWeights;
  }

  int units() {
    return units;
  }

  /** These parameters and no others. */
  static Holdings of(int units, List<List<Integer>> weights) {
    var holdings = new Holdings(units, true);
    holdings.weights.addAll(weights);
    holdings.closed = true;
    return holdings;
  }

  boolean hasWeights() {
    return hasWeights;
  }

  List<List<Integer>> shapes() {
    return List.copyOf(weights);
  }

  List<Form> weights() {
    return weights.stream().map(dims -> new Form(dims, false)).toList();
  }

  List<Capture> captures() {
    return List.copyOf(captured);
  }

  List<Form> captured() {
    return captured.stream().map(Capture::form).toList();
  }

  int numbers() {
    return numbers;
  }

  /** A weight of a shape: one that is there, or another. */
  Node weight(Dice dice, List<Integer> dims) {
    List<Integer> same =
        IntStream.range(0, weights.size())
            .filter(i -> weights.get(i).equals(dims))
            .boxed()
            .toList();
    if (!same.isEmpty() && (closed || dice.chance(0.4))) {
      return new Node.Weight(dice.of(same));
    }
    Forms.require(!closed, "no weight of this shape");
    weights.add(dims);
    return new Node.Weight(weights.size() - 1);
  }

  /** A held tensor that stands beside a value. */
  Node capture(Dice dice, Form form, List<Integer> lead) {
    int columns = form.columns();
    List<List<Integer>> shapes = new ArrayList<>(List.of(List.of()));
    if (form.rank() > 0) {
      shapes.add(List.of(columns));
      shapes.add(List.of(1));
    }
    if (form.isRows(lead) && !lead.isEmpty()) {
      shapes.add(List.of(1, columns));
      shapes.add(form.dims());
    }
    Capture.Kind kind =
        dice.of(
            Capture.Kind.DRAWN, Capture.Kind.DRAWN, Capture.Kind.UNIFORM, Capture.Kind.ZERO_ONE);
    return held(dice, new Capture(dice.of(shapes), kind));
  }

  /** A held matrix. */
  Node matrix(Dice dice, int rows, int columns) {
    return held(dice, new Capture(List.of(rows, columns), Capture.Kind.DRAWN));
  }

  /** A held mask. */
  Node mask(Dice dice, int columns) {
    return held(dice, new Capture(List.of(columns), Capture.Kind.MASK));
  }

  private Node held(Dice dice, Capture wanted) {
    int known = captured.indexOf(wanted);
    if (known >= 0 && dice.chance(0.5)) {
      return new Node.Captured(known);
    }
    captured.add(wanted);
    return new Node.Captured(captured.size() - 1);
  }

  /** A number that is held. */
  Node annealed(Dice dice) {
    int index = dice.below(numbers + 1);
    numbers = Math.max(numbers, index + 1);
    return new Node.Annealed(index);
  }
}
