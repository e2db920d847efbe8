package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.MatMul;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Cases of the matrix product, and of composites: bodies of several ops under one name. */
final class ProductCases {
  private static final Arrangement[] ARRANGEMENTS = Arrangement.values();

  private static final List<List<Shape>> SHAPES =
      List.of(
          of(new int[] {13, 207}, new int[] {207, 13}),
          of(new int[] {207, 13}, new int[] {13, 207}),
          of(new int[] {1, 4098}, new int[] {4098, 1}),
          of(new int[] {207, 1}, new int[] {1, 207}),
          of(new int[] {1, 1}, new int[] {1, 1}),
          of(new int[] {64, 64}, new int[] {64, 64}),
          of(new int[] {1, 70}, new int[] {70, 100}),
          of(new int[] {20, 33}, new int[] {33, 100}),
          of(new int[] {0, 13}, new int[] {13, 5}),
          of(new int[] {13, 0}, new int[] {0, 5}),
          of(new int[] {13, 5}, new int[] {5, 0}),
          of(new int[] {3, 5, 13}, new int[] {13, 7}),
          of(new int[] {5, 13}, new int[] {3, 13, 7}),
          of(new int[] {2, 3, 1, 13}, new int[] {13, 7}),
          of(new int[] {2, 1, 5, 13}, new int[] {3, 13, 7}),
          of(new int[] {2, 3, 5, 0}, new int[] {2, 3, 0, 7}),
          of(new int[] {0, 5, 3}, new int[] {0, 3, 7}));

  private static final List<OpCase> COMPOSITES =
      List.of(
          OpCase.of(
              Composite.of("prod", x -> x.prod(1, true)), Operand.smooth(Shape.of(2, 5, 2), 0)),
          OpCase.of(Composite.of("prod.all", x -> x.prod()), Operand.smooth(Shape.of(2, 3), 0)),
          OpCase.of(
              Composite.of("variance", x -> x.variance(0)), Operand.smooth(Shape.of(4, 2), 0)),
          OpCase.of(Composite.of("std", x -> x.std(1, true, 0)), Operand.smooth(Shape.of(2, 4), 0)),
          OpCase.of(
              Composite.of("sumTo", x -> x.sumTo(Shape.of(3, 1))),
              Operand.smooth(Shape.of(2, 3, 4), 0)),
          OpCase.of(
              Composite.of("topK", x -> x.topK(2, 1).values()), Operand.smooth(Shape.of(2, 4), 0)),
          OpCase.of(
              Composite.of("pad", x -> x.pad(1, 1, 2, 0.5)), Operand.smooth(Shape.of(2, 3), 0)),
          OpCase.of(
              Composite.of("gated", (x, h) -> x.sigmoid().mul(h.tanh())),
              Operand.smooth(Shape.of(2, 3), 0),
              Operand.smooth(Shape.of(2, 3), 1)),
          OpCase.of(
              new Composite(
                  "lstm.cell",
                  in -> {
                    List<Tensor> q = in[0].chunk(4, -1);
                    Tensor kept = q.get(1).sigmoid().mul(in[1]);
                    Tensor c = kept.add(q.get(0).sigmoid().mul(q.get(2).tanh()));
                    return new Tensor[] {q.get(3).sigmoid().mul(c.tanh()), c};
                  }),
              Operand.smooth(Shape.of(2, 8), 0),
              Operand.smooth(Shape.of(2, 2), 1)));

  private ProductCases() {}

  static Stream<OpCase> all() {
    return Stream.concat(
        Stream.of(DType.F32, DType.F64)
            .flatMap(
                type -> SHAPES.stream().flatMap(s -> products(type, s.getFirst(), s.getLast()))),
        COMPOSITES.stream());
  }

  static Stream<OpCase> smooth() {
    return Stream.concat(
        Stream.of(
                of(new int[] {2, 3}, new int[] {3, 2}),
                of(new int[] {2, 2, 3}, new int[] {3, 2}),
                of(new int[] {2, 1, 2, 2}, new int[] {2, 2, 2}),
                of(new int[] {1, 1}, new int[] {1, 1}))
            .map(s ->
                OpCase.of(
                    MatMul.ROW, Operand.smooth(s.getFirst(), 0), Operand.smooth(s.getLast(), 1))),
        COMPOSITES.stream());
  }

  private static Stream<OpCase> products(DType type, Shape a, Shape b) {
    return Arrays.stream(ARRANGEMENTS)
        .map(left ->
            OpCase.of(
                MatMul.ROW,
                Operand.of(type, a, 30).with(left),
                Operand.of(type, b, 31)
                    .with(ARRANGEMENTS[(3 * left.ordinal() + 2) % ARRANGEMENTS.length])));
  }

  private static List<Shape> of(int[] a, int[] b) {
    return List.of(Shape.of(a), Shape.of(b));
  }
}
