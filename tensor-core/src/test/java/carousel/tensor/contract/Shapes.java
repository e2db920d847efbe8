package carousel.tensor.contract;

import carousel.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The awkward shapes. */
final class Shapes {
  private Shapes() {}

  /** Sizes 0, 1, 13, 207 and 4098 in ranks 0 to 4. */
  static final List<Shape> AWKWARD =
      List.of(
          Shape.SCALAR,
          Shape.of(0),
          Shape.of(1),
          Shape.of(13),
          Shape.of(207),
          Shape.of(4098),
          Shape.of(13, 207),
          Shape.of(207, 13),
          Shape.of(1, 13),
          Shape.of(13, 1),
          Shape.of(3, 0, 5),
          Shape.of(5, 13, 7),
          Shape.of(2, 3, 5, 7),
          Shape.of(1, 13, 1, 3));

  /** Large enough for several threads to share the work. */
  static final Shape LARGE = Shape.of(3, 23_001);

  /** Pairs that broadcast. */
  static final List<List<Shape>> BROADCAST =
      List.of(
          List.of(Shape.of(13, 207), Shape.of(207)),
          List.of(Shape.of(207), Shape.of(13, 207)),
          List.of(Shape.of(13, 207), Shape.of(13, 1)),
          List.of(Shape.of(13, 1), Shape.of(1, 207)),
          List.of(Shape.SCALAR, Shape.of(4098)),
          List.of(Shape.of(4098), Shape.SCALAR),
          List.of(Shape.of(2, 1, 5, 1), Shape.of(3, 1, 7)),
          List.of(Shape.of(1, 3), Shape.of(0, 3)),
          List.of(Shape.of(0), Shape.SCALAR),
          List.of(Shape.of(3, 1), Shape.of(3, 0)));

  /** Every set of axes, ascending; the empty set too. */
  static Stream<List<Integer>> axisSets(int rank) {
    return IntStream.range(0, 1 << rank)
        .mapToObj(
            bits -> IntStream.range(0, rank).filter(k -> (bits >> k & 1) == 1).boxed().toList());
  }
}
