package carousel.nn.random;

import java.util.List;
import java.util.Locale;

/**
 * Cells of this library by what can be seen of them from outside: a label, and the shapes of all
 * tensors. A cell that looks like one and does something else must not run by its kernel.
 */
enum Lookalike {
  ELMAN_TANH(1, 1, List.of(List.of(1, 1))),
  ELMAN_RELU(1, 1, List.of(List.of(1, 1))),
  LSTM(2, 4, List.of(List.of(1, 4))),
  CIFG(2, 3, List.of(List.of(1, 3))),
  PEEPHOLE(2, 4, List.of(List.of(1, 4), List.of(1), List.of(1), List.of(1))),
  GRU(1, 3, List.of(List.of(1, 2), List.of(1, 1))),
  GRU_AFTER(1, 3, List.of(List.of(1, 3), List.of(1)));

  private final int states;
  private final int gates;
  private final List<List<Integer>> weights;

  Lookalike(int states, int gates, List<List<Integer>> weights) {
    this.states = states;
    this.gates = gates;
    this.weights = weights;
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  int states() {
    return states;
  }

  int gates() {
    return gates;
  }

  /** The shapes of its parameters, but for wx and b. */
  List<List<Integer>> weights(int units) {
    return weights.stream()
        .map(dims -> dims.stream().map(blocks -> blocks * units).toList())
        .toList();
  }
}
