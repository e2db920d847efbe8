package carousel.benchmarks;

import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A recurrence as one writes it by hand: a loop over steps. */
final class HandScan {
  private HandScan() {}

  /** {@code x [T,N,D] → y [T,N,H]}. */
  static <S extends RecurrentState> Tensor run(Cell<S> cell, Tensor x) {
    S state = cell.zero(x.dim(1));
    List<Tensor> outputs = new ArrayList<>();
    for (Tensor z : cell.project(x).unbind(0)) {
      state = cell.step(z, state);
      outputs.add(cell.output(state));
    }
    return Tensor.stack(outputs, 0);
  }
}
