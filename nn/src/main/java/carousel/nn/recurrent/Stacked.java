package carousel.nn.recurrent;

import carousel.nn.check.Operands;
import carousel.nn.layer.Dropout;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Layers over time on top of each other, each reading the outputs of the one below; dropout between
 * them, never through time: {@code x [T,N,D] → y [T,N,H]}.
 *
 * <p>Source: the non-recurrent dropout is that of Zaremba, Sutskever and Vinyals 2014.
 *
 * @param layers from the bottom to the top, at least one
 * @param dropout applied to the outputs of every layer but the top one
 */
public record Stacked(List<Sequence> layers, Dropout dropout) implements Sequence {
  /** Checks that each layer reads what the one below gives. */
  public Stacked {
    Operands.present("stack", "layers", layers);
    Operands.present("stack", "dropout", dropout);
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new TensorException("stack: wants at least one layer, got none");
    }
    for (int i = 1; i < layers.size(); i++) {
      if (layers.get(i).inputs() != layers.get(i - 1).outputs()) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "stack: layer %d reads %d features, layer %s gives %d",
                i,
                layers.get(i).inputs(),
                i - 1,
                layers.get(i - 1).outputs()));
      }
    }
  }

  /**
   * Layers without dropout.
   *
   * @param layers from the bottom to the top
   * @return the stack
   */
  public static Stacked of(Sequence... layers) {
    return new Stacked(List.of(layers), new Dropout(0));
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
  public int cells() {
    return layers.stream().mapToInt(Sequence::cells).sum();
  }

  @Override
  public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
    if (!initial.isEmpty() && initial.size() != cells()) {
      throw new TensorException(
          "stack: "
              + initial.size()
              + " initial states for "
              + cells()
              + " cells; pass on what run(..).states() gave");
    }
    List<RecurrentState> states = new ArrayList<>();
    Tensor y = x;
    Tensor last = x;
    for (int i = 0; i < layers.size(); i++) {
      Sequence layer = layers.get(i);
      int from = states.size();
      var own = initial.isEmpty() ? initial : initial.subList(from, from + layer.cells());
      Run run = layer.run(i == 0 ? x : dropout.apply(y), marks, own);
      states.addAll(run.states());
      y = run.y();
      last = run.last();
    }
    return new Run(y, last, List.copyOf(states));
  }
}
