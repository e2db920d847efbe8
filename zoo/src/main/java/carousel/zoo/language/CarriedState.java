package carousel.zoo.language;

import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Failure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * The recurrent state between two windows: tensors of the scope of the whole text, overwritten by
 * those that a window ends with. So memory stays as it is however long the text.
 */
public final class CarriedState {
  private final TensorScope owner = TensorScope.current();
  private List<RecurrentState> held = List.of();
  private List<RecurrentState> next = List.of();

  /** The state before a text; what is carried belongs to the innermost scope. */
  public CarriedState() {}

  /**
   * The state in the middle of a text.
   *
   * @param like states of the types and shapes that it has
   * @param tensors as {@link #tensors} gave them
   * @throws Failure if they are of another model or batch
   */
  CarriedState(List<RecurrentState> like, Map<String, Tensor> tensors) {
    var restored = new ArrayList<RecurrentState>();
    var unknown = new TreeSet<>(tensors.keySet());
    for (var layer = 0; layer < like.size(); layer++) {
      var zeros = like.get(layer).tensors();
      var own = new ArrayList<Tensor>();
      for (var k = 0; k < zeros.size(); k++) {
        var tensor = tensors.get(name(layer, k));
        if (tensor == null || !type(tensor).equals(type(zeros.get(k)))) {
          throw new Failure(
              String.format(
                  Locale.ROOT,
                  "the carried state '%s' must be %s, the checkpoint holds %s",
                  name(layer, k),
                  type(zeros.get(k)),
                  tensor == null ? "none" : type(tensor)));
        }
        unknown.remove(name(layer, k));
        own.add(owner.adopt(tensor));
      }
      restored.add(RecurrentState.with(like.get(layer), own));
    }
    if (!unknown.isEmpty()) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "the checkpoint holds a carried state '%s' that no layer has",
              unknown.first()));
    }
    held = List.copyOf(restored);
  }

  private static String type(Tensor tensor) {
    return tensor.dtype() + " " + tensor.shape();
  }

  /**
   * What is carried, to be saved.
   *
   * @return the tensors themselves, as {@code <layer>.<number>}; empty before the first window
   */
  Map<String, Tensor> tensors() {
    var tensors = new LinkedHashMap<String, Tensor>();
    for (var layer = 0; layer < held.size(); layer++) {
      var own = held.get(layer).tensors();
      for (var k = 0; k < own.size(); k++) tensors.put(name(layer, k), own.get(k));
    }
    return tensors;
  }

  private static String name(int layer, int k) {
    return layer + "." + k;
  }

  /**
   * What the window at hand begins with.
   *
   * @return constants, into which no gradient flows; empty before the first window, for the layers'
   *     own
   */
  public List<RecurrentState> now() {
    return held;
  }

  /**
   * Notes what the window at hand ends with; {@link #now} does not change yet, since a gradient may
   * still read it.
   *
   * @param end one per cell
   */
  public void endWith(List<RecurrentState> end) {
    next = end;
  }

  /** Goes on to the next window; for when nothing reads what this one began with any more. */
  public void advance() {
    if (held.isEmpty()) {
      var copies = new ArrayList<RecurrentState>();
      for (var state : next) {
        copies.add(RecurrentState.map(state, tensor -> owner.adopt(tensor.detach().copy())));
      }
      held = List.copyOf(copies);
    } else {
      for (var i = 0; i < next.size(); i++) {
        var to = held.get(i).tensors();
        var from = next.get(i).tensors();
        for (var k = 0; k < to.size(); k++) to.get(k).assign(from.get(k));
      }
    }
    next = List.of();
  }
}
