package carousel.nn.random;

import carousel.tensor.DType;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Makes the graph of a program, one thing after the other. */
final class GraphMaker extends Draft {
  private static final List<Op> ROWS = Interval.rows();
  private static final List<String> LABELS =
      List.of("mine", "linear", "dropout", "lstm.gates", "gru.gates", "prod", "layer_norm");
  private static final int MOST_COLUMNS = 260;

  GraphMaker(
      Dice dice, Set<Feature> features, Holdings holdings, List<Integer> lead, List<Form> given) {
    super(dice, features, holdings, lead, given);
  }

  /** Some things, and at least one of every kind that is wanted. */
  void grow(int most) {
    for (int i = dice.between(1, most); i > 0; i--) {
      attempt(this::something);
    }
    for (Feature feature : features) {
      if (dice.chance(0.7)) {
        attempt(() -> special(feature));
      }
    }
  }

  /** Does nothing where the dice ask for what does not fit. */
  static void attempt(Runnable making) {
    try {
      making.run();
    } catch (Form.Invalid e) {
      // What was made on the way is nobody's, and will be pruned.
    }
  }

  private void something() {
    switch (dice.below(18)) {
      case 0, 1, 2 -> row(pick(row -> Interval.arity(row) == 1));
      case 3, 4, 5, 6, 7 -> row(pick(row -> Interval.arity(row) == 2));
      case 8 -> row(pick(row -> Interval.arity(row) == 3));
      case 9, 10 -> product(number(), columns());
      case 11 -> reread(product(number(), columns()));
      case 12, 13 -> cut(number());
      case 14 -> join();
      default -> special(features.isEmpty() ? Feature.MADE : dice.of(List.copyOf(features)));
    }
  }

  /** A value without its gradient, or the same with it, or both. */
  private void detach(int x) {
    double size = size(x);
    boolean both = dice.chance(0.3);
    int same = x;
    if (both || dice.chance(0.3)) {
      int one = add(new Node.Constant(1), Interval.around(1));
      same = binary(Binary.MUL, x, one, intervals.get(x));
    }
    if (both || same == x) {
      int stopped = add(new Node.Detached(x), intervals.get(x));
      if (both) {
        binary(Binary.ADD, stopped, same, Interval.around(2 * size));
      }
    }
  }

  /** A sum that is read more often than once: activated, and multiplied, added to, or activated otherwise. */
  private void reread(int sum) {
    int columns = form(sum).columns();
    int active = add(new Node.Row(Unary.TANH, List.of(sum)), Interval.around(0.97));
    int other =
        switch (dice.below(4)) {
          case 0, 1 -> product(sum, columns);
          case 2 -> {
            int more = product(number(), columns);
            yield binary(Binary.ADD, sum, more, Interval.around(size(sum) + size(more)));
          }
          default -> add(new Node.Row(Unary.SIGMOID, List.of(sum)), Interval.MASK);
        };
    binary(Binary.MUL, active, other, Interval.around(size(other)));
  }

  private void special(Feature feature) {
    int x = number();
    double size = size(x);
    int columns = form(x).columns();
    switch (feature) {
      case MASKS -> masks(x);
      case FOLDS -> fold(x, false);
      case ACROSS_ROWS -> {
        if (lead.size() == 1) {
          fold(x, true);
        }
      }
      case SOFTMAX -> {
        boolean log = dice.chance(0.3);
        int in = squashed(x, Interval.WIDE);
        add(
            new Node.Softmaxed(in, log),
            log ? new Interval(-8 - Math.log(columns), 0) : Interval.MASK);
      }
      case NORMS -> norm(x);
      case DETACH -> detach(x);
      case DROPOUT -> add(new Node.Dropped(x, dice.of(0.1, 0.5)), Interval.around(2 * size));
      case COMPOSITES -> {
        Op row = pick(r -> Interval.arity(r) == 1 && domain(r) != Domain.LOGICAL);
        int in = squashed(x, Interval.operands(row).getFirst());
        var values = Interval.of(row, List.of(intervals.get(in)));
        add(new Node.Composed(dice.of(LABELS), row, in), values);
      }
      case ODD_OPS -> odd(x, columns, size);
      case OWN_OPS -> own(x);
      case COMPUTED_WEIGHTS, OTHER_WIDTHS -> product(x, columns());
      case UNEVEN_CUTS -> cut(x);
      case CAPTURED -> with(x, add(holdings.capture(dice, form(x), lead), Interval.around(1)));
      case NUMBERS -> with(x, add(holdings.annealed(dice), Interval.around(1)));
      case MADE -> with(x, made(form(x)));
      default -> {}
    }
  }

  /** A value and a leaf in a row. */
  private void with(int x, int leaf) {
    Op row = dice.of(Binary.ADD, Binary.MUL, Binary.SUB, Binary.MAX, Binary.POW, Binary.ELU);
    List<Interval> wanted = Interval.operands(row);
    List<Integer> operands =
        dice.chance(0.7) || row == Binary.POW
            ? List.of(squashed(x, wanted.get(0)), squashed(leaf, wanted.get(1)))
            : List.of(squashed(leaf, wanted.get(0)), squashed(x, wanted.get(1)));
    applied(row, operands);
  }

  private void masks(int x) {
    int mask =
        dice.chance(0.5)
            ? row(pick(row -> result(row).mask() || domain(row) == Domain.LOGICAL))
            : mask(x);
    if (dice.chance(0.4)) {
      add(new Node.Cast(mask), Interval.MASK);
    } else {
      int b = like(form(mask));
      int c = like(form(mask));
      applied(
          Ternary.WHERE,
          dice.chance(0.5) ? List.of(mask, b, c) : List.of(mask, c, leaf(form(mask))));
    }
  }

  /** An op of its own, and mostly something that is computed of what it gives. */
  private void own(int x) {
    OwnOp op = ownOp();
    List<Interval> wanted =
        op.kind() == OwnOp.Kind.CENTRED ? List.of(Interval.WIDE) : Interval.operands(op.row());
    List<Integer> operands = new ArrayList<>(List.of(squashed(x, wanted.getFirst())));
    if (op.kind().inputs() == 2) {
      int beside = dice.chance(0.5) ? leaf(form(x)) : beside(form(x), false);
      operands.add(squashed(beside, wanted.size() == 2 ? wanted.get(1) : Interval.WIDE));
    }
    Interval values =
        op.kind() == OwnOp.Kind.CENTRED
            ? Interval.around(8)
            : Interval.of(
                op.row(),
                operands.subList(0, Interval.arity(op.row())).stream()
                    .map(intervals::get)
                    .toList());
    int y = add(new Node.Own(op, 0, operands), values);
    if (op.kind() == OwnOp.Kind.PAIR && dice.chance(0.7)) {
      int other = add(new Node.Own(op, 1, operands), Interval.around(16));
      applied(Binary.ADD, List.of(y, squashed(other, Interval.WIDE)));
    } else if (dice.chance(0.4)) {
      applied(Binary.MUL, List.of(y, squashed(number(), Interval.WIDE)));
    }
  }

  private OwnOp ownOp() {
    var kind = dice.of(OwnOp.Kind.values());
    int arity = kind == OwnOp.Kind.OF_TWO ? 2 : 1;
    Op row =
        pick(r -> Interval.arity(r) == arity && !result(r).mask() && domain(r) != Domain.LOGICAL);
    Unary slope = dice.of(Unary.TANH, Unary.SIGMOID, Unary.SQUARE, Unary.ABS, Unary.NEG);
    return new OwnOp(kind, row, slope, dice.of(0.25, 0.5, 1.0, 1.5));
  }

  private void odd(int x, int columns, double size) {
    switch (dice.below(5)) {
      case 0 -> add(new Node.Flipped(x), intervals.get(x));
      case 1 -> add(new Node.Cumulated(x), Interval.around(size * columns));
      case 2 -> add(new Node.Strided(x), intervals.get(x));
      case 3 -> add(new Node.Copied(x), intervals.get(x));
      default -> {
        int blocks = columns % 2 == 0 ? 2 : columns % 3 == 0 ? 3 : 1;
        add(new Node.Pooled(Reduce.MEAN, x, blocks), intervals.get(x));
      }
    }
  }

  private static Domain domain(Op row) {
    return switch (row) {
      case Unary unary -> unary.domain();
      case Binary binary -> binary.domain();
      case Ternary ternary -> ternary.domain();
      default -> throw new IllegalArgumentException(row.label());
    };
  }

  /** A row: without masks none that makes or reads one. */
  private Op pick(Predicate<Op> which) {
    boolean masks = features.contains(Feature.MASKS);
    return dice.of(
        ROWS.stream()
            .filter(which)
            .filter(row -> masks || !(readsMask(row) || result(row).mask()))
            .toList());
  }

  private static boolean readsMask(Op row) {
    return row == Ternary.WHERE || domain(row) == Domain.LOGICAL;
  }

  private static Form result(Op row) {
    boolean mask =
        switch (row) {
          case Unary unary -> unary.result(DType.F64) == DType.BOOL;
          case Binary binary -> binary.result(DType.F64) == DType.BOOL;
          default -> false;
        };
    return new Form(List.of(), mask);
  }

  private int row(Op row) {
    int arity = Interval.arity(row);
    boolean logical =
        domain(row) == Domain.LOGICAL || (domain(row) == Domain.ANY && dice.chance(0.1));
    List<Integer> operands = new ArrayList<>();
    List<Interval> wanted = Interval.operands(row);
    var form = Form.of();
    for (int i = 0; i < arity; i++) {
      boolean test = row == Ternary.WHERE ? i == 0 || logical : logical;
      int x = i == 0 ? (test ? mask(number()) : number()) : beside(form, test);
      x = test ? x : squashed(x, wanted.get(i));
      form = new Form(Form.broadcast(form.dims(), forms.get(x).dims()), false);
      operands.add(x);
    }
    if (arity == 2 && dice.chance(0.3)) {
      operands = swappable(row, operands);
    }
    return applied(row, operands);
  }

  /** The other way round, where both are what the row wants. */
  private List<Integer> swappable(Op row, List<Integer> operands) {
    List<Interval> wanted = Interval.operands(row);
    boolean fit =
        forms.get(operands.get(0)).mask()
            || (intervals.get(operands.get(1)).within(wanted.get(0))
                && intervals.get(operands.get(0)).within(wanted.get(1)));
    return fit ? operands.reversed() : operands;
  }

  void cut(int x) {
    int columns = form(x).columns();
    Interval interval = intervals.get(x);
    if (columns < 2) {
      return;
    }
    int units = holdings.units();
    boolean uneven = features.contains(Feature.UNEVEN_CUTS) || columns % units != 0;
    int blocks = uneven ? Math.min(columns, dice.between(2, 4)) : columns / units;
    int start = uneven ? dice.below(columns) : units * dice.below(blocks);
    int length =
        uneven ? dice.between(1, columns - start) : units * dice.between(1, blocks - start / units);
    switch (dice.below(3)) {
      case 0 -> {
        int size = Math.ceilDiv(columns, blocks);
        for (int i = 0; i * size < columns; i++) {
          if (dice.chance(0.8)) {
            add(new Node.Chunk(x, blocks, i), interval);
          }
        }
      }
      case 1 -> {
        if (start > 0) {
          add(new Node.Split(x, start, 0), interval);
          add(new Node.Split(x, start, 1), interval);
        }
      }
      default -> add(new Node.Narrow(x, start, length), interval);
    }
  }

  private void join() {
    int first = number();
    List<Integer> parts = new ArrayList<>(List.of(first));
    int columns = form(first).columns();
    for (int i = dice.between(1, 2); i > 0; i--) {
      int next = number();
      if (columns + form(next).columns() <= MOST_COLUMNS) {
        parts.add(next);
        columns += form(next).columns();
      }
    }
    double size = parts.stream().mapToDouble(this::size).max().orElse(1);
    add(new Node.Joined(parts), Interval.around(size));
  }

  private void fold(int x, boolean overRows) {
    List<Reduce> some =
        Arrays.stream(Reduce.values())
            .filter(r -> r.domain().accepts(DType.F32) && r.result(DType.F32) == DType.F32)
            .toList();
    Reduce reduce = dice.chance(0.6) ? dice.of(Reduce.SUM, Reduce.MEAN, Reduce.MAX) : dice.of(some);
    int in = squashed(x, reduce == Reduce.PROD ? Interval.SMALL : Interval.WIDE);
    int columns = overRows ? 13 : form(in).columns();
    double size = size(in);
    Interval values =
        switch (reduce) {
          case SUM -> Interval.around(size * columns);
          case NORM -> new Interval(0, size * Math.sqrt(columns));
          case LOG_SUM_EXP -> Interval.around(size + Math.log(columns));
          default -> Interval.around(size);
        };
    boolean keep = overRows || dice.chance(0.7);
    int folded = add(new Node.Folded(reduce, in, keep, overRows), values);
    if (!keep) {
      folded = add(new Node.Unsqueezed(folded), values);
    }
    if (!overRows && dice.chance(0.2)) {
      folded = add(new Node.Expanded(folded, form(in).columns()), values);
    }
    if (dice.chance(0.7)) {
      var row = dice.of(Binary.SUB, Binary.MUL, Binary.ADD);
      int left = squashed(folded, Interval.WIDE);
      List<Integer> operands = dice.chance(0.8) ? List.of(in, left) : List.of(left, in);
      add(
          new Node.Row(row, operands),
          Interval.of(
              row, List.of(intervals.get(operands.get(0)), intervals.get(operands.get(1)))));
    }
  }

  /** Layer norm, or root mean squares, written out. */
  private void norm(int x) {
    int in = squashed(x, Interval.WIDE);
    int centred = in;
    if (dice.chance(0.7)) {
      int mean = add(new Node.Folded(Reduce.MEAN, in, true, false), intervals.get(in));
      centred = binary(Binary.SUB, in, mean, Interval.around(8));
    }
    int square = add(new Node.Row(Unary.SQUARE, List.of(centred)), new Interval(0, 64));
    int variance = add(new Node.Folded(Reduce.MEAN, square, true, false), new Interval(0, 64));
    int epsilon = add(new Node.Constant(dice.of(0.1, 0.01)), Interval.around(1));
    int sum = binary(Binary.ADD, variance, epsilon, new Interval(0.01, 64));
    int rsqrt = add(new Node.Row(Unary.RSQRT, List.of(sum)), new Interval(0, 10));
    int normed = binary(Binary.MUL, centred, rsqrt, Interval.around(4));
    if (holdings.hasWeights() && dice.chance(0.7)) {
      int gain = add(holdings.weight(dice, List.of(form(in).columns())), Interval.around(1));
      binary(Binary.MUL, normed, gain, Interval.around(4));
    }
  }
}
