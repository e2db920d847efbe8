package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.nn.Transform;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Residual;
import carousel.nn.layer.Sequential;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Layers one after another, each reading what the one before gives: {@code x [T,N,D]}, or tokens I32
 * {@code [T,N]} if the first is an embedding, {@code → y [T,N,H]}. It is what most ONNX files hold. A
 * {@link Transpose} swaps batch and time: with one in front x is {@code [N,T,D]}, with one more behind
 * y is {@code [N,T,H]}. {@link Operation#last} makes it one output for each row, {@code [N,H]}, as
 * classifiers have.
 *
 * @param layers in order: an {@link Embedding} at the start, {@link Sequence}s, {@link Transform}s such as {@link
 *     Linear} and {@link Transpose}, and {@link Operation}s of one input; a {@link Sequential} counts as what is in it
 */
public record Chain(List<Layer> layers) implements Layer {
  /** Checks that each layer can stand where it stands and reads what the one before gives. */
  public Chain {
    layers = flat(layers);
    if (layers.isEmpty()) {
      throw new TensorException("chain: wants at least one layer, got none");
    }
    int given = -1;
    for (int i = 0; i < layers.size(); i++) {
      var layer = layers.get(i);
      checkKind(layers.subList(0, i), layer);
      int wanted = inputs(layer);
      if (given >= 0 && wanted >= 0 && wanted != given) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "chain: layer %d, %s, reads %d features, layer %d gives %d",
                i,
                name(layer),
                wanted,
                i - 1,
                given));
      }
      given = outputs(layer) < 0 && keepsFeatures(layer) ? given : outputs(layer);
    }
    checkTime(layers);
  }

  /** A {@link Sequential} is what is in it. */
  private static List<Layer> flat(List<? extends Layer> layers) {
    var flat = new ArrayList<Layer>();
    for (var layer : layers) {
      if (layer instanceof Sequential inner) {
        flat.addAll(flat(inner.layers()));
      } else {
        flat.add(layer);
      }
    }
    return List.copyOf(flat);
  }

  /**
   * A chain.
   *
   * @param layers in order
   * @return the chain
   * @throws TensorException if a layer reads other features than the one before gives, or is of a
   *     type that has no place in a chain; the message says what to do
   */
  public static Chain of(Layer... layers) {
    return new Chain(List.of(layers));
  }

  /**
   * What a run gives.
   *
   * @param y {@code [T,N,H]}, or {@code [N,T,H]}; see {@link Chain}
   * @param states the final states, one per cell, in order; pass them on to carry the state
   */
  public record Run(Tensor y, List<RecurrentState> states) {}

  /**
   * Runs all layers.
   *
   * @param x {@code [T,N,D]}, or tokens I32 {@code [T,N]}
   * @param marks for the layers over time; see {@link Sequence#run(Tensor, Marks, List)}
   * @param initial the states to start from, one per cell as {@link Run#states} gave them; empty for
   *     the layers' own
   * @return outputs and final states
   * @throws TensorException if shapes do not fit
   */
  public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
    int cells = layers.stream().mapToInt(l -> l instanceof Sequence s ? s.cells() : 0).sum();
    if (!initial.isEmpty() && initial.size() != cells) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "chain: %d initial states for %d cells; pass on what run(..).states() gave",
              initial.size(),
              cells));
    }
    List<RecurrentState> states = new ArrayList<>();
    Tensor y = x;
    for (Layer layer : layers) {
      y =
          switch (layer) {
            case Transform transform -> transform.apply(y);
            case Operation operation -> operation.apply(y);
            case Sequence sequence -> {
              int from = states.size();
              var own =
                  initial.isEmpty() ? initial : initial.subList(from, from + sequence.cells());
              var run = sequence.run(y, marks, own);
              states.addAll(run.states());
              yield run.y();
            }
            default -> throw new AssertionError(layer); // the constructor took no other
          };
    }
    return new Run(y, List.copyOf(states));
  }

  /**
   * Runs all layers from their own initial states, over rows of one length.
   *
   * @param x {@code [T,N,D]}, or tokens I32 {@code [T,N]}
   * @return outputs and final states
   */
  public Run run(Tensor x) {
    return run(x, Marks.none(), List.of());
  }

  /**
   * Runs all layers from their own initial states, over rows of different lengths.
   *
   * @param x {@code [T,N,D]}, or tokens I32 {@code [T,N]}
   * @param lengths I32 {@code [N]}
   * @return outputs and final states
   */
  public Run run(Tensor x, Tensor lengths) {
    return run(x, Marks.ofLengths(lengths), List.of());
  }

  /**
   * Runs all layers from given states, over rows of one length.
   *
   * @param x {@code [T,N,D]}, or tokens I32 {@code [T,N]}
   * @param initial the states to start from, one per cell as {@link Run#states} gave them
   * @return outputs and final states
   */
  public Run run(Tensor x, List<? extends RecurrentState> initial) {
    return run(x, Marks.none(), initial);
  }

  /**
   * Runs all layers from their own initial states, over rows of one length.
   *
   * @param x {@code [T,N,D]}, or tokens I32 {@code [T,N]}
   * @return {@code [T,N,H]}
   */
  public Tensor apply(Tensor x) {
    return run(x).y();
  }

  /** The features of what the first layer reads that says so. */
  int inputs() {
    return layers.stream().mapToInt(Chain::inputs).filter(size -> size >= 0).findFirst().orElse(-1);
  }

  /** The features of what the last layer gives. */
  int outputs() {
    return layers.reversed().stream()
        .mapToInt(layer -> outputs(layer) < 0 ? inputs(layer) : outputs(layer))
        .filter(size -> size >= 0)
        .findFirst()
        .orElse(-1);
  }

  private static int inputs(Layer layer) {
    return switch (layer) {
      case Linear linear -> linear.weight().value().dim(0);
      case TiedLinear tied -> tied.weight().value().dim(1);
      case LayerNorm norm -> norm.gain().value().dim(Tensor.LAST);
      case Residual residual -> inputs(residual.f());
      case Sequence sequence -> sequence.inputs();
      default -> -1;
    };
  }

  private static int outputs(Layer layer) {
    return switch (layer) {
      case Embedding embedding -> embedding.weight().value().dim(1);
      case Linear linear -> linear.weight().value().dim(1);
      case TiedLinear tied -> tied.weight().value().dim(0);
      case Sequence sequence -> sequence.outputs();
      default -> -1;
    };
  }

  private static boolean keepsFeatures(Layer layer) {
    return !(layer instanceof Operation operation) || operation.keepsShape();
  }

  /** Whether what it gives has the axes of what it reads, but for the last. */
  boolean keepsAxes() {
    return layers.stream().allMatch(Chain::keepsFeatures);
  }

  /** Whether batch and time are swapped before the first layer with a state. */
  boolean isBatchFirst() {
    return isBatchFirst(layers);
  }

  private static boolean isBatchFirst(List<Layer> layers) {
    return layers.stream()
                .takeWhile(layer -> !(layer instanceof Sequence))
                .filter(Transpose.class::isInstance)
                .count()
            % 2
        == 1;
  }

  /** All layers with a state go along the same axis. */
  private static void checkTime(List<Layer> layers) {
    boolean isSwapped = isBatchFirst(layers);
    int swaps = 0;
    for (int i = 0; i < layers.size(); i++) {
      if (layers.get(i) instanceof Transpose) {
        swaps++;
      }
      if (layers.get(i) instanceof Sequence && (swaps % 2 == 1) != isSwapped) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "chain: layer %d, %s, reads batch and time swapped, the sequences before it do not;"
                    + " a Transpose is missing or too many",
                i,
                name(layers.get(i))));
      }
    }
  }

  /** Whether a run is given tokens. */
  boolean readsTokens() {
    return layers.stream().filter(layer -> !(layer instanceof Transpose)).findFirst().orElse(null)
        instanceof Embedding;
  }

  private static void checkKind(List<Layer> before, Layer layer) {
    int place = before.size();
    switch (layer) {
      case Embedding _ when before.stream().allMatch(Transpose.class::isInstance) -> {}
      case Embedding _ ->
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "chain: layer %d is an Embedding, which reads tokens; it can only come first",
                  place));
      case Transform _, Sequence _ -> {}
      case Operation operation when operation.inputs() == 1 -> {}
      case Operation operation ->
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "chain: layer %d, %s, reads %d tensors; in a chain each layer reads one, a Draft has no such bound",
                  place,
                  operation.operator(),
                  operation.inputs()));
      default ->
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "chain: layer %d, %s, is not a layer whose inputs and outputs are known here; %s",
                  place,
                  name(layer),
                  advice(layer)));
    }
  }

  /** Who hands over a whole model most likely means the layers in it. */
  private static String advice(Layer layer) {
    String parts =
        layer instanceof Record
            ? Stream.of(layer.getClass().getRecordComponents())
                .filter(part -> Layer.class.isAssignableFrom(part.getType()))
                .map(RecordComponent::getName)
                .collect(Collectors.joining("(), model."))
            : "";
    return parts.isEmpty()
        ? "give sequences, Transforms and Operations"
        : String.format(
            Locale.ROOT,
            "give the layers it is made of, in order, as in Chain.of(model.%s())",
            parts);
  }

  private static String name(Layer layer) {
    return layer.getClass().getSimpleName();
  }
}
