package carousel.exchange.onnx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The graph of a file.
 *
 * @param nodes in an order in which they can run
 * @param tensors the weights, by name
 * @param inputs what is given to a run, some of them also names of tensors
 * @param outputs what a run gives
 * @param fileBytes the size of the file, and of those beside it in which its tensors lie
 * @param opset the version of the operators
 */
record GraphProto(
    List<NodeProto> nodes,
    Map<String, TensorProto> tensors,
    List<Declared> inputs,
    List<Declared> outputs,
    long fileBytes,
    long opset) {
  /**
   * An input or output as a graph declares it.
   *
   * @param name its name
   * @param type the number of its element type; 0 where it is not said, −1 if it is no tensor
   * @param dims its axes: a size, a name, or nothing; null if they are not said
   */
  record Declared(String name, long type, @Nullable List<String> dims) {}

  /** Before it, operators of this name were others. */
  private static final int OLDEST_OPSET = 7;

  /** What later ones change is not known here. */
  private static final int NEWEST_OPSET = 25;

  /** The graph of a model file. */
  static GraphProto ofModel(byte[] file, ExternalFiles files) {
    var in = new WireReader(file);
    GraphProto graph = null;
    long opset = 0L;
    while (in.next()) {
      switch (in.field()) {
        case 7 -> {
          if (graph != null) {
            throw new OnnxException("the model holds two graphs");
          }
          graph = read(in.message(), files);
        }
        case 8 -> opset = Math.max(opset, opset(in.message()));
        default -> in.skip();
      }
    }
    if (graph == null) {
      throw new OnnxException("no ONNX model: it holds no graph");
    }
    if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "the operators are those of version %d, read are %d to %d; convert the model where it was made",
              opset,
              OLDEST_OPSET,
              NEWEST_OPSET));
    }
    return new GraphProto(
        graph.nodes,
        graph.tensors,
        graph.inputs,
        graph.outputs,
        file.length + files.bytes(),
        opset);
  }

  /** The version of ONNX's own operators, 0 where it is about those of others. */
  private static long opset(WireReader in) {
    String domain = "";
    long version = 0L;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> domain = in.text();
        case 2 -> version = in.integer();
        default -> in.skip();
      }
    }
    return domain.isEmpty() || domain.equals("ai.onnx") ? version : 0;
  }

  private static GraphProto read(WireReader in, ExternalFiles files) {
    var graph =
        new GraphProto(
            new ArrayList<>(), new LinkedHashMap<>(), new ArrayList<>(), new ArrayList<>(), 0, 0);
    while (in.next()) {
      switch (in.field()) {
        case 1 -> graph.nodes.add(NodeProto.read(in.message(), files));
        case 5 -> {
          var tensor = TensorProto.read(in.message(), files);
          if (graph.tensors.put(tensor.name(), tensor) != null) {
            throw new OnnxException("two tensors are named " + OnnxException.quote(tensor.name()));
          }
        }
        case 11 -> graph.inputs.add(declared(in.message()));
        case 12 -> graph.outputs.add(declared(in.message()));
        case 15 ->
            throw new OnnxException("sparse tensors are not read; save the model with dense ones");
        default -> in.skip();
      }
    }
    return graph;
  }

  private static Declared declared(WireReader in) {
    var declared = new Declared("", 0, null);
    while (in.next()) {
      switch (in.field()) {
        case 1 -> declared = new Declared(in.text(), declared.type, declared.dims);
        case 2 -> declared = typed(declared, in.message());
        default -> in.skip();
      }
    }
    return declared;
  }

  private static Declared typed(Declared declared, WireReader type) {
    var found = declared;
    while (type.next()) {
      if (type.field() != 1) {
        // 6 is a word on what it means; all else is a sequence, a map or the like.
        if (type.field() != 6) {
          found = new Declared(found.name, -1, null);
        }
        type.skip();
        continue;
      }
      var tensor = type.message();
      while (tensor.next()) {
        switch (tensor.field()) {
          case 1 -> found = new Declared(found.name, tensor.integer(), found.dims);
          case 2 -> found = new Declared(found.name, found.type, dims(tensor.message()));
          default -> tensor.skip();
        }
      }
    }
    return found;
  }

  private static List<String> dims(WireReader shape) {
    var dims = new ArrayList<String>();
    while (shape.next()) {
      if (shape.field() != 1) {
        shape.skip();
        continue;
      }
      var dim = shape.message();
      String text = "";
      while (dim.next()) {
        switch (dim.field()) {
          case 1 -> text = Long.toString(dim.integer());
          case 2 -> text = dim.text();
          default -> dim.skip();
        }
      }
      dims.add(text);
    }
    return dims;
  }
}
