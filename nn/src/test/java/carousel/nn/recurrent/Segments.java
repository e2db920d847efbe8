package carousel.nn.recurrent;

import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What marks mean, by runs without any: every row and every sequence in it alone, of the steps that are
 * taken. Differentiable, as a run is.
 *
 * @param layer any layer
 * @param reverse for each of its cells, whether that runs in reverse
 * @param lengths of the rows
 * @param resets by step and row, or null
 * @param taken by step and row, or null
 */
record Segments(
    Sequence layer,
    List<Boolean> reverse,
    int[] lengths,
    boolean @Nullable [][] resets,
    boolean @Nullable [][] taken) {

  /** A run of rows {@code [T,N,D]}. */
  Run run(Tensor x, List<? extends RecurrentState> initial) {
    List<Tensor> ys = new ArrayList<>();
    List<List<RecurrentState>> states = new ArrayList<>();
    for (int n = 0; n < x.dim(1); n++) {
      int row = n;
      List<RecurrentState> start =
          initial.stream()
              .map(s -> RecurrentState.map((RecurrentState) s, t -> t.narrow(0, row, 1)))
              .toList();
      Run run = row(x.narrow(1, n, 1), n, start);
      ys.add(run.y());
      states.add(run.states());
    }
    List<RecurrentState> all = new ArrayList<>();
    for (int cell = 0; cell < reverse.size(); cell++) {
      RecurrentState joined = states.getFirst().get(cell);
      for (int n = 1; n < states.size(); n++) {
        joined =
            RecurrentState.zip(
                joined, states.get(n).get(cell), (a, b) -> Tensor.concat(List.of(a, b), 0));
      }
      all.add(joined);
    }
    Tensor y = Tensor.concat(ys, 1);
    return new Run(y, y, all);
  }

  private Run row(Tensor x, int n, List<RecurrentState> initial) {
    int steps = x.dim(0);
    List<RecurrentState> own = layer.run(x.narrow(0, 0, 0)).states();
    List<RecurrentState> given = initial.isEmpty() ? own : initial;
    List<List<Integer>> segments = segments(n);
    Tensor zero = Tensor.zeros(DType.F64, 1, 1, layer.outputs());
    Tensor[] y = new Tensor[steps];
    Arrays.fill(y, zero);
    List<RecurrentState> last = new ArrayList<>(given);
    for (int k = 0; k < segments.size(); k++) {
      boolean first = k == 0;
      boolean end = k == segments.size() - 1;
      List<RecurrentState> start = new ArrayList<>();
      for (int cell = 0; cell < reverse.size(); cell++) {
        boolean begins = reverse.get(cell) ? end : first && !resetAtZero(n);
        start.add((begins ? given : own).get(cell));
      }
      List<Integer> at = segments.get(k);
      List<Tensor> some = at.stream().map(t -> x.narrow(0, t, 1)).toList();
      Run run = layer.run(some.isEmpty() ? x.narrow(0, 0, 0) : Tensor.concat(some, 0), start, null);
      for (int i = 0; i < at.size(); i++) {
        y[at.get(i)] = run.y().narrow(0, i, 1);
      }
      for (int cell = 0; cell < reverse.size(); cell++) {
        if (reverse.get(cell) ? first : end) {
          last.set(cell, run.states().get(cell));
        }
      }
    }
    Tensor all = Tensor.concat(List.of(y), 0);
    return new Run(all, all, last);
  }

  private boolean resetAtZero(int n) {
    return resets != null && resets[0][n] && lengths[n] > 0;
  }

  /** The steps taken of each sequence of a row; one without steps if the row has none. */
  private List<List<Integer>> segments(int n) {
    List<List<Integer>> all = new ArrayList<>();
    all.add(new ArrayList<>());
    for (int t = 0; t < lengths[n]; t++) {
      if (t > 0 && resets != null && resets[t][n]) {
        all.add(new ArrayList<>());
      }
      if (taken == null || taken[t][n]) {
        all.getLast().add(t);
      }
    }
    return all;
  }

  static Tensor flags(boolean[][] values) {
    double[] numbers = new double[values.length * values[0].length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = values[i / values[0].length][i % values[0].length] ? 1 : 0;
    }
    return Tensor.of(Shape.of(values.length, values[0].length), numbers).ne(0);
  }

  /** These marks as a layer takes them. */
  Marks marks(int steps) {
    boolean ragged = Arrays.stream(lengths).anyMatch(length -> length < steps);
    return Marks.ofLengths(ragged ? Tensor.of(lengths) : null)
        .withResets(resets == null ? null : flags(resets))
        .withTaken(taken == null ? null : flags(taken));
  }
}
