package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Residual;
import carousel.nn.layer.Sequential;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.MappedSequence;
import carousel.nn.recurrent.ResidualSequence;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Graph} that is put together step by step; values go by names.
 *
 * <pre>{@code
 * Draft draft = new Draft();
 * String x = draft.input("x", DataType.FLOAT, "time", "batch", "8");
 * String y = draft.add(model.stack(), x);
 * String sum = draft.add(Operation.add(), x, y);                        // a residual
 * String last = draft.add(Operation.last(), sum);
 * draft.output("classes", draft.add(Operation.softmax(), draft.add(model.head(), last)));
 * Onnx.save(path, draft.graph());
 * }</pre>
 */
public final class Draft {
  private final List<Graph.Input> inputs = new ArrayList<>();
  private final List<Graph.Step> steps = new ArrayList<>();
  private final List<Graph.Output> outputs = new ArrayList<>();
  private final Map<String, Graph.Step> makers = new HashMap<>();
  private final Map<String, Integer> ranks = new HashMap<>();
  private final Map<String, DataType> types = new HashMap<>();
  private final Set<String> names = new HashSet<>();

  /** Nothing yet. */
  public Draft() {}

  /**
   * Declares what a run is given.
   *
   * @param name its name
   * @param type its type in a file
   * @param dims its axes, a size or a name each
   * @return its name
   */
  public String input(String name, DataType type, String... dims) {
    return input(new Graph.Input(name, type, List.of(dims)));
  }

  String input(Graph.Input input) {
    inputs.add(input);
    names.add(input.name());
    types.put(input.name(), input.type());
    if (input.dims() != null) {
      ranks.put(input.name(), input.dims().size());
    }
    return input.name();
  }

  /**
   * Adds a layer.
   *
   * @param layer one of those of {@link Graph.Step}, or one that is made of such: a {@link Stacked}, a {@link
   *     Sequential}, a residual, a sequence with transforms behind it
   * @param from the values it reads
   * @return the name of what it gives: of a sequence, its outputs; {@link #finals} are the rest
   */
  public String add(Layer layer, String... from) {
    return switch (layer) {
      case Stacked stack -> inTurn(stack.layers(), from);
      case Sequential layers -> inTurn(layers.layers(), from);
      case MappedSequence mapped -> add(mapped.maps(), add(mapped.layer(), from));
      case ResidualSequence residual -> add(Operation.add(), from[0], add(residual.layer(), from));
      case Residual residual -> add(Operation.add(), from[0], add(residual.f(), from));
      case Activation.IDENTITY -> from[0];
      case Activation activation -> add(Operation.of(activation), from);
      default -> one(layer, from);
    };
  }

  private String inTurn(List<? extends Layer> layers, String... from) {
    var y = from;
    for (var layer : layers) {
      y = new String[] {add(layer, y)};
    }
    return y[0];
  }

  private String one(Layer layer, String... from) {
    var to = new ArrayList<>(List.of(fresh("layers." + steps.size())));
    if (layer instanceof Sequence sequence) {
      for (int i = 0; i < Graph.states(sequence); i++) {
        to.add(fresh(to.getFirst() + (i == 0 ? ".h" : ".c")));
      }
    }
    add(layer, Arrays.asList(from), to);
    return to.getFirst();
  }

  /**
   * The final states of a sequence: h and, of an LSTM, c, each {@code [directions,N,H]}.
   *
   * @param y what {@link #add} gave for it
   * @return the names of its states
   * @throws TensorException if it is no sequence
   */
  public List<String> finals(String y) {
    var step = maker(y);
    if (step == null || !(step.layer() instanceof Sequence)) {
      throw new TensorException(
          String.format(Locale.ROOT, "draft: %s is not what a sequence gives", y));
    }
    return step.to().subList(1, step.to().size());
  }

  /**
   * Declares what a run gives.
   *
   * @param name its name
   * @param value which value it is
   * @param dims its axes, a size or a name each; none if they need not be said
   */
  public void output(String name, String value, String... dims) {
    var type = types.getOrDefault(value, DataType.FLOAT);
    output(new Graph.Output(name, value, type, dims.length == 0 ? null : List.of(dims)));
  }

  void output(Graph.Output output) {
    outputs.add(output);
  }

  void add(Layer layer, List<String> from, List<String> to) {
    var step = new Graph.Step(layer, from, to);
    steps.add(step);
    for (var name : to) {
      if (name.isEmpty()) {
        continue;
      }
      names.add(name);
      makers.put(name, step);
    }
    int x = from.isEmpty() ? -1 : rank(from.getFirst());
    int y =
        switch (layer) {
          case Sequence _ -> 3;
          case Embedding _ -> x < 0 ? -1 : x + 1;
          case Operation operation -> Ranks.of(operation, from, this::rank);
          default -> x;
        };
    if (y >= 0) {
      for (var name : to) {
        if (!name.isEmpty()) {
          ranks.put(name, y);
        }
      }
    }
    var type = typed(layer, from);
    if (type != null) {
      for (var name : to) {
        if (!name.isEmpty()) {
          types.put(name, type);
        }
      }
    }
  }

  /** The type of what a layer gives; null if that is not known. */
  private @Nullable DataType typed(Layer layer, List<String> from) {
    return switch (layer) {
      case Transpose _, Dropout _ -> type(from.getFirst());
      case Operation operation -> Types.of(operation, from, this::type);
      default -> weights(layer);
    };
  }

  /** The type of a layer's weights; null if it has none, or is not known here. */
  static @Nullable DataType weights(Layer layer) {
    return switch (layer) {
      case Embedding embedding -> DataType.of(embedding.weight().value().dtype());
      case Linear linear -> DataType.of(linear.weight().value().dtype());
      case TiedLinear tied -> DataType.of(tied.weight().value().dtype());
      case LayerNorm norm -> DataType.of(norm.gain().value().dtype());
      case Sequence sequence ->
          DataType.of(
              Graph.directions(sequence).getFirst().cell().zero(1).tensors().getFirst().dtype());
      default -> null;
    };
  }

  /** The type of a value; null if that is not known. */
  @Nullable DataType type(String name) {
    return types.get(name);
  }

  /** Names that steps of a file bear, which others must not. */
  void reserve(Collection<String> taken) {
    names.addAll(taken);
  }

  /** A name that nothing has. */
  String fresh(String wish) {
    String name = wish;
    for (int i = 2; !names.add(name); i++) {
      name = wish + "." + i;
    }
    return name;
  }

  /** What gives a value; null for an input. */
  Graph.@Nullable Step maker(String name) {
    return makers.get(name);
  }

  /** What was cast from one kind of whole numbers to the other, where both are read alike. */
  String uncast(String name) {
    var step = maker(name);
    if (step == null
        || !(step.layer() instanceof Operation operation)
        || !operation.operator().equals("Cast")
        || step.from().isEmpty()) {
      return name;
    }
    var before = type(step.from().getFirst());
    var after = type(name);
    if (before == null || after == null) {
      return name;
    }
    boolean areWhole = before.dtype() == DType.I32 && after.dtype() == DType.I32;
    return areWhole ? uncast(step.from().getFirst()) : name;
  }

  /** How many axes a value has; −1 if that is not known. */
  int rank(String name) {
    return ranks.getOrDefault(name, -1);
  }

  /** The layer that gives a value first of all it gives; null if it is another, or an input. */
  <L extends Layer> @Nullable L layer(String name, Class<L> kind) {
    var step = maker(name);
    return step != null && step.to().getFirst().equals(name) && kind.isInstance(step.layer())
        ? kind.cast(step.layer())
        : null;
  }

  /**
   * The graph of all that leads to the outputs.
   *
   * @return the graph
   * @throws TensorException if something is read that nothing gives
   */
  public Graph graph() {
    var needed = new HashSet<String>();
    outputs.forEach(output -> needed.add(output.value()));
    var kept = new ArrayList<Graph.Step>();
    for (var step : steps.reversed()) {
      if (step.to().stream().noneMatch(needed::contains)) {
        continue;
      }
      kept.addFirst(step);
      needed.addAll(step.from());
    }
    return new Graph(
        inputs.stream().filter(input -> needed.contains(input.name())).toList(), kept, outputs);
  }
}
