package carousel.tensor.contract;

import static carousel.tensor.contract.ElementwiseCases.types;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.op.CumSum;
import carousel.tensor.op.Domain;
import carousel.tensor.op.LinearScan;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Softmax;
import carousel.tensor.op.Sort;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Cases of the ops that run along axes: reductions, running sum, softmax, sort. */
final class ReductionCases {
  private static final Arrangement[] ARRANGEMENTS = Arrangement.values();

  /** More elements than one thread's share, reduced along either axis or both. */
  private static final List<Shape> LONG =
      List.of(Shape.of(3, 4098), Shape.of(4098, 3), Shapes.LARGE, Shape.of(150_001));

  /** One situation per row: NaN, infinities, ties, zeros, and values that overflow when exponentiated. */
  private static final double[][] ROWS = {
    {1, Double.NaN, 3, -1, 0.5},
    {Double.NaN, 2, Double.NaN, 1, 0.25},
    {1, Double.POSITIVE_INFINITY, -2, 0.5, 4},
    {1, Double.NEGATIVE_INFINITY, -2, 0.5, 4},
    {Double.POSITIVE_INFINITY, 1, Double.NEGATIVE_INFINITY, 2, 3},
    {
      Double.NEGATIVE_INFINITY,
      Double.NEGATIVE_INFINITY,
      Double.NEGATIVE_INFINITY,
      Double.NEGATIVE_INFINITY,
      Double.NEGATIVE_INFINITY
    },
    {Double.POSITIVE_INFINITY, Double.NaN, 1, Double.NEGATIVE_INFINITY, 2},
    {0, 0, 0, 0, 0},
    {0.0, -0.0, 1, -0.0, 0.0},
    {1, 3, -2, 3, -2},
    {1000, 999, -1000, 998.5, 0},
    {-1000, -1001, -1002, -1000.5, -1003},
    {1e15, -1e15, 1e14, 5e14, -3},
    {1e-30, 2e-30, -3e-30, 1e-30, 0}
  };

  /** Whole factors whose products are 1 at most, whichever are repeated. */
  private static final Values WHOLE_FACTORS = Values.of(1, -1, 0, 1, 1, -1);

  private ReductionCases() {}

  static Stream<OpCase> all() {
    return Stream.of(
            Arrays.stream(Reduce.values()).flatMap(ReductionCases::reductions),
            along(Domain.NUMERIC, CumSum::new),
            Arrays.stream(DType.values())
                .filter(Domain.NUMERIC::accepts)
                .flatMap(ReductionCases::recurrences),
            along(Domain.FLOATING, axis -> new Softmax(axis, false)),
            along(Domain.FLOATING, axis -> new Softmax(axis, true)),
            along(Domain.NUMERIC, axis -> new Sort(axis, false)),
            along(Domain.NUMERIC, axis -> new Sort(axis, true)))
        .flatMap(s -> s);
  }

  static Stream<OpCase> smooth() {
    return Stream.of(
            Stream.of(Shape.of(4, 3), Shape.of(1, 3))
                .flatMap(shape ->
                    IntStream.range(0, 2)
                        .mapToObj(axis ->
                            OpCase.of(
                                new LinearScan(axis),
                                Operand.smooth(shape, 0).with(Arrangement.TRANSPOSED),
                                Operand.smooth(shape, 1)))),
            Arrays.stream(Reduce.values())
                .filter(row -> new ReduceAxes(row, List.of(0)).vjp().flows(0))
                .flatMap(row ->
                    Shapes.axisSets(3)
                        .map(axes ->
                            OpCase.of(
                                new ReduceAxes(row, axes), Operand.smooth(Shape.of(2, 3, 2), 0)))),
            IntStream.range(0, 2)
                .boxed()
                .flatMap(axis ->
                    Stream.<Op>of(
                        new CumSum(axis),
                        new Softmax(axis, false),
                        new Softmax(axis, true),
                        new Sort(axis, false),
                        new Sort(axis, true)))
                .map(op ->
                    OpCase.of(op, Operand.smooth(Shape.of(3, 4), 0).with(Arrangement.TRANSPOSED))))
        .flatMap(s -> s);
  }

  /** Along each axis; factors near 1, so that long lines stay in range, and zeros among what is added. */
  private static Stream<OpCase> recurrences(DType type) {
    Stream<OpCase> random =
        Stream.concat(Shapes.AWKWARD.stream(), LONG.stream())
            .flatMap(shape ->
                IntStream.range(0, shape.rank())
                    .boxed()
                    .flatMap(axis ->
                        Arrays.stream(ARRANGEMENTS)
                            .filter(a -> a.suits(shape))
                            .filter(a -> shape.size() < 5000 || a == Arrangement.DENSE)
                            .map(a -> {
                              Operand factor = Operand.of(type, shape, 16).with(a);
                              int other = (2 * a.ordinal() + 1) % ARRANGEMENTS.length;
                              return OpCase.of(
                                  new LinearScan(axis),
                                  factor.with(
                                      type.isFloating() ? Values.nearOne(16) : WHOLE_FACTORS),
                                  Operand.of(type, shape, 17).with(ARRANGEMENTS[other]));
                            })));
    Operand rows = type.isFloating() ? rows(type) : Operand.of(type, Shape.of(14, 5), 18);
    Operand factors = type.isFloating() ? rows : rows.with(WHOLE_FACTORS);
    return Stream.concat(
        random,
        IntStream.range(0, 2)
            .boxed()
            .flatMap(axis ->
                Stream.of(
                    OpCase.of(new LinearScan(axis), factors, rows.with(Arrangement.TRANSPOSED)),
                    OpCase.of(
                        new LinearScan(axis),
                        factors,
                        Operand.of(type, rows.shape(), 19).with(Values.ties(2, 19))))));
  }

  private static Stream<OpCase> reductions(Reduce row) {
    return types(row.domain())
        .flatMap(type ->
            Stream.concat(
                Stream.concat(Shapes.AWKWARD.stream(), LONG.stream())
                    .flatMap(shape -> arranged(row, type, shape))
                    .flatMap(x ->
                        Shapes.axisSets(x.shape().rank())
                            .filter(axes -> row.hasIdentity() || nonEmpty(x.shape(), axes))
                            .filter(axes -> !isPosition(row) || axes.size() == 1)
                            .map(axes -> OpCase.of(new ReduceAxes(row, axes), x))),
                situations(row, type)));
  }

  private static Stream<Operand> arranged(Reduce row, DType type, Shape shape) {
    // A product of ordinary numbers overflows, which whole ones may not; ties show which of equals
    // an arg reduction takes.
    Values values =
        row == Reduce.PROD
            ? type.isFloating() ? Values.nearOne(12) : Values.fewFactors(12)
            : isPosition(row) ? Values.ties(50, 12) : Values.random(type, 12);
    Operand x = Operand.of(type, shape, 12).with(values);
    // Of long ones that are broadcast, what is repeated is read once; not so the factors of a
    // product, which
    // would overflow.
    Stream<Arrangement> ways =
        row == Reduce.PROD
            ? Stream.of(Arrangement.DENSE, Arrangement.TRANSPOSED)
            : Stream.of(
                Arrangement.DENSE,
                Arrangement.TRANSPOSED,
                Arrangement.REPEATED_ROW,
                Arrangement.REPEATED_COLUMN);
    return (shape.size() > 5000 ? ways : Arrays.stream(ARRANGEMENTS))
        .filter(a -> a.suits(shape))
        .map(x::with);
  }

  private static Stream<OpCase> situations(Reduce row, DType type) {
    if (type == DType.I32 && (row == Reduce.SUM || row == Reduce.PROD)) {
      return Stream.empty(); // they do not fit: WholeNumbersTest
    }
    if (!type.isFloating()) {
      var values = Values.special(type);
      return Stream.of(
          OpCase.of(
              new ReduceAxes(row, List.of(0)),
              new Operand(type, Shape.of(207), Arrangement.DENSE, values)));
    }
    Operand rows = rows(type);
    var columns = new Operand(type, Shape.of(207, 2), Arrangement.DENSE, Values.fewSpecial(type));
    return Stream.concat(
        Stream.of(
            OpCase.of(new ReduceAxes(row, List.of(1)), rows),
            OpCase.of(
                new ReduceAxes(row, List.of(1)),
                planted(type, row == Reduce.PROD ? 1e-200 : tiny(type)))),
        // Overflow on the way is allowed to sums and products alone.
        row == Reduce.SUM || row == Reduce.MEAN || row == Reduce.PROD
            ? Stream.empty()
            : Stream.of(OpCase.of(new ReduceAxes(row, List.of(0)), columns)));
  }

  private static Operand rows(DType type) {
    var values = Values.of(Arrays.stream(ROWS).flatMapToDouble(Arrays::stream).toArray());
    return new Operand(type, Shape.of(ROWS.length, 5), Arrangement.DENSE, values);
  }

  /** Rows longer than a vector, of ordinary numbers and one that is not, at either end or between. */
  private static Operand planted(DType type, double tiny) {
    double[] odd = {
      Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0, tiny, -tiny
    };
    int[] places = {0, 17, 36};
    int width = 37;
    double[] values = Values.random(type, 16).take(odd.length * places.length * width);
    for (int r = 0; r < odd.length * places.length; r++) {
      values[r * width + places[r % places.length]] = odd[r / places.length];
    }
    var shape = Shape.of(odd.length * places.length, width);
    return new Operand(type, shape, Arrangement.DENSE, Values.of(values));
  }

  /** Subnormal. A product of such numbers has rounded by its order, and is not compared. */
  private static double tiny(DType type) {
    return type == DType.F32 ? 1e-40 : 1e-310;
  }

  private static boolean isPosition(Reduce row) {
    return row == Reduce.ARG_MAX || row == Reduce.ARG_MIN;
  }

  private static boolean nonEmpty(Shape shape, List<Integer> axes) {
    return axes.stream().allMatch(axis -> shape.dim(axis) > 0);
  }

  /** An op along each axis of every awkward shape and arrangement, and on the rows above. */
  private static Stream<OpCase> along(Domain domain, IntFunction<Op> op) {
    return types(domain)
        .flatMap(type -> {
          Stream<OpCase> random =
              Stream.concat(Shapes.AWKWARD.stream(), LONG.stream())
                  .flatMap(shape ->
                      IntStream.range(0, shape.rank())
                          .boxed()
                          .flatMap(axis ->
                              Arrays.stream(ARRANGEMENTS)
                                  .filter(a -> a.suits(shape))
                                  .filter(a -> shape.size() < 5000 || a == Arrangement.DENSE)
                                  .map(a ->
                                      OpCase.of(
                                          op.apply(axis), Operand.of(type, shape, 13).with(a)))));
          Operand rows = type.isFloating() ? rows(type) : Operand.of(type, Shape.of(14, 5), 14);
          Operand ties = Operand.of(type, Shape.of(207, 3), 15).with(Values.ties(4, 15));
          if (type.isFloating()) {
            random =
                Stream.concat(random, Stream.of(OpCase.of(op.apply(1), planted(type, tiny(type)))));
          }
          return Stream.concat(
              random,
              Stream.of(
                  OpCase.of(op.apply(1), rows),
                  OpCase.of(op.apply(1), rows.with(Arrangement.TRANSPOSED)),
                  OpCase.of(op.apply(0), ties)));
        });
  }
}
