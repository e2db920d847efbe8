package carousel.testing;

import carousel.nn.recurrent.Marks;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;
import java.util.function.Function;

/**
 * A way to run a cell.
 *
 * @param name for messages
 * @param reverse whether the last step comes first
 * @param start where the state comes from
 * @param steps T
 * @param rows N
 * @param marks what is particular about some steps, made in the scope of the run
 */
record CellWay(
    String name,
    boolean reverse,
    Start start,
    int steps,
    int rows,
    Function<CellWay, Marks> marks) {
  /** Where the state before the first step comes from. */
  enum Start {
    ZEROS,
    GIVEN,
    LEARNED
  }

  static final CellWay FORWARD = new CellWay("forward", false, Start.GIVEN, 5, 3, CellWay::plain);

  /** What gradients are held to differences on, besides {@link #FORWARD} itself. */
  static final CellWay BOTH =
      new CellWay(
          "reverse, ragged, with resets",
          true,
          Start.GIVEN,
          4,
          3,
          way -> lengths(way).withResets(way.flags(3)));

  static final List<CellWay> ALL =
      List.of(
          FORWARD,
          new CellWay("from zeros", false, Start.ZEROS, 5, 3, CellWay::plain),
          new CellWay("from a learned state", false, Start.LEARNED, 4, 2, CellWay::plain),
          new CellWay("reverse", true, Start.GIVEN, 5, 3, CellWay::plain),
          new CellWay("ragged", false, Start.GIVEN, 5, 3, CellWay::lengths),
          new CellWay("ragged and reverse", true, Start.ZEROS, 5, 3, CellWay::lengths),
          new CellWay(
              "with resets",
              false,
              Start.GIVEN,
              5,
              3,
              way -> Marks.none().withResets(way.flags(3))),
          new CellWay(
              "with skipped steps",
              false,
              Start.GIVEN,
              5,
              3,
              way -> Marks.none().withTaken(way.flags(2))),
          BOTH,
          new CellWay("one row", false, Start.GIVEN, 4, 1, CellWay::plain),
          new CellWay("one step", false, Start.GIVEN, 1, 3, CellWay::plain),
          new CellWay("one step of one row, reverse", true, Start.ZEROS, 1, 1, CellWay::plain),
          new CellWay("no step", false, Start.GIVEN, 0, 3, CellWay::plain),
          new CellWay("17 rows", false, Start.GIVEN, 3, 17, CellWay::plain));

  private static Marks plain(CellWay unused) {
    return Marks.none();
  }

  /** Lengths from 0 to T; the first row has all steps. */
  private static Marks lengths(CellWay way) {
    int[] lengths = new int[way.rows];
    for (int n = 0; n < lengths.length; n++) {
      lengths[n] = n == 0 ? way.steps : (3 * n + 1) % 4 % way.steps;
    }
    return Marks.ofLengths(Tensor.of(lengths));
  }

  /** BOOL {@code [T,N]}, true once in so many steps, at another one for each row. */
  private Tensor flags(int every) {
    boolean[] flags = new boolean[steps * rows];
    for (int i = 0; i < flags.length; i++) {
      flags[i] = (i / rows + i % rows) % every == every - 1;
    }
    return Tensor.of(Shape.of(steps, rows), flags);
  }

  @Override
  public String toString() {
    return name + ", T = " + steps + ", N = " + rows;
  }
}
