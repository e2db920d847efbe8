package carousel.tensor.trace;

import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where the columns of what a step is given are cut, so that whatever the step cuts off later is made of
 * whole values. A trace begins without cuts; when it meets one, what is cut is followed to where its
 * columns come from, and the code is traced again.
 */
final class Cuts {
  /** Columns of a weight, by which its products are cut. */
  private static final Kind WEIGHT = Kind.SUM;

  /** The index of columns that stand for a piece which is no whole value yet. */
  static final int NOTHING = -1;

  private record Source(Kind kind, int index) {}

  private final Map<Source, TreeSet<Integer>> places = new HashMap<>();

  /** Whether a piece was wanted that is no whole value: then this trace is of no use but for its cuts. */
  private boolean missed;

  /** Sums that something else reads, too: they are not made part of another sum. */
  private final Set<String> apart = new HashSet<>();

  /** Whether columns stand for a piece; their offset is the id of what that is cut off. */
  static boolean isPiece(Value value) {
    return value.kind() == Kind.INPUT && value.index() == NOTHING;
  }

  /** Begins a trace with the cuts so far. */
  void begin() {
    missed = false;
  }

  /** Whether the code has to be traced once more. */
  boolean hasMissed() {
    return missed;
  }

  /** Whether a summand stays a value of its own. */
  boolean isApart(String summand) {
    return apart.contains(summand);
  }

  /** Makes a summand a value of its own. Returns whether it was not. */
  boolean setApart(String summand) {
    return apart.add(summand);
  }

  /** The widths of the pieces of columns. */
  List<Integer> widths(Kind kind, int index, int columns) {
    List<Integer> widths = new ArrayList<>();
    int from = 0;
    for (int at : places.getOrDefault(new Source(kind, index), new TreeSet<>())) {
      if (at >= columns) { // of what had this place in an earlier trace
        throw new Untraced("it is cut in another way each time that it is traced");
      }
      widths.add(at - from);
      from = at;
    }
    widths.add(columns - from);
    return widths;
  }

  /** The widths of the pieces of all outputs, side by side, of an application of a user's op. */
  List<Integer> ofApplication(int application, int columns) {
    return widths(Kind.ARRIVING, application, columns);
  }

  /** The widths of the pieces of a weight's columns. */
  List<Integer> ofWeight(int index, int columns) {
    return widths(WEIGHT, index, columns);
  }

  /** Cuts a value before one of its columns, the next time. */
  void request(Value value, int column) {
    missed = true;
    switch (value.kind()) {
      case INPUT, STATE, VECTOR, ROWS -> at(value.kind(), value.index(), value.offset() + column);
      case ARRIVING -> request(value.inputs().getFirst(), column);
      case APPLY, SUM -> {
        if (value.isOwn()) { // where it is cut, it is made of what it is made of
          at(Kind.ARRIVING, value.index(), value.offset() + column);
          return;
        }
        for (Value input : value.inputs()) {
          if (input.width() == value.width() && input.kind() != Kind.SPREAD) {
            request(input, column);
          }
        }
        for (Term term : value.terms()) {
          at(WEIGHT, term.weight(), term.column() + column);
        }
      }
      default -> {
        // A single column, however often.
      }
    }
  }

  /** Cuts columns into pieces of one width. */
  void every(Kind kind, int index, int columns, int width) {
    for (int at = width; at < columns; at += width) {
      at(kind, index, at);
    }
  }

  private void at(Kind kind, int index, int column) {
    if (index == NOTHING) {
      return;
    }
    places.computeIfAbsent(new Source(kind, index), s -> new TreeSet<>()).add(column);
  }
}
