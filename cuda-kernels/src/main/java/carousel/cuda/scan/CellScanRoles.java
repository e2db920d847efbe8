package carousel.cuda.scan;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Scan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the inputs of a scan are to the cell whose kernels run it: places among the composite's inputs, as
 * {@link Scan.Inputs} and {@link StepMatch} say.
 *
 * @param cell the cell
 * @param sequence of z {@code [T,N,G·H]}; −1 where that is {@code x·wx + b} of an affine input
 * @param states for each state of the cell, which of the scan's it is
 * @param firstState of the scan's states
 * @param weights by name; some may be one place, and vectors that are 0 have none
 * @param lengths of the rows; −1 without
 */
record CellScanRoles(
    RecurrentCell cell,
    int sequence,
    List<Integer> states,
    int firstState,
    Map<String, Integer> weights,
    int lengths) {
  /** Of T·N, which kernels number by int. */
  private static final int MOST_ROWS = 1 << 30;

  /** The roles, or null if no cell's kernels run this scan on these inputs. */
  static @Nullable CellScanRoles of(Scan scan, Tensor... inputs) {
    var match = StepMatch.of(scan.step());
    if (match == null) {
      return null;
    }
    Scan.Inputs places = scan.inputs();
    boolean affine = places.affine() && match.input() == 0;
    Map<String, Integer> weights = new HashMap<>();
    match.weights().forEach((name, index) -> weights.put(name, places.captured().get(index)));
    var roles =
        new CellScanRoles(
            match.cell(),
            affine ? -1 : places.sequences().get(match.input()),
            match.states(),
            places.states(),
            Map.copyOf(weights),
            places.lengths());
    return roles.fit(scan, inputs) ? roles : null;
  }

  boolean isAffine() {
    return sequence < 0;
  }

  /** The place of a state of the cell: h, c. */
  int state(int k) {
    return firstState + states.get(k);
  }

  /** The output of the composite that is the last of a state of the cell. */
  int lastState(int k) {
    return 1 + states.get(k);
  }

  int weight(String name) {
    return Objects.requireNonNull(weights.get(name), name);
  }

  /** Whether there is a tensor for it; a vector that has none is 0. */
  boolean has(CellWeight weight) {
    return weights.containsKey(weight.name());
  }

  /** Whether there is something to do, on tensors that go together, and each has its role. */
  private boolean fit(Scan scan, Tensor... in) {
    Tensor h = in[state(0)];
    if (!h.dtype().isFloating()
        || h.rank() != 2
        || h.size() == 0
        || scan.steps() == 0
        || (long) scan.steps() * h.dim(0) > MOST_ROWS) {
      return false;
    }
    @Nullable Shape[] wanted = wanted(scan, h, in);
    for (int i = 0; i < in.length; i++) {
      DType type = i == lengths ? DType.I32 : h.dtype();
      if (!Objects.equals(wanted[i], in[i].shape())
          || in[i].dtype() != type
          || !in[i].device().equals(h.device())) {
        return false;
      }
    }
    // Of a tensor with two roles, the last one's shape was compared.
    return cell.weights().stream()
        .filter(this::has)
        .allMatch(w -> in[weight(w.name())].shape().equals(w.shape(h.dim(1))));
  }

  /** The shapes of all inputs that have a role. */
  private @Nullable Shape[] wanted(Scan scan, Tensor h, Tensor... in) {
    int hidden = h.dim(1);
    int columns = cell.gates() * hidden;
    @Nullable Shape[] wanted = new Shape[in.length];
    if (isAffine()) {
      Tensor x = in[Scan.Inputs.X];
      int depth = x.rank() == 0 || x.size() == 0 ? 1 : x.dim(-1);
      wanted[Scan.Inputs.X] = Shape.of(scan.steps(), h.dim(0), depth);
      wanted[Scan.Inputs.WX] = Shape.of(depth, columns);
      wanted[Scan.Inputs.B] = Shape.of(columns);
    } else {
      wanted[sequence] = Shape.of(scan.steps(), h.dim(0), columns);
    }
    for (int k = 0; k < cell.states(); k++) {
      wanted[state(k)] = h.shape();
    }
    cell.weights().stream()
        .filter(this::has)
        .forEach(weight -> wanted[weight(weight.name())] = weight.shape(hidden));
    if (lengths >= 0) {
      wanted[lengths] = Shape.of(h.dim(0));
    }
    return wanted;
  }
}
