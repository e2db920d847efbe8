package carousel.exchange.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One field of a message, by its number, and its bytes with the tag.
 *
 * @param number which field
 * @param value its bytes
 * @param isMessage whether its length stands before them
 * @param integer what it is where it has no bytes
 */
record Field(int number, byte[] value, boolean isMessage, long integer) {
  /** Fields of a model, a graph, a node and an attribute. */
  private static final int GRAPH = 7;

  private static final int NODE = 1;
  static final int INPUT = 1;
  static final int OPERATOR = 4;
  static final int ATTRIBUTE = 5;
  static final int DOMAIN = 7;

  interface Single {
    float apply(float x);
  }

  static Field text(int number, String value) {
    return new Field(number, value.getBytes(StandardCharsets.UTF_8), true, 0);
  }

  static Field message(int number, WireWriter value) {
    return new Field(number, Operators.bytes(value), true, 0);
  }

  static Field integer(int number, long value) {
    return new Field(number, new byte[0], false, value);
  }

  static Field single(Field field, Single f) {
    var value = ByteBuffer.wrap(field.value()).order(ByteOrder.LITTLE_ENDIAN);
    var other = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    other.putFloat(f.apply(value.getFloat(0)));
    return new Field(field.number(), other.array(), false, 0);
  }

  static List<Field> with(List<Field> fields, int at, Field other) {
    var copy = new ArrayList<>(fields);
    copy.set(at, other);
    return copy;
  }

  static List<Field> inserted(List<Field> fields, int at, Field other) {
    var copy = new ArrayList<>(fields);
    copy.add(at, other);
    return copy;
  }

  static List<Field> without(List<Field> fields, int at) {
    var copy = new ArrayList<>(fields);
    copy.remove(at);
    return copy;
  }

  /** The fields of a message; lists of integers that are packed become one field each. */
  static List<Field> fields(byte[] message) {
    var fields = new ArrayList<Field>();
    var in = new WireReader(message);
    while (in.next()) {
      int number = in.field();
      var bytes = in.bytes();
      var value = new byte[bytes.remaining()];
      bytes.duplicate().get(value);
      switch (in.type()) {
        case 0 -> fields.add(integer(number, WireReader.varint(bytes)));
        case 2 -> fields.add(new Field(number, value, true, 0));
        default -> fields.add(new Field(number, value, false, 0));
      }
    }
    return fields;
  }

  static List<Field> fields(List<Field> node, int number) {
    return node.stream().filter(field -> field.number() == number).toList();
  }

  static byte[] bytes(List<Field> fields) {
    var out = new WireWriter();
    for (var field : fields) {
      if (field.isMessage()) {
        out.bytes(field.number(), field.value());
      } else if (field.value().length == 0) {
        out.integer(field.number(), field.integer());
      } else {
        var value = ByteBuffer.wrap(field.value()).order(ByteOrder.LITTLE_ENDIAN);
        out.single(field.number(), value.getFloat(0));
      }
    }
    return Operators.bytes(out);
  }

  static List<List<Field>> nodes(byte[] file) {
    for (var field : fields(file)) {
      if (field.number() != GRAPH) {
        continue;
      }
      return fields(field.value()).stream()
          .filter(part -> part.number() == NODE)
          .map(part -> fields(part.value()))
          .toList();
    }
    throw new AssertionError("no graph");
  }

  static byte[] changed(byte[] file, int node, List<Field> other) {
    var model = new ArrayList<Field>();
    for (var field : fields(file)) {
      if (field.number() != GRAPH) {
        model.add(field);
        continue;
      }
      var graph = new ArrayList<Field>();
      int count = 0;
      for (var part : fields(field.value())) {
        graph.add(
            part.number() == NODE && count++ == node
                ? new Field(NODE, bytes(other), true, 0)
                : part);
      }
      model.add(new Field(GRAPH, bytes(graph), true, 0));
    }
    return bytes(model);
  }
}
