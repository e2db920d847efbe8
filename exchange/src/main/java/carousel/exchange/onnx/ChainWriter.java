package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Residual;
import carousel.nn.layer.Sequential;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.MappedSequence;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.ResidualSequence;
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
    if (wanted.contains(Onnx.Input.LENGTHS)) {
      draft.input(LENGTHS, DataType.INT32, BATCH);
    }
  }

  static Graph graph(Chain chain, Set<Onnx.Input> wanted) {
    var writer = new ChainWriter(chain, wanted);
    for (int i = 0; i < chain.layers().size(); i++) {
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
      case Activation.IDENTITY -> {}
      case Activation activation -> step(path, Operation.of(activation));
      case Sequential layers -> {
        for (int i = 0; i < layers.layers().size(); i++) {
          layer(path + "." + i, layers.layers().get(i));
        }
      }
      case Residual residual -> added(path, ".f", residual.f());
      case ResidualSequence residual -> {
        requireWhole(path, residual);
        added(path, ".layer", residual.layer());
      }
      case MappedSequence mapped -> {
        requireWhole(path, mapped);
        layer(path + ".layer", mapped.layer());
        layer(path + ".maps", mapped.maps());
      }
      case Stacked stack -> {
        for (int i = 0; i < stack.layers().size(); i++) {
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
        step(path, layer);
        if (layer instanceof Transpose) {
          first = other(first);
        }
      }
    }
  }

  private void step(String path, Layer layer) {
    draft.add(layer, List.of(flow), List.of(path));
    flow = path;
  }

  /** What a layer gives, and what it reads. */
  private void added(String path, String part, Layer layer) {
    String before = flow;
    layer(path + part, layer);
    draft.add(Operation.add(), List.of(before, flow), List.of(path));
    flow = path;
  }

  /** Past a row's end such layers give 0, and what they are written as does not. */
  private void requireWhole(String path, Sequence layer) {
    if (!wanted.contains(Onnx.Input.LENGTHS)) {
      return;
    }
    throw new OnnxException(
        String.format(
            Locale.ROOT,
            "%s, %s, cannot be exported with LENGTHS: past a row's length its outputs are 0, those of the file would"
                + " not be; leave LENGTHS out, or give its parts as layers of the chain",
            path,
            layer.getClass().getSimpleName()));
  }

  private void recurrent(String path, Sequence layer) {
    RecurrentWriter.check(path, layer);
    var sides = Graph.directions(layer);
    var states = RecurrentWriter.stateNames(path, layer);
    var from = new ArrayList<>(List.of(flow));
    from.add(wanted.contains(Onnx.Input.LENGTHS) ? LENGTHS : "");
    var to = new ArrayList<>(List.of(path));
    var dims = new String[] {sides.size() + "", BATCH, sides.getFirst().outputs() + ""};
    for (var state : states) {
      String name = state + "_" + recurrent;
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
