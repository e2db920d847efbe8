package carousel.nn.random;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * A graph that grows: what is in it, of what form and size, and what a further node may read. Notes
 * what the program must hold for it.
 */
class Draft {
  final Dice dice;
  final Set<Feature> features;
  final Holdings holdings;
  final List<Integer> lead;
  final List<Form> forms = new ArrayList<>();
  final List<Interval> intervals = new ArrayList<>();
  private final List<Form> given;
  private final List<Node> nodes = new ArrayList<>();
  private final BitSet read = new BitSet();

  Draft(Dice dice, Set<Feature> features, Holdings holdings, List<Integer> lead, List<Form> given) {
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
    node.operands().forEach(read::set);
    intervals.add(interval);
    return nodes.size() - 1;
  }

  int applied(Op row, List<Integer> operands) {
    List<Interval> in = operands.stream().map(intervals::get).toList();
    return add(new Node.Row(row, operands), Interval.of(row, in));
  }

  /** Something that stands beside a value: a leaf or what is there. */
  int beside(Form form, boolean test) {
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

  int like(Form form) {
    List<Integer> some = all(i -> !forms.get(i).mask() && fits(form, i));
    return some.isEmpty() ? leaf(form) : dice.late(some);
  }

  boolean fits(Form form, int node) {
    Form other = forms.get(node);
    try {
      List<Integer> dims = Form.broadcast(form.dims(), other.dims());
      return dims.equals(form.dims()) || (dims.equals(other.dims()) && other.isRows(lead));
    } catch (Form.Invalid e) {
      return false;
    }
  }

  /** A number, a weight, a constant that stands beside a value. */
  int leaf(Form form) {
    int columns = form.columns();
    boolean shaped = form.rank() > 0;
    if (features.contains(Feature.CAPTURED) && dice.chance(0.4)) {
      return add(holdings.capture(dice, form, lead), Interval.around(1));
    }
    if (features.contains(Feature.NUMBERS) && dice.chance(0.5)) {
      return add(holdings.annealed(dice), Interval.around(1));
    }
    if (features.contains(Feature.MADE) && shaped && dice.chance(0.4)) {
      return made(form);
    }
    if (shaped && holdings.hasWeights() && dice.chance(0.5)) {
      List<Integer> row =
          form.isRows(lead) && dice.chance(0.2) ? List.of(1, columns) : List.of(columns);
      return add(holdings.weight(dice, dice.chance(0.1) ? List.of() : row), Interval.around(1));
    }
    return add(new Node.Constant(constant()), Interval.around(1));
  }

  int made(Form form) {
    boolean rows = form.isRows(lead);
    var pattern =
        dice.of(
            rows ? List.of(Node.Pattern.values()) : List.of(Node.Pattern.FULL, Node.Pattern.RAMP));
    if (pattern == Node.Pattern.ZEROS_LIKE && !forms.getFirst().equals(form)) {
      pattern = Node.Pattern.FULL;
    }
    int columns = dice.chance(0.1) ? 1 : form.columns();
    return add(new Node.Made(pattern, columns, constant()), Interval.around(1));
  }

  double constant() {
    return dice.chance(0.3)
        ? dice.of(0.0, 1.0, -1.0, 0.5)
        : Math.round(dice.between(-1.0, 1.0) * 1000) / 1000.0;
  }

  int mask(int x) {
    List<Integer> masks = all(i -> forms.get(i).mask() && fits(form(x), i));
    if (features.contains(Feature.CAPTURED) && form(x).rank() > 0 && dice.chance(0.2)) {
      return add(holdings.mask(dice, form(x).columns()), Interval.MASK);
    }
    if (!masks.isEmpty() && dice.chance(0.3)) {
      return dice.late(masks);
    }
    var test = dice.of(Binary.LT, Binary.GT, Binary.LE, Binary.GE);
    int other =
        dice.chance(0.5) ? add(new Node.Constant(constant()), Interval.around(1)) : like(form(x));
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

  int computed(int rows, int columns) {
    if (features.contains(Feature.OWN_OPS) && dice.chance(0.5)) {
      // As weights are rounded: straight through, or clipped, which is no kernel's business.
      int weight = add(holdings.weight(dice, List.of(rows, columns)), Interval.around(1));
      var kind = dice.of(OwnOp.Kind.OF_ONE, OwnOp.Kind.OF_ONE, OwnOp.Kind.CLIPPED);
      var op = new OwnOp(kind, Unary.TANH, Unary.SIGMOID, 0.5);
      return add(new Node.Own(op, 0, List.of(weight)), Interval.around(1));
    }
    if (dice.chance(0.5)) {
      int weight = add(holdings.weight(dice, List.of(columns, rows)), Interval.around(1));
      return add(new Node.Transposed(weight), Interval.around(1));
    }
    int weight = add(holdings.weight(dice, List.of(rows, columns)), Interval.around(1));
    int other =
        dice.chance(0.5)
            ? add(holdings.weight(dice, List.of(columns)), Interval.around(1))
            : add(new Node.Constant(constant()), Interval.around(1));
    var row = dice.of(Binary.MUL, Binary.ADD, Binary.SUB, Binary.MAX);
    return add(new Node.Row(row, List.of(weight, other)), Interval.around(1));
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
      int offset = add(new Node.Constant(0.5), Interval.around(0.5));
      return binary(Binary.ADD, positive, offset, new Interval(0.5, 1.5));
    }
    if (wanted == Interval.SMALL || dice.chance(0.6)) {
      Unary row = dice.chance(0.03) ? Unary.SIN : dice.of(Unary.TANH, Unary.SIGMOID);
      int in = row == Unary.SIN && size(x) > 1e3 ? squashed(x, Interval.WIDE) : x;
      int small = add(new Node.Row(row, List.of(in)), Interval.around(0.97));
      return small;
    }
    double factor = Math.max(1e-3, Math.round(1000 * 2 / Math.max(size(x), 1)) / 1000.0);
    int number = add(new Node.Constant(factor), Interval.around(1));
    return binary(Binary.MUL, x, number, Interval.around(Math.min(4, factor * size(x))));
  }

  double size(int x) {
    return Math.max(Math.abs(intervals.get(x).low()), Math.abs(intervals.get(x).high()));
  }

  /** The columns of a product. */
  int columns() {
    int units = holdings.units();
    return features.contains(Feature.OTHER_WIDTHS) && dice.chance(0.4)
        ? dice.of(1, 2, 5, units + 1)
        : units * dice.of(1, 1, 2, 4);
  }

  /** Some numbers for each row; the latest more often. */
  int number() {
    IntPredicate is = i -> forms.get(i).isRows(lead) && !forms.get(i).mask();
    List<Integer> unread = all(i -> is.test(i) && !read.get(i));
    return dice.late(unread.isEmpty() || dice.chance(0.4) ? all(is) : unread);
  }

  /** One of the last values of a form, rather one that nobody has read yet. */
  OptionalInt last(Form form, int from) {
    List<Integer> all = all(i -> i >= from && forms.get(i).equals(form));
    List<Integer> unread = all.stream().filter(i -> !read.get(i)).toList();
    List<Integer> some = unread.isEmpty() ? all : unread;
    return some.isEmpty() ? OptionalInt.empty() : OptionalInt.of(dice.late(some));
  }

  List<Integer> all(IntPredicate which) {
    return IntStream.range(0, nodes.size()).filter(which).boxed().toList();
  }
}
