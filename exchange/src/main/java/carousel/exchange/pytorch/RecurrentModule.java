package carousel.exchange.pytorch;

import carousel.tensor.op.GateOrder;
import java.util.Optional;
import java.util.Set;

/**
 * One {@code nn.RNN}, {@code nn.LSTM}, {@code nn.GRU}, or one of their cells, by the names that it has
 * in a {@code state_dict}. All its layers and directions have biases, or none has.
 *
 * @param path where it is in the model, e.g. {@code encoder.rnn}; empty if it is the model
 */
record RecurrentModule(String path) {
  /** The order of an {@code nn.LSTM}'s gates, by the names that our cells have for them. */
  static final GateOrder LSTM = GateOrder.of("i", "f", "g", "o");

  /** That of an {@code nn.GRU}. */
  static final GateOrder GRU = GateOrder.of("r", "z", "n");

  /** That of an {@code nn.RNN}, which has no gates: one block. */
  static final GateOrder RNN = GateOrder.of("h");

  String name(String own) {
    return path.isEmpty() ? own : path + "." + own;
  }

  boolean isBias(String name) {
    return name.startsWith(name("bias_"));
  }

  boolean isWeight(String name) {
    return name.startsWith(name("weight_"));
  }

  boolean isName(String name) {
    return isWeight(name) || isBias(name);
  }

  /** Whether it was made with {@code bias=False}; not so if nothing of it is there. */
  boolean isWithoutBias(Set<String> names) {
    return names.stream().anyMatch(this::isWeight) && names.stream().noneMatch(this::isBias);
  }

  /** What projects h in a module that was made with {@code proj_size}. */
  Optional<String> projection(Set<String> names) {
    return names.stream().filter(name -> name.startsWith(name("weight_hr"))).findFirst();
  }

  @Override
  public String toString() {
    return path.isEmpty() ? "the model" : path;
  }
}
