package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.op.Indexing;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Cases of the ops that read and add at positions: repeated ones, none, and both ends of an axis. */
final class IndexingCases {
  private static final Arrangement[] ARRANGEMENTS = Arrangement.values();

  private IndexingCases() {}

  /** x, axis and index of a gather; the index also shapes what scatterAdd adds. */
  private record Pick(Shape x, int axis, Shape index) {}

  private static final List<Pick> ELEMENTS =
      List.of(
          new Pick(Shape.of(13), 0, Shape.of(207)),
          new Pick(Shape.of(4098), 0, Shape.of(13)),
          new Pick(Shape.of(13, 207), 1, Shape.of(13, 1)),
          new Pick(Shape.of(13, 7), 0, Shape.of(20, 5)),
          new Pick(Shape.of(3, 13, 5), 1, Shape.of(2, 30, 5)),
          new Pick(Shape.of(2, 3, 5, 7), 3, Shape.of(2, 3, 5, 9)),
          new Pick(Shape.of(3, 4), 1, Shape.of(3, 0)),
          new Pick(Shape.of(3, 0), 1, Shape.of(3, 0)),
          new Pick(Shape.of(0, 4), 1, Shape.of(0, 2)));

  private static final List<Pick> SLICES =
      List.of(
          new Pick(Shape.of(207, 13), 0, Shape.of(40)),
          new Pick(Shape.of(13, 4098), 0, Shape.of(3)),
          new Pick(Shape.of(13, 5), 0, Shape.of(4, 6)),
          new Pick(Shape.of(5, 13, 3), 1, Shape.of(20)),
          new Pick(Shape.of(5, 13), 1, Shape.of(2, 3, 2)),
          new Pick(Shape.of(13), 0, Shape.of(207)),
          new Pick(Shape.of(13, 5), 0, Shape.SCALAR),
          new Pick(Shape.of(13, 5), 0, Shape.of(0)),
          new Pick(Shape.of(13, 0), 0, Shape.of(4)),
          new Pick(Shape.of(0, 5), 0, Shape.of(0)));

  static Stream<OpCase> all() {
    return Arrays.stream(DType.values())
        .flatMap(type ->
            Stream.concat(
                ELEMENTS.stream().flatMap(pick -> elements(type, pick)),
                SLICES.stream().flatMap(pick -> slices(type, pick))));
  }

  static Stream<OpCase> smooth() {
    var tall = new Pick(Shape.of(3, 2), 0, Shape.of(4, 2));
    var wide = new Pick(Shape.of(2, 3), 1, Shape.of(2, 2));
    return Stream.concat(
        Stream.of(tall, wide)
            .flatMap(pick -> {
              Operand index = index(pick);
              return Stream.of(
                  OpCase.of(new Indexing.Gather(pick.axis), Operand.smooth(pick.x, 0), index),
                  OpCase.of(
                      new Indexing.ScatterAdd(pick.axis),
                      Operand.smooth(pick.x, 0),
                      index,
                      Operand.smooth(pick.index, 1)));
            }),
        Stream.of(
                new Pick(Shape.of(3, 2), 0, Shape.of(4)),
                new Pick(Shape.of(2, 3), 1, Shape.of(2, 2)))
            .flatMap(pick -> {
              Operand index = index(pick);
              return Stream.of(
                  OpCase.of(new Indexing.IndexSelect(pick.axis), Operand.smooth(pick.x, 0), index),
                  OpCase.of(
                      new Indexing.IndexAdd(pick.axis),
                      Operand.smooth(pick.x, 0),
                      index,
                      Operand.smooth(replaced(pick), 1)));
            }));
  }

  private static Stream<OpCase> elements(DType type, Pick pick) {
    return Arrays.stream(ARRANGEMENTS)
        .flatMap(a -> {
          Operand x = Operand.of(type, pick.x, 40).with(a);
          Operand index = index(pick).with(next(a, 2));
          var gather = OpCase.of(new Indexing.Gather(pick.axis), x, index);
          if (type == DType.BOOL) {
            return Stream.of(gather);
          }
          Operand source = Operand.of(type, pick.index, 41).with(next(a, 3));
          return Stream.of(gather, OpCase.of(new Indexing.ScatterAdd(pick.axis), x, index, source));
        });
  }

  private static Stream<OpCase> slices(DType type, Pick pick) {
    return Arrays.stream(ARRANGEMENTS)
        .flatMap(a -> {
          Operand x = Operand.of(type, pick.x, 42).with(a);
          Operand index = index(pick).with(next(a, 2));
          var select = OpCase.of(new Indexing.IndexSelect(pick.axis), x, index);
          if (type == DType.BOOL) {
            return Stream.of(select);
          }
          Operand source = Operand.of(type, replaced(pick), 43).with(next(a, 3));
          return Stream.of(select, OpCase.of(new Indexing.IndexAdd(pick.axis), x, index, source));
        });
  }

  private static Operand index(Pick pick) {
    int n = Math.max(1, pick.x.dim(pick.axis));
    return new Operand(DType.I32, pick.index, Arrangement.DENSE, Values.indices(n, 44));
  }

  private static Shape replaced(Pick pick) {
    Shape s = pick.x.without(pick.axis);
    for (int k = pick.index.rank() - 1; k >= 0; k--) {
      s = s.insert(pick.axis, pick.index.dim(k));
    }
    return s;
  }

  private static Arrangement next(Arrangement a, int by) {
    return ARRANGEMENTS[(a.ordinal() + by) % ARRANGEMENTS.length];
  }
}
