package carousel.nn.recurrent;

import carousel.nn.Dropout;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Layers over time on top of each other, each reading the outputs of the one below; dropout between
 * them, never through time: {@code x [T,N,D] → y [T,N,H]}.
 *
 * <p>Source: the non-recurrent dropout is that of Zaremba, Sutskever and Vinyals 2014.
 *
 * @param layers from the bottom to the top, at least one
 * @param dropout applied to the outputs of every layer but the top one
 */
public record Stack(List<Sequence> layers, Dropout dropout) implements Sequence {
  /** Checks that each layer reads what the one below gives. */
  public Stack {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new TensorException("stack: wants at least one layer, got none");
    }
    for (int i = 1; i < layers.size(); i++) {
      if (layers.get(i).inputs() != layers.get(i - 1).outputs()) {
        throw new TensorException(
            "stack: layer "
                + i
                + " reads "
                + layers.get(i).inputs()
                + " features, layer "
                + (i - 1)
                + " gives "
                + layers.get(i - 1).outputs());
      }
    }
  }

  /**
   * Layers without dropout.
   *
   * @param layers from the bottom to the top
   * @return the stack
   */
  public static Stack of(Sequence... layers) {
    return new Stack(List.of(layers), new Dropout(0));
  }

  @Override
  public int inputs() {
    return layers.getFirst().inputs();
  }

  @Override
  public int outputs() {
    return layers.getLast().outputs();
  }

  @Override
  public Run run(Tensor x, List<? extends State> initial, @Nullable Tensor lengths) {
    List<State> states = new ArrayList<>();
    int used = cells(layers.getFirst());
    Run run = layers.getFirst().run(x, part(initial, 0, used), lengths);
    states.addAll(run.states());
    for (Sequence layer : layers.subList(1, layers.size())) {
      int next = used + cells(layer);
      run = layer.run(dropout.apply(run.y()), part(initial, used, next), lengths);
      states.addAll(run.states());
      used = next;
    }
    checkCount(initial, used, true);
    return new Run(run.y(), run.last(), List.copyOf(states));
  }

  private List<? extends State> part(List<? extends State> initial, int from, int to) {
    if (initial.isEmpty()) {
      return initial;
    }
    checkCount(initial, to, false);
    return initial.subList(from, to);
  }

  private static int cells(Sequence layer) {
    return switch (layer) {
      case Bidirectional pair -> 2;
      case Stack stack -> stack.layers.stream().mapToInt(Stack::cells).sum();
      default -> 1;
    };
  }

  private void checkCount(List<? extends State> initial, int wanted, boolean exactly) {
    boolean none = initial.isEmpty();
    if (!none && (initial.size() < wanted || (exactly && initial.size() != wanted))) {
      throw new TensorException(
          "stack: "
              + initial.size()
              + " initial states for "
              + cells(this)
              + " cells; pass on what run(..).states() gave");
    }
  }
}
