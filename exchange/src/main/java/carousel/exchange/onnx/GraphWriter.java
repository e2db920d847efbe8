package carousel.exchange.onnx;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An ONNX graph that is put together node by node. The numbers of the fields are those of onnx.proto. */
final class GraphWriter {
  /** The version of the file format that goes with the operators. */
  private static final int IR_VERSION = 8;

  /** The version of the operators; the first that knows LayerNormalization. */
  private static final int OPSET = 17;

  private final List<WireWriter> nodes = new ArrayList<>();
  private final List<WireWriter> initializers = new ArrayList<>();
  private final List<WireWriter> inputs = new ArrayList<>();
  private final List<WireWriter> outputs = new ArrayList<>();

  /** The whole file. */
  WireWriter model() {
    return model(OPSET);
  }

  /** The whole file, of operators of a version. */
  WireWriter model(int opset) {
    var graph =
        new WireWriter()
            .messages(1, nodes)
            .text(2, "carousel")
            .messages(5, initializers)
            .messages(11, inputs)
            .messages(12, outputs);
    return new WireWriter()
        .integer(1, IR_VERSION)
        .text(2, "carousel")
        .message(7, graph)
        .message(8, new WireWriter().text(1, "").integer(2, opset));
  }

  /** Adds a node; a missing input is an empty name. */
  void node(
      String operator,
      String name,
      List<String> from,
      List<String> to,
      List<WireWriter> attributes) {
    var node = new WireWriter();
    from.forEach(input -> node.text(1, input));
    to.forEach(output -> node.text(2, output));
    nodes.add(node.text(3, name).text(4, operator).messages(5, attributes));
  }

  /** Adds a node of one output, which bears the node's name. */
  String node(String operator, String name, List<String> from, WireWriter... attributes) {
    node(operator, name, from, List.of(name), List.of(attributes));
    return name;
  }

  /** Adds a tensor; gives its name. */
  String constant(String name, Tensor value) {
    var tensor = new WireWriter();
    for (var dim : value.shape().toArray()) {
      tensor.integer(1, dim);
    }
    tensor.integer(2, DataType.of(value.dtype()).code()).text(8, name).tensor(9, value);
    initializers.add(tensor);
    return name;
  }

  /** Adds a tensor of whole numbers or of truths; gives its name. */
  String constant(String name, DataType type, Tensor value) {
    var numbers = value.cast(DType.I32).flatten().toIntArray();
    var bytes = ByteBuffer.allocate(numbers.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (var number : numbers) {
      switch (type) {
        case INT64 -> bytes.putLong(number);
        case INT32 -> bytes.putInt(number);
        case BOOL -> bytes.put((byte) number);
        default -> throw new OnnxException(String.format(Locale.ROOT, "%s is %s", name, type));
      }
    }
    return raw(name, type, value.shape(), bytes.array());
  }

  /** Adds a tensor of which there are the bytes; gives its name. */
  String raw(String name, DataType type, Shape shape, byte[] bytes) {
    var tensor = new WireWriter();
    for (var dim : shape.toArray()) {
      tensor.integer(1, dim);
    }
    initializers.add(tensor.integer(2, type.code()).text(8, name).bytes(9, bytes));
    return name;
  }

  /** Adds a list of I64, which shapes and axes are; gives its name. */
  String constant(String name, long... values) {
    var bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (var value : values) {
      bytes.putLong(value);
    }
    return raw(name, DataType.INT64, Shape.of(values.length), bytes.array());
  }

  /** Declares an input; a dimension is a number, or the name of one that is known when it runs. */
  String input(String name, DataType type, Object @Nullable ... dims) {
    inputs.add(value(name, type, dims));
    return name;
  }

  /** Declares an output; dimensions as in {@link #input}. */
  String output(String name, DataType type, Object @Nullable ... dims) {
    outputs.add(value(name, type, dims));
    return name;
  }

  private static WireWriter value(String name, DataType type, Object @Nullable [] dims) {
    var tensor = new WireWriter().integer(1, type.code());
    if (dims == null) {
      return typed(name, tensor);
    }
    var shape = new WireWriter();
    for (var dim : dims) {
      shape.message(
          1,
          dim instanceof Integer size
              ? new WireWriter().integer(1, size)
              : new WireWriter().text(2, (String) dim));
    }
    return typed(name, tensor.message(2, shape));
  }

  private static WireWriter typed(String name, WireWriter tensor) {
    return new WireWriter().text(1, name).message(2, new WireWriter().message(1, tensor));
  }

  static WireWriter attribute(String name, long value) {
    return new WireWriter().text(1, name).integer(3, value).integer(20, 2);
  }

  static WireWriter attribute(String name, double value) {
    return new WireWriter().text(1, name).single(2, value).integer(20, 1);
  }

  static WireWriter attribute(String name, String value) {
    return new WireWriter().text(1, name).text(4, value).integer(20, 3);
  }

  static WireWriter attribute(String name, int... values) {
    return attribute(name, Arrays.stream(values).asLongStream().toArray());
  }

  static WireWriter attribute(String name, long[] values) {
    var attribute = new WireWriter().text(1, name);
    for (var value : values) {
      attribute.integer(8, value);
    }
    return attribute.integer(20, 7);
  }

  static WireWriter numbers(String name, List<Double> values) {
    var attribute = new WireWriter().text(1, name);
    values.forEach(value -> attribute.single(7, value));
    return attribute.integer(20, 6);
  }

  static WireWriter texts(String name, List<String> values) {
    var attribute = new WireWriter().text(1, name);
    values.forEach(value -> attribute.text(9, value));
    return attribute.integer(20, 8);
  }
}
