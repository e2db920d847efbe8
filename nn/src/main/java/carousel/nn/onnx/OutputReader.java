package carousel.nn.onnx;

import carousel.nn.onnx.Value.Final;
import carousel.nn.onnx.Value.Flow;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * The outputs of a graph to the chain that gives them: one at most is what layers give, and the others
 * are final states of these layers.
 *
 * @param names the outputs
 * @param values what the names of the graph stand for
 */
record OutputReader(List<String> names, Function<String, Value> values) {
  static final String READ =
      "read are LSTM, GRU, RNN, Gather (of a table), MatMul, Add (of a bias), Gemm,"
          + " LayerNormalization, Transpose (of batch and time), Dropout and Identity";

  Chain chain() {
    var flow = flow();
    checkFinals(flow);
    Chain chain;
    try {
      chain = new Chain(flow.layers());
    } catch (TensorException e) {
      throw new OnnxException("the layers do not fit each other: " + e.getMessage());
    }
    var types = chain.parameters().stream().map(named -> named.value().dtype()).distinct().toList();
    if (types.size() > 1) {
      throw new OnnxException(
          String.format(Locale.ROOT, "the weights are of types %s; one model has one type", types));
    }
    return chain;
  }

  /** The one output that data flowed to; where there are only final states, up to the last of them. */
  private Flow flow() {
    var flows = new ArrayList<Flow>();
    var finals = new ArrayList<Flow>();
    for (var name : names) {
      switch (values.apply(name)) {
        case Flow flow -> flows.add(flow);
        case Final states -> finals.add(states.of());
        case Value.Other other ->
            throw other
                .by()
                .wrong(
                    String.format(
                        Locale.ROOT,
                        "is not read, and the output %s depends on it; %s",
                        OnnxException.quote(name),
                        hint(other.by())));
        default -> {} // what was given
      }
    }
    if (flows.isEmpty()) longest(finals).ifPresent(flows::add);
    if (flows.size() != 1) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "%d outputs of the graph are outputs of layers, one is wanted",
              flows.size()));
    }
    return flows.getFirst();
  }

  static Optional<Flow> longest(List<Flow> flows) {
    return flows.stream().max(Comparator.comparingInt(flow -> flow.layers().size()));
  }

  /** Final states go out with every run, if they are those of layers that it runs. */
  private void checkFinals(Flow flow) {
    for (var name : names) {
      if (values.apply(name) instanceof Final states && !flow.contains(states.of())) {
        throw new OnnxException(
            String.format(
                Locale.ROOT,
                "the output %s is a final state of a layer that does not lead to the other outputs;"
                    + " one chain of layers is wanted",
                OnnxException.quote(name)));
      }
    }
  }

  private String hint(NodeProto node) {
    return node.inputs().stream().anyMatch(this::isFinal)
        ? "it goes on from a final state, which no layer here reads:"
            + " make that state the output, and apply what follows to it"
        : READ;
  }

  private boolean isFinal(String name) {
    return !name.isEmpty() && values.apply(name) instanceof Final;
  }
}
