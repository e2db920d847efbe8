package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The recurrent state between two windows of a text that is read piece by piece: what one ends with the next begins
 * with, as a constant, through which no gradient flows (truncated backpropagation through time).
 *
 * <pre>{@code
 * var carried = new CarriedState();
 * for (Batch window : batches) {
 *   try (var scope = TensorScope.open()) {
 *     Gradients g = Grad.of(() -> {
 *       Sequence.Run read = model.stack().run(window.x(), carried.now());
 *       carried.endWith(read.states());
 *       return Loss.mse(read.y(), window.y());
 *     }, parameters);
 *     optimizer.step(g);
 *     carried.advance();
 *   }
 * }
 * }</pre>
 *
 * <p>Its tensors belong to the scope that is open when it is made, and {@link #advance} writes into them: memory stays
 * as it is however long the text. After {@link #reset} they are kept for the next text, and so are those of every other
 * number of rows that was carried.
 */
public final class CarriedState {
  private final TensorScope owner = TensorScope.current();

  /** One for each shape that was carried. */
  private final List<List<RecurrentState>> buffers = new ArrayList<>();

  private List<RecurrentState> held = List.of();
  private List<RecurrentState> next = List.of();

  /** The state before a text; what is carried belongs to the innermost scope. */
  public CarriedState() {}

  /**
   * Goes to the middle of a text, as a checkpoint holds it.
   *
   * @param like states of the types and shapes that it has, as a run gives them
   * @param tensors as {@link #tensors} gave them; empty for the state before a text
   * @throws TensorException if they are of another model or another number of rows; nothing is changed then
   */
  public void restore(List<? extends RecurrentState> like, Map<String, Tensor> tensors) {
    if (tensors.isEmpty()) {
      reset();
      return;
    }
    List<RecurrentState> found = new ArrayList<>();
    var unknown = new TreeSet<>(tensors.keySet());
    for (int cell = 0; cell < like.size(); cell++) {
      List<Tensor> wanted = like.get(cell).tensors();
      List<Tensor> own = new ArrayList<>();
      for (int k = 0; k < wanted.size(); k++) {
        String name = name(cell, k);
        Tensor tensor = tensors.get(name);
        if (tensor == null || !isLike(tensor, wanted.get(k))) {
          throw new TensorException(
              "carried state: '"
                  + name
                  + "' must be "
                  + type(wanted.get(k))
                  + ", got "
                  + (tensor == null ? "none" : type(tensor)));
        }
        unknown.remove(name);
        own.add(tensor);
      }
      found.add(RecurrentState.with(like.get(cell), own));
    }
    if (!unknown.isEmpty()) {
      throw new TensorException(
          "carried state: there is a '" + unknown.first() + "', which no cell has");
    }
    next = found; // whatever is carried now
    advance();
  }

  private static String name(int cell, int k) {
    return cell + "." + k;
  }

  private static String type(Tensor tensor) {
    return tensor.dtype() + " " + tensor.shape();
  }

  private static boolean isLike(Tensor a, Tensor b) {
    return a.dtype() == b.dtype() && a.shape().equals(b.shape());
  }

  /**
   * What is carried, to be saved.
   *
   * @return the tensors themselves, as {@code <cell>.<number>}; empty before the first window
   */
  public Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int cell = 0; cell < held.size(); cell++) {
      List<Tensor> own = held.get(cell).tensors();
      for (int k = 0; k < own.size(); k++) {
        tensors.put(name(cell, k), own.get(k));
      }
    }
    return tensors;
  }

  /**
   * What the window at hand begins with, for {@link Sequence#run(Tensor, List)}.
   *
   * @return constants; empty before the first window, for the layers' own
   */
  public List<RecurrentState> now() {
    return held;
  }

  /**
   * Notes what the window at hand ends with. {@link #now} does not change yet, since a gradient may still read it.
   *
   * @param states one per cell, as {@link Sequence.Run#states} gives them
   * @throws TensorException if they are of another model than those that the window began with: of other cells, other
   *     types, or other sizes beside the number of rows; {@link #reset} begins a text of another model
   */
  public void endWith(List<? extends RecurrentState> states) {
    boolean fits = held.isEmpty() || held.size() == states.size();
    for (int cell = 0; fits && cell < held.size(); cell++) {
      fits = isOfOneCell(held.get(cell), states.get(cell));
    }
    if (!fits) {
      throw new TensorException(
          "carried state: the window began with "
              + described(held)
              + " and ends with "
              + described(states)
              + ", which are states of different models; reset() where another one begins");
    }
    next = List.copyOf(states);
  }

  /** Whether two are states of one cell, of however many rows. */
  private static boolean isOfOneCell(RecurrentState a, RecurrentState b) {
    if (a.getClass() != b.getClass()) {
      return false;
    }
    for (int k = 0; k < a.tensors().size(); k++) {
      Tensor one = a.tensors().get(k);
      Tensor other = b.tensors().get(k);
      if (one.dtype() != other.dtype()
          || one.rank() != other.rank()
          || (one.rank() > 0 && !one.shape().without(0).equals(other.shape().without(0)))) {
        return false;
      }
    }
    return true;
  }

  private static String described(List<? extends RecurrentState> states) {
    return states.stream()
        .map(state ->
            state.getClass().getSimpleName()
                + state.tensors().stream().map(CarriedState::type).toList())
        .toList()
        .toString();
  }

  /**
   * Goes on to the next window: when nothing reads what this one began with any more, and while the scope is open in
   * which it was run.
   */
  public void advance() {
    if (!next.isEmpty()) {
      held = buffer();
      for (int i = 0; i < next.size(); i++) {
        List<Tensor> to = held.get(i).tensors();
        List<Tensor> from = next.get(i).tensors();
        for (int k = 0; k < to.size(); k++) {
          to.get(k).assign(from.get(k));
        }
      }
    }
    next = List.of();
  }

  /** Goes back to before a text: the next window begins with the layers' own states. */
  public void reset() {
    held = List.of();
    next = List.of();
  }

  /** Where states like the next ones are written to. */
  private List<RecurrentState> buffer() {
    for (List<RecurrentState> buffer : buffers) {
      if (fits(buffer)) {
        return buffer;
      }
    }
    List<RecurrentState> made =
        next.stream()
            .map(state -> RecurrentState.map(state, tensor -> owner.adopt(tensor.detach().copy())))
            .toList();
    buffers.add(made);
    return made;
  }

  private boolean fits(List<RecurrentState> buffer) {
    if (buffer.size() != next.size()) {
      return false;
    }
    for (int i = 0; i < buffer.size(); i++) {
      List<Tensor> a = buffer.get(i).tensors();
      List<Tensor> b = next.get(i).tensors();
      if (buffer.get(i).getClass() != next.get(i).getClass()) {
        return false;
      }
      for (int k = 0; k < a.size(); k++) {
        if (!isLike(a.get(k), b.get(k))) {
          return false;
        }
      }
    }
    return true;
  }
}
