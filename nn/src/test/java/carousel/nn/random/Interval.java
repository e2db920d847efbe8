package carousel.nn.random;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where the numbers of a value may lie, roughly. Keeps programs tame: a row's definition is tried on
 * a grid, so that a logarithm is given positive numbers and a tangent small ones, and a row that is
 * new is treated as its definition wants.
 *
 * @param low the least
 * @param high the greatest
 */
record Interval(double low, double high) {
  static final Interval MASK = new Interval(0, 1);

  /** What is large is squashed before it is used. */
  static final Interval WIDE = new Interval(-4, 4);

  static final Interval SMALL = new Interval(-0.98, 0.97);
  static final Interval POSITIVE = new Interval(0.45, 4);

  private static final List<Interval> KINDS = List.of(WIDE, SMALL, POSITIVE);

  /** Steps from the least to the greatest operand: to know a row, by the number of its operands. */
  private static final List<Integer> FINE = List.of(400, 40, 12);

  /** The same, to know where the values of a node lie. */
  private static final int COARSE = 6;

  private static final double LARGEST = 60;
  private static final Map<Op, List<Interval>> OPERANDS = new ConcurrentHashMap<>();

  static Interval around(double size) {
    return new Interval(-size, size);
  }

  boolean within(Interval other) {
    return low >= other.low && high <= other.high;
  }

  /** The rows that are elementwise: all that are declared. */
  static List<Op> rows() {
    List<Op> all = new ArrayList<>(List.of(Unary.values()));
    all.addAll(List.of(Binary.values()));
    all.addAll(List.of(Ternary.values()));
    return List.copyOf(all);
  }

  static int arity(Op row) {
    return row instanceof Unary ? 1 : row instanceof Binary ? 2 : 3;
  }

  /** What a row's operands have to lie in; the widest for which its values stay finite. */
  static List<Interval> operands(Op row) {
    return OPERANDS.computeIfAbsent(row, Interval::tried);
  }

  private static List<Interval> tried(Op row) {
    int arity = arity(row);
    List<Interval> best = List.of();
    for (int choice = 0; choice < Math.powExact(KINDS.size(), arity) && best.isEmpty(); choice++) {
      List<Interval> kinds = new ArrayList<>();
      for (int i = 0, rest = choice; i < arity; i++, rest /= KINDS.size()) {
        kinds.add(KINDS.get(rest % KINDS.size()));
      }
      Interval values = of(row, kinds, FINE.get(arity - 1));
      if (values.low >= -LARGEST && values.high <= LARGEST) {
        best = List.copyOf(kinds);
      }
    }
    return best.isEmpty() ? Collections.nCopies(arity, SMALL) : best;
  }

  /** The values of a row for operands from these intervals. */
  static Interval of(Op row, List<Interval> operands) {
    return of(row, operands, COARSE);
  }

  private static Interval of(Op row, List<Interval> operands, int steps) {
    double least = Double.POSITIVE_INFINITY;
    double greatest = Double.NEGATIVE_INFINITY;
    int points = Math.powExact(steps + 1, operands.size());
    for (int point = 0; point < points; point++) {
      double[] x = new double[operands.size()];
      for (int i = 0, rest = point; i < x.length; i++, rest /= steps + 1) {
        Interval in = operands.get(i);
        x[i] = in.low + (in.high - in.low) * (rest % (steps + 1)) / steps;
      }
      double y =
          switch (row) {
            case Unary unary -> unary.scalar(x[0]);
            case Binary binary -> binary.scalar(x[0], x[1]);
            case Ternary ternary -> ternary.scalar(x[0], x[1], x[2]);
            default -> throw new IllegalArgumentException(row.label());
          };
      if (!Double.isFinite(y)) {
        return new Interval(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
      }
      least = Math.min(least, y);
      greatest = Math.max(greatest, y);
    }
    return new Interval(least, greatest);
  }
}
