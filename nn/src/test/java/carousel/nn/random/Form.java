package carousel.nn.random;

import java.util.ArrayList;
import java.util.List;

/**
 * What is known of a value before it is computed: its shape, of which the number of rows stays open,
 * and whether it is a mask.
 *
 * @param dims its sizes; negative ones stand for the axes of the rows
 * @param mask whether it is BOOL
 */
record Form(List<Integer> dims, boolean mask) {
  /** Thrown where a program is none: shapes or types do not fit. */
  static final class Invalid extends RuntimeException {
    private static final long serialVersionUID = 1;

    Invalid(String message) {
      super(message, null, false, false);
    }
  }

  static Form of(Integer... dims) {
    return new Form(List.of(dims), false);
  }

  /** A value of some columns for each row. */
  static Form rows(List<Integer> lead, int columns) {
    List<Integer> dims = new ArrayList<>(lead);
    dims.add(columns);
    return new Form(List.copyOf(dims), false);
  }

  int rank() {
    return dims.size();
  }

  int columns() {
    return rank() == 0 ? 1 : dims.getLast();
  }

  Form withColumns(int columns) {
    List<Integer> other = new ArrayList<>(dims);
    other.set(rank() - 1, columns);
    return new Form(List.copyOf(other), mask);
  }

  Form asMask(boolean is) {
    return new Form(dims, is);
  }

  /** Whether these are the axes of the rows and one of columns. */
  boolean isRows(List<Integer> lead) {
    return rank() == lead.size() + 1 && dims.subList(0, lead.size()).equals(lead) && columns() >= 0;
  }

  /** Whether it holds the same for every row. */
  boolean isShared() {
    return dims.stream().allMatch(d -> d >= 0);
  }

  /** Two shapes as one, as elementwise rows do. */
  static List<Integer> broadcast(List<Integer> a, List<Integer> b) {
    int rank = Math.max(a.size(), b.size());
    List<Integer> dims = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      int from = i - rank;
      int x = from + a.size() < 0 ? 1 : a.get(from + a.size());
      int y = from + b.size() < 0 ? 1 : b.get(from + b.size());
      if (x != y && x != 1 && y != 1) {
        throw new Invalid(a + " beside " + b);
      }
      dims.add(x == 1 ? y : x);
    }
    return List.copyOf(dims);
  }
}
