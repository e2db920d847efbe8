package carousel.zoo.lm;

import carousel.nn.recurrent.State;
import carousel.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * The recurrent state between two windows: tensors of the scope of the whole text, overwritten by
 * those that a window ends with. So memory stays as it is however long the text.
 */
public final class CarriedState {
  private final Scope owner = Scope.current();
  private List<State> held = List.of();
  private List<State> next = List.of();

  /** The state before a text; what is carried belongs to the innermost scope. */
  public CarriedState() {}

  /**
   * What the window at hand begins with.
   *
   * @return constants, into which no gradient flows; empty before the first window, for the layers'
   *     own
   */
  public List<State> now() {
    return held;
  }

  /**
   * Notes what the window at hand ends with; {@link #now} does not change yet, since a gradient may
   * still read it.
   *
   * @param end one per cell
   */
  public void endWith(List<State> end) {
    next = end;
  }

  /** Goes on to the next window; for when nothing reads what this one began with any more. */
  public void advance() {
    if (held.isEmpty()) {
      var copies = new ArrayList<State>();
      for (var state : next) {
        copies.add(State.map(state, tensor -> owner.adopt(tensor.detach().copy())));
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
