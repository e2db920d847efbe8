package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** Cases of every row of {@link Unary}, {@link Binary} and {@link Ternary}: a new row has them at once. */
final class ElementwiseCases {
  private static final Arrangement[] ARRANGEMENTS = Arrangement.values();

  private ElementwiseCases() {}

  static Stream<OpCase> all() {
    return Stream.of(
            Arrays.stream(Unary.values()).flatMap(ElementwiseCases::unary),
            Arrays.stream(Binary.values()).flatMap(ElementwiseCases::binary),
            Arrays.stream(Ternary.values()).flatMap(ElementwiseCases::ternary))
        .flatMap(s -> s);
  }

  static Stream<OpCase> smooth() {
    return Stream.of(
            Arrays.stream(Unary.values()).flatMap(ElementwiseCases::smoothUnary),
            Arrays.stream(Binary.values()).flatMap(ElementwiseCases::smoothBinary),
            Arrays.stream(Ternary.values()).flatMap(ElementwiseCases::smoothTernary))
        .flatMap(s -> s);
  }

  static Stream<DType> types(Domain domain) {
    return Arrays.stream(DType.values()).filter(domain::accepts);
  }

  private static Stream<OpCase> unary(Unary row) {
    return types(row.domain())
        .flatMap(type -> {
          var special = new Operand(type, Shape.of(207), Arrangement.DENSE, Values.special(type));
          return Stream.concat(
              Stream.of(
                  OpCase.of(row, special),
                  OpCase.of(row, special.with(Arrangement.STEPPED)),
                  OpCase.of(row, Operand.of(type, Shapes.LARGE, 1))),
              Shapes.AWKWARD.stream()
                  .flatMap(shape ->
                      Arrays.stream(ARRANGEMENTS)
                          .filter(a -> a.suits(shape))
                          .map(a -> OpCase.of(row, Operand.of(type, shape, 2).with(a)))));
        });
  }

  private static Stream<OpCase> binary(Binary row) {
    return types(row.domain())
        .flatMap(type -> {
          var few = Values.fewSpecial(type);
          int n = Specials.few(type).length;
          return Stream.concat(
              Stream.of(
                  OpCase.of(
                      row,
                      new Operand(type, Shape.of(n, 1), Arrangement.DENSE, few),
                      new Operand(type, Shape.of(n), Arrangement.DENSE, few)),
                  OpCase.of(
                      row,
                      Operand.of(type, Shapes.LARGE, 1),
                      Operand.of(type, Shapes.LARGE, 2).with(Values.ties(5, 3)))),
              Stream.concat(
                  Shapes.AWKWARD.stream().flatMap(s -> pairs(row, type, s, s)),
                  Shapes.BROADCAST.stream()
                      .flatMap(s -> pairs(row, type, s.getFirst(), s.getLast()))));
        });
  }

  /** Each arrangement of one side, with another one on the other side. */
  private static Stream<OpCase> pairs(Binary row, DType type, Shape a, Shape b) {
    Values ties = type == DType.BOOL ? Values.random(type, 5) : Values.ties(4, 5);
    return Arrays.stream(ARRANGEMENTS)
        .filter(left -> left.suits(a))
        .map(left -> {
          Arrangement right = ARRANGEMENTS[(2 * left.ordinal() + 1) % ARRANGEMENTS.length];
          Operand x = Operand.of(type, a, 4).with(left);
          Operand y = Operand.of(type, b, 5).with(right);
          // Also operands with many equal elements, which random numbers would never have.
          return left == Arrangement.OFFSET
              ? OpCase.of(row, x.with(ties), y.with(ties))
              : OpCase.of(row, x, y);
        });
  }

  private static Stream<OpCase> ternary(Ternary row) {
    return types(row.domain())
        .flatMap(type -> {
          DType first = row == Ternary.WHERE ? DType.BOOL : type;
          var few = Values.fewSpecial(type);
          int n = Specials.few(type).length;
          var cube =
              OpCase.of(
                  row,
                  new Operand(
                      first, Shape.of(n, 1, 1), Arrangement.DENSE, Values.fewSpecial(first)),
                  new Operand(type, Shape.of(n, 1), Arrangement.DENSE, few),
                  new Operand(type, Shape.of(n), Arrangement.DENSE, few));
          var large =
              OpCase.of(
                  row,
                  Operand.of(first, Shapes.LARGE, 6),
                  Operand.of(type, Shapes.LARGE, 7),
                  Operand.of(type, Shapes.LARGE, 8));
          return Stream.concat(
              Stream.of(cube, large),
              Stream.concat(
                  Shapes.AWKWARD.stream().flatMap(s -> triples(row, first, type, s, s, s)),
                  Shapes.BROADCAST.stream()
                      .flatMap(s ->
                          triples(row, first, type, s.getFirst(), s.getLast(), Shape.SCALAR))));
        });
  }

  private static Stream<OpCase> triples(
      Ternary row, DType first, DType type, Shape a, Shape b, Shape c) {
    int n = ARRANGEMENTS.length;
    return Arrays.stream(ARRANGEMENTS)
        .filter(left -> left.suits(a))
        .map(left ->
            OpCase.of(
                row,
                Operand.of(first, a, 6).with(left),
                Operand.of(type, b, 7).with(ARRANGEMENTS[(2 * left.ordinal() + 1) % n]),
                Operand.of(type, c, 8).with(ARRANGEMENTS[(3 * left.ordinal() + 2) % n])));
  }

  // ---- where rows are smooth: inside their natural domain, which is found by asking them ----

  private static Stream<OpCase> smoothUnary(Unary row) {
    if (!row.vjp().flows(0)) {
      return Stream.empty();
    }
    Values inside =
        count -> DoubleStream.of(Values.apart(0).take(count)).map(x -> inside(row, x)).toArray();
    return Stream.of(Shape.of(3, 4), Shape.SCALAR)
        .map(s -> OpCase.of(row, Operand.smooth(s, 0).with(inside).with(Arrangement.TRANSPOSED)));
  }

  /** Of the same sign, else positive, else within ±1. */
  private static double inside(Unary row, double x) {
    return DoubleStream.of(x, Math.abs(x), x / 3)
        .filter(v -> Double.isFinite(row.scalar(v)))
        .findFirst()
        .orElseThrow();
  }

  private static Stream<OpCase> smoothBinary(Binary row) {
    if (!row.vjp().flows(0) && !row.vjp().flows(1)) {
      return Stream.empty();
    }
    boolean everywhere =
        DoubleStream.of(Values.apart(0).take(24))
            .allMatch(a ->
                DoubleStream.of(Values.apart(1).take(24))
                    .allMatch(b -> Double.isFinite(row.scalar(a, b))));
    return Stream.of(
            List.of(Shape.of(3, 4), Shape.of(3, 4)),
            List.of(Shape.of(2, 3), Shape.of(3)),
            List.of(Shape.of(3, 1), Shape.of(1, 4)),
            List.of(Shape.SCALAR, Shape.of(3)))
        .map(s -> {
          var a = Operand.smooth(s.getFirst(), 0);
          var b = Operand.smooth(s.getLast(), 1);
          return OpCase.of(row, everywhere ? a : a.with(a.values().abs()), b);
        });
  }

  private static Stream<OpCase> smoothTernary(Ternary row) {
    return Stream.of(
            List.of(Shape.of(3, 4), Shape.of(3, 4), Shape.of(3, 4)),
            List.of(Shape.of(4, 3), Shape.of(3), Shape.SCALAR),
            // Each with each: whichever is the greatest, and whichever the least.
            List.of(Shape.of(5, 1, 1), Shape.of(5, 1), Shape.of(5)))
        .map(s -> {
          var a = Operand.smooth(s.getFirst(), 0);
          var b = Operand.smooth(s.get(1), 1);
          var c = Operand.smooth(s.getLast(), 2);
          return row == Ternary.WHERE
              ? OpCase.of(row, Operand.of(DType.BOOL, a.shape(), 9), b, c)
              : OpCase.of(row, a, b, c);
        });
  }
}
