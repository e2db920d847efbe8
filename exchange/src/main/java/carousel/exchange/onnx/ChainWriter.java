package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.nn.layer.Dropout;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A chain as the graph that it is, its inputs and outputs named and with axes. */
final class ChainWriter {
  private static final String TIME = "time";
  private static final String BATCH = "batch";
  private static final String LENGTHS = "lengths";

  private final Draft draft = new Draft();
  private final List<Graph.Output> finals = new ArrayList<>();
  private final Set<Onnx.Input> wanted;
  private final DataType type;
  private String flow; // the value that the next layer reads
  private String first; // its first axis
  private int recurrent; // how many recurrent layers there are so far

  private ChainWriter(Chain chain, Set<Onnx.Input> wanted) {
    this.wanted = wanted;
    this.type = type(chain);
    this.first = chain.isBatchFirst() ? BATCH : TIME;
    this.flow =
        chain.readsTokens()
            ? draft.input("tokens", DataType.INT64, first, other(first))
            : draft.input(
                "x", type, first, other(first), chain.inputs() < 0 ? "" : chain.inputs() + "");
    if (wanted.contains(Onnx.Input.LENGTHS)) draft.input(LENGTHS, DataType.INT32, BATCH);
  }

  static Graph graph(Chain chain, Set<Onnx.Input> wanted) {
    var writer = new ChainWriter(chain, wanted);
    for (var i = 0; i < chain.layers().size(); i++) {
      writer.layer("layers." + i, chain.layers().get(i));
    }
    var axes =
        chain.keepsAxes() ? List.of(writer.first, other(writer.first), chain.outputs() + "") : null;
    writer.draft.output(new Graph.Output("y", writer.flow, writer.type, axes));
    writer.finals.forEach(writer.draft::output);
    return writer.draft.graph();
  }

  private static DataType type(Chain chain) {
    var types = chain.parameters().stream().map(named -> named.value().dtype()).distinct().toList();
    if (types.size() != 1) {
      throw new OnnxException(
          types.isEmpty()
              ? "there is nothing to export: the layers have no parameters"
              : String.format(
                  Locale.ROOT,
                  "the layers' weights are of types %s; one model has one type",
                  types));
    }
    return DataType.of(types.getFirst());
  }

  private static String other(String axis) {
    return axis.equals(TIME) ? BATCH : TIME;
  }

  private void layer(String path, Layer layer) {
    switch (layer) {
      case Dropout _ -> {} // drops nothing where nothing is trained
      case Stacked stack -> {
        for (var i = 0; i < stack.layers().size(); i++) {
          layer(path + ".layers." + i, stack.layers().get(i));
        }
      }
      case Recurrent<?> one -> recurrent(path, one);
      case Bidirectional pair -> recurrent(path, pair);
      case Sequence other ->
          throw new OnnxException(
              String.format(
                  Locale.ROOT,
                  "%s, %s, cannot be exported: what it computes is not known; %s",
                  path,
                  other.getClass().getSimpleName(),
                  "give the Recurrent, Bidirectional and Stacked layers it is made of"));
      default -> {
        draft.add(layer, List.of(flow), List.of(path));
        flow = path;
        if (layer instanceof Transpose) first = other(first);
      }
    }
  }

  private void recurrent(String path, Sequence layer) {
    LayerWriter.check(path, layer);
    var sides = Graph.directions(layer);
    var states = LayerWriter.stateNames(path, layer);
    var from = new ArrayList<>(List.of(flow));
    from.add(wanted.contains(Onnx.Input.LENGTHS) ? LENGTHS : "");
    var to = new ArrayList<>(List.of(path));
    var dims = new String[] {sides.size() + "", BATCH, sides.getFirst().outputs() + ""};
    for (var state : states) {
      var name = state + "_" + recurrent;
      from.add(
          wanted.contains(Onnx.Input.STATES) ? draft.input("initial_" + name, type, dims) : "");
      to.add("final_" + name);
      finals.add(new Graph.Output("final_" + name, "final_" + name, type, List.of(dims)));
    }
    draft.add(layer, from, to);
    flow = path;
    recurrent++;
  }
}
