package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.nn.Transform;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What an ONNX file computes: layers where there are such, {@link Operation}s for what is between them.
 *
 * <pre>{@code
 * Graph graph = Onnx.load(path);
 * Tensor logits = graph.apply(tokens);                           // its inputs in order, its first output
 * Map<String, Tensor> all = graph.run(Map.of("tokens", tokens)); // by the names that the file has
 * Chain chain = graph.chain();                                   // if it is layers one after another
 * }</pre>
 *
 * <p>All of it has gradients, and {@code parameters()} are its weights, so it can be trained on. {@link
 * Draft} puts one together by hand.
 *
 * @param inputs what a run is given
 * @param steps in an order in which they can run
 * @param outputs what a run gives
 */
public record Graph(List<Input> inputs, List<Step> steps, List<Output> outputs) implements Layer {
  /**
   * What a run is given.
   *
   * @param name its name
   * @param type its type in a file
   * @param dims its axes: a size or a name each, or nothing; null if they are not known
   */
  public record Input(String name, DataType type, @Nullable List<String> dims) {}

  /**
   * What a run gives.
   *
   * @param name its name
   * @param value which value it is: an input, or what a step gives
   * @param type its type in a file
   * @param dims its axes, as of an input
   */
  public record Output(String name, String value, DataType type, @Nullable List<String> dims) {}

  /**
   * A layer, the names of the values that it reads, and of those that it gives.
   *
   * <p>A {@link Recurrent} or a {@link Bidirectional} reads x {@code [T,N,D]}, lengths I32 {@code [N]} and
   * initial states {@code [directions,N,H]}, h and, of an LSTM, c; each but x may be left out, an empty name.
   * It gives y {@code [T,N,..]} and as many final states.
   *
   * @param layer a {@link Transform}, such as an {@link carousel.nn.layer.Embedding} or a {@link Transpose}; a {@link
   *     Recurrent}, {@link Bidirectional} or {@link Operation}
   * @param from what it reads
   * @param to what it gives; an empty name for what nobody reads
   */
  public record Step(Layer layer, List<String> from, List<String> to) {
    /** Copies the lists. */
    public Step {
      from = List.copyOf(from);
      to = List.copyOf(to);
    }
  }

  /** Checks that whatever is read was given before. */
  public Graph {
    inputs = List.copyOf(inputs);
    steps = List.copyOf(steps);
    outputs = List.copyOf(outputs);
    var given = new HashSet<String>();
    for (var input : inputs) {
      add(given, input.name());
    }
    for (var step : steps) {
      for (var name : step.from()) {
        if (!name.isEmpty() && !given.contains(name)) {
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "graph: %s is read before anything gives it",
                  OnnxException.quote(name)));
        }
      }
      for (var name : step.to()) {
        if (!name.isEmpty()) {
          add(given, name);
        }
      }
    }
    for (var output : outputs) {
      if (!given.contains(output.value())) {
        throw new TensorException(
            "graph: nothing gives the output " + OnnxException.quote(output.name()));
      }
    }
  }

  private static void add(HashSet<String> given, String name) {
    if (!given.add(name)) {
      throw new TensorException(
          String.format(Locale.ROOT, "graph: %s is given twice", OnnxException.quote(name)));
    }
  }

  /**
   * Runs it.
   *
   * @param given what it reads, by name; I32 also where a file wants INT64
   * @return its outputs, by name
   * @throws TensorException if an input is missing, or has not the type, the number of axes or the sizes that
   *     are declared, or shapes do not fit; the message names the input or the step
   */
  public Map<String, Tensor> run(Map<String, Tensor> given) {
    var values = new HashMap<String, Tensor>();
    for (var input : inputs) {
      Tensor value = given.get(input.name());
      if (value == null || given.size() > inputs.size()) {
        throw new TensorException(
            String.format(Locale.ROOT, "graph: reads %s, got %s", inputs, given.keySet()));
      }
      check(input, value);
      values.put(input.name(), value);
    }
    for (var step : steps) {
      List<Tensor> made;
      try {
        made = run(step, values);
      } catch (TensorException e) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "graph: %s: %s",
                OnnxException.quote(step.to().getFirst()),
                e.getMessage()));
      }
      for (int i = 0; i < step.to().size(); i++) {
        values.put(step.to().get(i), made.get(i));
      }
    }
    var outputs = new LinkedHashMap<String, Tensor>();
    for (var output : outputs()) {
      outputs.put(output.name(), value(values, output.value()));
    }
    return outputs;
  }

  /** An axis that has a name, or nothing, may be of any size. */
  private static void check(Input input, Tensor x) {
    var dims = input.dims();
    boolean fits = x.dtype() == input.type().dtype() && (dims == null || dims.size() == x.rank());
    for (int axis = 0; fits && dims != null && axis < x.rank(); axis++) {
      fits = !dims.get(axis).matches("[0-9]+") || dims.get(axis).equals(x.dim(axis) + "");
    }
    if (fits) {
      return;
    }
    throw new TensorException(
        String.format(
            Locale.ROOT,
            "graph: input %s is %s %s, got %s %s",
            OnnxException.quote(input.name()),
            input.type(),
            dims == null ? "of any shape" : dims,
            x.dtype(),
            x.shape()));
  }

  /**
   * Runs it.
   *
   * @param x what it reads, in the order of {@link #inputs}
   * @return its first output
   * @throws TensorException as {@link #run}
   */
  public Tensor apply(Tensor... x) {
    if (x.length != inputs.size()) {
      throw new TensorException(
          String.format(Locale.ROOT, "graph: reads %s, got %d tensors", inputs, x.length));
    }
    var given = new HashMap<String, Tensor>();
    for (int i = 0; i < x.length; i++) {
      given.put(inputs.get(i).name(), x[i]);
    }
    return value(run(given), outputs.getFirst().name());
  }

  /**
   * This as layers one after another, which a chain is; final states are then {@link Chain.Run#states}.
   *
   * @return a chain that shares the layers
   * @throws OnnxException if it is none; the message says what keeps it from being one
   */
  public Chain chain() {
    return new ChainReader(this).chain();
  }

  private static Tensor value(Map<String, Tensor> values, String name) {
    Tensor value = values.get(name);
    if (value == null) {
      throw new AssertionError(name);
    } // the constructor has looked
    return value;
  }

  private static List<Tensor> run(Step step, Map<String, Tensor> values) {
    Tensor x = values.get(step.from().isEmpty() ? "" : step.from().getFirst());
    return switch (step.layer()) {
      case Operation operation ->
          operation.run(
              step.from().stream().map(name -> value(values, name)).toList(), step.to().size());
      case Sequence sequence -> scan(step, sequence, values);
      case Transform transform when x != null -> List.of(transform.apply(x));
      default ->
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "%s is no layer whose inputs and outputs are known here",
                  step.layer().getClass().getSimpleName()));
    };
  }

  private static List<Tensor> scan(Step step, Sequence layer, Map<String, Tensor> values) {
    var names = step.from();
    Tensor x = value(values, names.getFirst());
    if (x.rank() != 3) {
      throw new TensorException("x must be [T,N,D], got " + x.shape());
    }
    Tensor lengths = names.size() > 1 ? values.get(names.get(1)) : null;
    var given = new ArrayList<@Nullable Tensor>();
    for (var name : names.subList(Math.min(2, names.size()), names.size())) {
      given.add(values.get(name));
    }
    boolean isOwn = given.stream().allMatch(state -> state == null);
    var initial = isOwn ? List.<RecurrentState>of() : initial(layer, given, x.dim(1));
    var run = layer.run(x, Marks.ofLengths(lengths), initial);
    var made = new ArrayList<>(List.of(run.y()));
    for (int i = 0; i < step.to().size() - 1; i++) {
      int index = i;
      made.add(Tensor.stack(run.states().stream().map(s -> s.tensors().get(index)).toList(), 0));
    }
    return made;
  }

  /** States of each direction; where one tensor is given and another is not, that is the layer's own. */
  private static List<RecurrentState> initial(
      Sequence layer, List<@Nullable Tensor> given, int batch) {
    var states = new ArrayList<RecurrentState>();
    var sides = directions(layer);
    for (int d = 0; d < sides.size(); d++) {
      var side = sides.get(d);
      var zero = side.cell().zero(batch);
      var tensors = new ArrayList<Tensor>();
      for (int i = 0; i < zero.tensors().size(); i++) {
        Tensor state = i < given.size() ? given.get(i) : null;
        if (state != null && (state.rank() != 3 || state.dim(0) != sides.size())) {
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "an initial state must be [%d,%d,%d], got %s",
                  sides.size(),
                  batch,
                  side.outputs(),
                  state.shape()));
        }
        tensors.add(state != null ? state.select(0, d) : own(side, zero, i));
      }
      states.add(RecurrentState.with(zero, tensors));
    }
    return states;
  }

  private static Tensor own(Recurrent<?> side, RecurrentState zero, int index) {
    Tensor zeros = zero.tensors().get(index);
    return side.start().isEmpty() ? zeros : side.start().get(index).value().expand(zeros.shape());
  }

  /** The one or two scans of a layer. */
  static List<Recurrent<?>> directions(Sequence layer) {
    return switch (layer) {
      case Recurrent<?> one -> List.of(one);
      case Bidirectional pair -> List.of(pair.forward(), pair.backward());
      default ->
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "%s is no Recurrent or Bidirectional layer; give the layers it is made of",
                  layer.getClass().getSimpleName()));
    };
  }

  /** How many tensors the states of a layer have. */
  static int states(Sequence layer) {
    return directions(layer).getFirst().cell().zero(1).tensors().size();
  }

  /** The type of its weights; F32 where it has none. */
  DType weightType() {
    var types = parameters().stream().map(named -> named.value().dtype()).distinct().toList();
    if (types.size() > 1) {
      throw new OnnxException(
          String.format(
              Locale.ROOT, "the layers' weights are of types %s; one model has one type", types));
    }
    return types.isEmpty() ? DType.F32 : types.getFirst();
  }

  /** A line for each step. */
  @Override
  public String toString() {
    return steps.stream()
        .map(step ->
            String.format(Locale.ROOT, "%s %s → %s", name(step.layer()), step.from(), step.to()))
        .collect(Collectors.joining("\n"));
  }

  private static String name(Layer layer) {
    return layer instanceof Operation operation
        ? operation.operator()
        : layer.getClass().getSimpleName();
  }
}
