package carousel.nn.random;

import carousel.nn.random.CellProgram.Direction;
import carousel.nn.random.CellProgram.Kind;
import carousel.tensor.DType;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes random cells, and what is done with them. */
final class CellMaker {
  private final long seed;
  private final Dice dice;
  private final Set<Feature> features;
  private final int units;
  private final @Nullable Lookalike like;

  private CellMaker(long seed) {
    this.seed = seed;
    this.dice = Dice.of(seed);
    this.features = Feature.some(dice);
    this.units = dice.of(1, 3, 3, 8, 8, 17, 17, 64);
    this.like = has(Feature.LABELS) ? dice.of(Lookalike.values()) : null;
  }

  /** The program of a seed: always the same. */
  static CellProgram of(long seed) {
    return new CellMaker(seed).make();
  }

  private boolean has(Feature feature) {
    return features.contains(feature);
  }

  private CellProgram make() {
    DType type = dice.of(DType.F32, DType.F64);
    List<Integer> states = states();
    Projection projection =
        has(Feature.PROJECTION) ? dice.of(Projection.values()) : Projection.AFFINE;
    Kind kind = projection == Projection.AFFINE ? Kind.AFFINE : Kind.OVERRIDING;
    if (dice.chance(has(Feature.PROJECTION) ? 0.4 : 0.05)) {
      kind = Kind.PLAIN;
    }
    boolean square = projection == Projection.IDENTITY && dice.chance(0.5);
    int inputs = square ? units : dice.between(1, 5);
    int gates = gates();
    var holdings =
        like == null ? new Holdings(units, true) : Holdings.of(units, like.weights(units));
    Graph step = step(projection.columns(inputs, gates), states, holdings);
    Graph output = has(Feature.OUTPUT) ? output(states, holdings) : null;
    boolean perRow = holdings.captured().stream().anyMatch(form -> !form.isShared());
    List<Call> calls = new ArrayList<>(List.of(call(true, dice.of(1, 2, 2, 13))));
    if (has(Feature.TWICE) || has(Feature.DROPOUT) || (has(Feature.NUMBERS) && dice.chance(0.5))) {
      calls.add(call(false, perRow ? calls.getFirst().rows() : dice.of(1, 2, 3, 13)));
    }
    return new CellProgram(
            seed,
            type,
            inputs,
            gates,
            states,
            holdings.shapes(),
            holdings.captures(),
            holdings.numbers(),
            kind,
            projection,
            like == null ? null : like.label(),
            step,
            output,
            has(Feature.LEARNED),
            has(Feature.DIRECTIONS)
                ? dice.of(Direction.REVERSE, Direction.BOTH)
                : Direction.FORWARD,
            calls)
        .valid();
  }

  private List<Integer> states() {
    if (like != null) {
      return Collections.nCopies(like.states(), units);
    }
    List<Integer> states = new ArrayList<>();
    for (int i = dice.of(1, 1, 1, 2, 2, 3); i > 0; i--) {
      boolean other = has(Feature.OTHER_WIDTHS) && dice.chance(0.5);
      states.add(other ? dice.of(1, 2, 5, units + 1) : units);
    }
    return states;
  }

  private int gates() {
    if (like != null) {
      return units * like.gates();
    }
    int gates = units * dice.between(1, 4);
    boolean uneven = has(Feature.OTHER_WIDTHS) || has(Feature.UNEVEN_CUTS);
    return uneven ? gates + dice.of(0, 1, 2, 3) : gates;
  }

  private Graph step(int columns, List<Integer> states, Holdings holdings) {
    List<Form> given = new ArrayList<>(List.of(Form.rows(CellProgram.LEAD, columns)));
    states.forEach(width -> given.add(Form.rows(CellProgram.LEAD, width)));
    var maker = new GraphMaker(dice, features, holdings, CellProgram.LEAD, given);
    if (dice.chance(0.5)) {
      GraphMaker.attempt(() -> {
        int fed = maker.product(dice.between(1, states.size()), columns);
        maker.cut(maker.binary(Binary.ADD, 0, fed, Interval.around(4)));
        if (dice.chance(0.2)) { // what was added to is read as it is
          maker.cut(dice.of(0, fed));
        }
      });
    } else if (dice.chance(0.7)) {
      maker.cut(0);
    }
    maker.grow(10);
    List<Integer> results = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      results.add(next(maker, Form.rows(CellProgram.LEAD, states.get(i)), 1 + i, given.size()));
    }
    return maker.graph(results);
  }

  /** The node of a state after the step. */
  private int next(GraphMaker maker, Form form, int state, int made) {
    int from = dice.chance(0.1) ? 0 : made;
    int known = maker.last(form, from).orElse(like == null ? -1 : state);
    boolean product = known < 0 || (like == null && dice.chance(0.2));
    int x = product ? maker.product(maker.number(), form.columns()) : known;
    if (dice.chance(0.3)) {
      int gate = maker.last(form, 0).orElse(state);
      int open = maker.add(new Node.Row(Unary.SIGMOID, List.of(gate)), Interval.MASK);
      int candidate = maker.squashed(x, Interval.SMALL);
      int change = maker.binary(Binary.SUB, candidate, state, Interval.around(2));
      int let = maker.binary(Binary.MUL, open, change, Interval.around(2));
      return maker.binary(Binary.ADD, state, let, Interval.around(1.5));
    }
    return maker.squashed(x, dice.chance(0.5) ? Interval.around(2) : Interval.SMALL);
  }

  private @Nullable Graph output(List<Integer> states, Holdings holdings) {
    List<Form> given = states.stream().map(width -> Form.rows(CellProgram.LEAD, width)).toList();
    var maker = new GraphMaker(dice, features, holdings, CellProgram.LEAD, given);
    if (dice.chance(0.8)) {
      maker.grow(3);
    }
    return maker.graph(List.of(maker.squashed(maker.number(), Interval.WIDE)));
  }

  private Call call(boolean first, int rows) {
    int steps = dice.of(0, 1, 1, 2, 2, 2, 3, 4, 7, 7);
    List<Integer> lengths = new ArrayList<>();
    for (int i = 0; has(Feature.LENGTHS) && i < rows; i++) {
      lengths.add(dice.between(0, steps));
    }
    var view = has(Feature.VIEWS) ? dice.of(Call.View.values()) : Call.View.DENSE;
    boolean padded = view == Call.View.PADDED && lengths.isEmpty();
    Set<Call.Fresh> fresh = EnumSet.allOf(Call.Fresh.class);
    for (var each : Call.Fresh.values()) {
      if (!first && dice.chance(0.3)) {
        fresh.remove(each);
      }
    }
    return new Call(
        steps,
        rows,
        lengths,
        dice.chance(0.6),
        has(Feature.DROPOUT) && dice.chance(first ? 0.3 : 0.8),
        dice.chance(0.6) ? Call.Wanted.EVERYTHING : dice.of(Call.Wanted.values()),
        padded ? Call.View.DENSE : view,
        fresh,
        dice.chance(0.12) ? dice.of(2, 3) : 1,
        dice.chance(0.25));
  }
}
