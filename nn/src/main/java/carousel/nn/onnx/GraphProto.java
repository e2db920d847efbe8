package carousel.nn.onnx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The graph of a file.
 *
 * @param nodes in an order in which they can run
 * @param tensors the weights, by name
 * @param inputs names of what is given to a run, some of them also names of tensors
 * @param outputs names of what a run gives
 * @param fileBytes the size of the file
 */
record GraphProto(
    List<NodeProto> nodes,
    Map<String, TensorProto> tensors,
    List<String> inputs,
    List<String> outputs,
    long fileBytes) {
  /** Before it, operators of this name were others. */
  private static final int OLDEST_OPSET = 7;

  /** The graph of a model file. */
  static GraphProto ofModel(byte[] file) {
    var in = new WireReader(file);
    GraphProto graph = null;
    var opset = 0L;
    while (in.next()) {
      switch (in.field()) {
        case 7 -> {
          if (graph != null) throw new OnnxException("the model holds two graphs");
          graph = read(in.message(), file.length);
        }
        case 8 -> opset = Math.max(opset, opset(in.message()));
        default -> in.skip();
      }
    }
    if (graph == null) throw new OnnxException("no ONNX model: it holds no graph");
    if (opset < OLDEST_OPSET) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "the operators are those of version %d, read are %d and later",
              opset,
              OLDEST_OPSET));
    }
    return graph;
  }

  /** The version of ONNX's own operators, 0 where it is about those of others. */
  private static long opset(WireReader in) {
    var domain = "";
    var version = 0L;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> domain = in.text();
        case 2 -> version = in.integer();
        default -> in.skip();
      }
    }
    return domain.isEmpty() || domain.equals("ai.onnx") ? version : 0;
  }

  private static GraphProto read(WireReader in, long fileBytes) {
    var graph =
        new GraphProto(
            new ArrayList<>(),
            new LinkedHashMap<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            fileBytes);
    while (in.next()) {
      switch (in.field()) {
        case 1 -> graph.nodes.add(NodeProto.read(in.message()));
        case 5 -> {
          var tensor = TensorProto.read(in.message());
          if (graph.tensors.put(tensor.name(), tensor) != null) {
            throw new OnnxException("two tensors are named " + OnnxException.quote(tensor.name()));
          }
        }
        case 11 -> graph.inputs.add(valueName(in.message()));
        case 12 -> graph.outputs.add(valueName(in.message()));
        case 15 ->
            throw new OnnxException("sparse tensors are not read; save the model with dense ones");
        default -> in.skip();
      }
    }
    return graph;
  }

  private static String valueName(WireReader in) {
    var name = "";
    while (in.next()) {
      if (in.field() == 1) name = in.text();
      else in.skip();
    }
    return name;
  }
}
