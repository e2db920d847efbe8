package carousel.nn.optim;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** All that an optimiser remembers, by {@code <parameter>.<slot>}, and as a checkpoint holds it. */
final class Slots {
  private static final String STEP = "step";
  private static final String RATE = "rate";

  private final Map<String, Tensor> slots = new LinkedHashMap<>();

  /** How often an optimiser stepped, and how far the next time. */
  record Position(int step, double rate) {}

  void add(String name, Tensor slot) {
    slots.put(name, slot);
  }

  /** The slots themselves, and scalars {@code step} and {@code rate}. */
  Map<String, Tensor> saved(Position position) {
    var state = new LinkedHashMap<String, Tensor>(slots);
    state.put(STEP, Tensor.full(DType.F64, position.step));
    state.put(RATE, Tensor.full(DType.F64, position.rate));
    return state;
  }

  /** Overwrites the slots of a rule by those saved, or throws and changes nothing. */
  Position restore(Rule rule, Map<String, Tensor> state) {
    var expected = new HashMap<String, Tensor>(slots);
    try (var comparing = TensorScope.openUnwatched()) {
      expected.put(STEP, Tensor.zeros(DType.F64));
      expected.put(RATE, Tensor.zeros(DType.F64));
      requireLike(rule, expected, state);
    }
    double step = found(state, STEP).item();
    double rate = found(state, RATE).item();
    if (!(step >= 0 && step <= Integer.MAX_VALUE && step == Math.rint(step))) {
      throw new TensorException("optimizer: 'step' must be a number of steps, got " + step);
    }
    if (!(rate >= 0 && Double.isFinite(rate))) {
      throw new TensorException("optimizer: 'rate' must be finite and not negative, got " + rate);
    }
    slots.forEach((name, slot) -> slot.assign(found(state, name)));
    return new Position((int) step, rate);
  }

  private static void requireLike(
      Rule rule, Map<String, Tensor> expected, Map<String, Tensor> state) {
    var missing = new TreeSet<>(expected.keySet());
    missing.removeAll(state.keySet());
    var unknown = new TreeSet<>(state.keySet());
    unknown.removeAll(expected.keySet());
    if (!missing.isEmpty() || !unknown.isEmpty()) {
      throw new TensorException(
          "optimizer: this is no state of "
              + rule
              + " for these parameters: missing "
              + missing
              + ", unknown "
              + unknown);
    }
    expected.forEach((name, slot) -> {
      Tensor given = found(state, name);
      if (given.dtype() != slot.dtype() || !given.shape().equals(slot.shape())) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "optimizer: state '%s' must be %s %s, got %s %s",
                name,
                slot.dtype(),
                slot.shape(),
                given.dtype(),
                given.shape()));
      }
    });
  }

  static Tensor found(Map<String, Tensor> tensors, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new TensorException("optimizer: there is no '" + name + "' in " + tensors.keySet());
    }
    return tensor;
  }
}
