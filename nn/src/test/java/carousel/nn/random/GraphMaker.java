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
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Makes the graph of a program, node by node, and notes what the program must hold for it. */
final class GraphMaker {
  private static final List<Op> ROWS = Interval.rows();
  private static final List<String> LABELS =
      List.of("mine", "linear", "dropout", "lstm.gates", "gru.gates", "prod", "layer_norm");
  private static final int MOST_COLUMNS = 260;

  private final Dice dice;
  private final Set<Feature> features;
  private final Holdings holdings;
  private final List<Integer> lead;
  private final List<Form> given;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Form> forms = new ArrayList<>();
  private final List<Interval> intervals = new ArrayList<>();

  GraphMaker(
      Dice dice, Set<Feature> features, Holdings holdings, List<Integer> lead, List<Form> given) {
    this.dice = dice;
    this.features = features;
    this.holdings = holdings;
    this.lead = lead;
    this.given = given;
    for (int i = 0; i < given.size(); i++) {
      Form form = given.get(i);
      add(new Node.Given(i), form.mask() ? Interval.MASK : Interval.around(2));
    }
  }

  int size() {
    return nodes.size();
  }

  Form form(int node) {
    return forms.get(node);
  }

  Graph graph(List<Integer> results) {
    var graph = new Graph(nodes, results);
    return features.contains(Feature.DEAD_CODE) ? graph : graph.pruned();
  }

  int add(Node node, Interval interval) {
    var known = new Forms(lead, given, holdings.weights(), holdings.captured(), holdings.numbers());
    forms.add(known.of(node, forms));
    nodes.add(node);
    intervals.add(interval);
    return nodes.size() - 1;
  }

  /** One more thing, whatever it is; none where the dice ask for what does not fit. */
  void grow() {
    try {
      something();
    } catch (Form.Invalid e) {
      // What was made on the way is nobody's, and will be pruned.
    }
  }

  private void something() {
    switch (dice.below(20)) {
      case 0, 1, 2 -> row(pick(row -> Interval.arity(row) == 1));
      case 3, 4, 5, 6, 7 -> row(pick(row -> Interval.arity(row) == 2));
      case 8 -> row(pick(row -> Interval.arity(row) == 3));
      case 9, 10, 11 -> product(number(), columns());
      case 12, 13 -> cut(number());
      case 14 -> join();
      default -> special();
    }
  }

  private void special() {
    Feature feature = dice.of(List.copyOf(features.isEmpty() ? Set.of(Feature.MADE) : features));
    int x = number();
    double size = size(x);
    int columns = form(x).columns();
    switch (feature) {
      case MASKS -> add(new Node.Cast(mask(x)), Interval.MASK);
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
      case DETACH -> add(new Node.Detached(x), intervals.get(x));
      case DROPOUT ->
          add(new Node.Dropped(x, dice.of(0.1, 0.5)), Interval.around(2 * size));
      case COMPOSITES -> {
        Op row = pick(r -> Interval.arity(r) == 1 && domain(r) != Domain.LOGICAL);
        int in = squashed(x, Interval.operands(row).getFirst());
        Interval values = Interval.of(row, List.of(intervals.get(in)));
        add(new Node.Composed(dice.of(LABELS), row, in), values);
      }
      case ODD_OPS -> odd(x, columns, size);
      case COMPUTED_WEIGHTS -> product(x, columns());
      default -> row(pick(row -> Interval.arity(row) == 2));
    }
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
  private Op pick(java.util.function.Predicate<Op> which) {
    boolean masks = features.contains(Feature.MASKS);
    return dice.of(
        ROWS.stream()
            .filter(which)
            .filter(
                row ->
                    masks
                        || domain(row) != Domain.LOGICAL
                            && row != Ternary.WHERE
                            && !new Form(List.of(), true).equals(result(row)))
            .toList());
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
    boolean logical = domain(row) == Domain.LOGICAL || domain(row) == Domain.ANY && dice.chance(0.1);
    List<Integer> operands = new ArrayList<>();
    List<Interval> wanted = Interval.operands(row);
    Form form = Form.of();
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
    List<Interval> in = operands.stream().map(intervals::get).toList();
    return add(new Node.Row(row, operands), Interval.of(row, in));
  }

  /** The other way round, where both are what the row wants. */
  private List<Integer> swappable(Op row, List<Integer> operands) {
    List<Interval> wanted = Interval.operands(row);
    boolean fit =
        forms.get(operands.get(0)).mask()
            || intervals.get(operands.get(1)).within(wanted.get(0))
                && intervals.get(operands.get(0)).within(wanted.get(1));
    return fit ? operands.reversed() : operands;
  }

  /** Something that stands beside a value: a leaf or what is there. */
  private int beside(Form form, boolean test) {
    if (test) {
      List<Integer> masks = all(i -> forms.get(i).mask() && fits(form, i));
      return masks.isEmpty() || dice.chance(0.4) ? mask(like(form)) : dice.late(masks);
    }
    if (dice.chance(0.4)) {
      return leaf(form);
    }
    List<Integer> some = all(i -> !forms.get(i).mask() && fits(form, i));
    return some.isEmpty() ? leaf(form) : dice.late(some);
  }

  private int like(Form form) {
    List<Integer> some = all(i -> !forms.get(i).mask() && fits(form, i));
    return some.isEmpty() ? leaf(form) : dice.late(some);
  }

  private boolean fits(Form form, int node) {
    Form other = forms.get(node);
    try {
      List<Integer> dims = Form.broadcast(form.dims(), other.dims());
      return dims.equals(form.dims()) || dims.equals(other.dims()) && other.isRows(lead);
    } catch (Form.Invalid e) {
      return false;
    }
  }

  /** A number, a weight, a constant that stands beside a value. */
  private int leaf(Form form) {
    int columns = form.columns();
    boolean shaped = form.rank() > 0;
    if (features.contains(Feature.CAPTURED) && dice.chance(0.4)) {
      return add(holdings.capture(dice, form, lead), Interval.around(1));
    }
    if (features.contains(Feature.NUMBERS) && dice.chance(0.5)) {
      return add(holdings.annealed(dice), Interval.around(1));
    }
    if (features.contains(Feature.MADE) && shaped && dice.chance(0.4)) {
      boolean rows = form.isRows(lead);
      var pattern =
          dice.of(rows ? List.of(Node.Pattern.values()) : List.of(Node.Pattern.FULL, Node.Pattern.RAMP));
      if (pattern != Node.Pattern.ZEROS_LIKE || forms.getFirst().equals(form)) {
        return add(
            new Node.Made(pattern, dice.chance(0.1) ? 1 : columns, constant()), Interval.around(1));
      }
    }
    if (shaped && holdings.hasWeights() && dice.chance(0.5)) {
      return add(holdings.weight(dice, List.of(columns)), Interval.around(1));
    }
    return add(new Node.Number(constant()), Interval.around(1));
  }

  private double constant() {
    return dice.chance(0.3)
        ? dice.of(0.0, 1.0, -1.0, 0.5)
        : Math.round(dice.between(-1.0, 1.0) * 1000) / 1000.0;
  }

  private int mask(int x) {
    List<Integer> masks = all(i -> forms.get(i).mask() && fits(form(x), i));
    if (features.contains(Feature.CAPTURED) && form(x).rank() > 0 && dice.chance(0.2)) {
      return add(holdings.mask(dice, form(x).columns()), Interval.MASK);
    }
    if (!masks.isEmpty() && dice.chance(0.3)) {
      return dice.late(masks);
    }
    var test = dice.of(Binary.LT, Binary.GT, Binary.LE, Binary.GE);
    int other = dice.chance(0.5) ? add(new Node.Number(constant()), Interval.around(1)) : like(form(x));
    return add(new Node.Row(test, List.of(x, other)), Interval.MASK);
  }

  /** A product of something with a weight, which may have been met before. */
  int product(int x, int columns) {
    int in = squashed(x, Interval.WIDE);
    int rows = form(in).columns();
    double size = size(in) * 1.2;
    if (!holdings.hasWeights()) {
      return in;
    }
    int weight;
    if (features.contains(Feature.COMPUTED_WEIGHTS) && dice.chance(0.5)) {
      weight = computed(rows, columns);
    } else if (features.contains(Feature.CAPTURED) && dice.chance(0.15)) {
      weight = add(holdings.matrix(dice, rows, columns), Interval.around(1));
      size *= Math.sqrt(rows);
    } else {
      weight = add(holdings.weight(dice, List.of(rows, columns)), Interval.around(1));
    }
    return add(new Node.Product(in, weight), Interval.around(size));
  }

  private int computed(int rows, int columns) {
    if (dice.chance(0.5)) {
      int weight = add(holdings.weight(dice, List.of(columns, rows)), Interval.around(1));
      return add(new Node.Transposed(weight), Interval.around(1));
    }
    int weight = add(holdings.weight(dice, List.of(rows, columns)), Interval.around(1));
    int other =
        dice.chance(0.5)
            ? add(holdings.weight(dice, List.of(columns)), Interval.around(1))
            : add(new Node.Number(constant()), Interval.around(1));
    var row = dice.of(Binary.MUL, Binary.ADD, Binary.SUB, Binary.MAX);
    return add(new Node.Row(row, List.of(weight, other)), Interval.around(1));
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
    int length = uneven ? dice.between(1, columns - start) : units * dice.between(1, blocks - start / units);
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
            .filter(r -> r.domain().accepts(DType.F64) && r.result(DType.F64) == DType.F64)
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
          Interval.of(row, List.of(intervals.get(operands.get(0)), intervals.get(operands.get(1)))));
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
    int epsilon = add(new Node.Number(dice.of(0.1, 0.01)), Interval.around(1));
    int sum = binary(Binary.ADD, variance, epsilon, new Interval(0.01, 64));
    int rsqrt = add(new Node.Row(Unary.RSQRT, List.of(sum)), new Interval(0, 10));
    int normed = binary(Binary.MUL, centred, rsqrt, Interval.around(4));
    if (holdings.hasWeights() && dice.chance(0.7)) {
      int gain = add(holdings.weight(dice, List.of(form(in).columns())), Interval.around(1));
      binary(Binary.MUL, normed, gain, Interval.around(4));
    }
  }

  int binary(Binary row, int a, int b, Interval interval) {
    return add(new Node.Row(row, List.of(a, b)), interval);
  }

  /** A value whose numbers lie where they should. */
  int squashed(int x, Interval wanted) {
    Interval is = intervals.get(x);
    if (is.within(wanted) || forms.get(x).mask()) {
      return x;
    }
    if (wanted == Interval.POSITIVE) {
      Unary row = dice.of(Unary.SIGMOID, Unary.SQUARE);
      int in = row == Unary.SQUARE ? squashed(x, Interval.SMALL) : x;
      int positive = add(new Node.Row(row, List.of(in)), Interval.MASK);
      int offset = add(new Node.Number(0.5), Interval.around(0.5));
      return binary(Binary.ADD, positive, offset, new Interval(0.5, 1.5));
    }
    if (wanted == Interval.SMALL || dice.chance(0.6)) {
      Unary row = dice.of(Unary.TANH, Unary.SIGMOID, Unary.SIN);
      int in = row == Unary.SIN && size(x) > 1e3 ? squashed(x, Interval.WIDE) : x;
      int small = add(new Node.Row(row, List.of(in)), Interval.around(0.97));
      return small;
    }
    double factor = Math.max(1e-3, Math.round(1000 * 2 / Math.max(size(x), 1)) / 1000.0);
    int number = add(new Node.Number(factor), Interval.around(1));
    return binary(Binary.MUL, x, number, Interval.around(Math.min(4, factor * size(x))));
  }

  private double size(int x) {
    return Math.max(Math.abs(intervals.get(x).low()), Math.abs(intervals.get(x).high()));
  }

  /** The columns of a product. */
  private int columns() {
    int units = holdings.units();
    return features.contains(Feature.OTHER_WIDTHS) && dice.chance(0.4)
        ? dice.of(1, 2, 5, units + 1)
        : units * dice.of(1, 1, 2, 4);
  }

  /** Some numbers for each row; the latest more often. */
  int number() {
    List<Integer> some = all(i -> forms.get(i).isRows(lead) && !forms.get(i).mask());
    return dice.late(some);
  }

  /** The last values of a form. */
  OptionalInt last(Form form, int from) {
    List<Integer> some = all(i -> i >= from && forms.get(i).equals(form));
    return some.isEmpty() ? OptionalInt.empty() : OptionalInt.of(dice.late(some));
  }

  private List<Integer> all(IntPredicate which) {
    return IntStream.range(0, nodes.size()).filter(which).boxed().toList();
  }
}
