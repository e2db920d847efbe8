package carousel.exchange.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A node of a file: an operator, the values it reads and gives, and its attributes.
 *
 * @param name of the node, for messages
 * @param operator e.g. {@code LSTM}
 * @param domain whose operator it is; empty for ONNX's own
 * @param inputs names of values; an empty name for one that is left out
 * @param outputs names of values
 * @param attributes by name
 */
record NodeProto(
    String name,
    String operator,
    String domain,
    List<String> inputs,
    List<String> outputs,
    Map<String, Attribute> attributes) {
  /** The longest list in an attribute; activations, axes and permutations are short. */
  private static final int MAX_LIST = 64;

  /**
   * An attribute; which of the values is meant, its type says.
   *
   * @param type number of AttributeProto.AttributeType, 0 in files that do not say
   * @param single type 1
   * @param integer type 2
   * @param text type 3
   * @param tensor type 4
   * @param singles type 6
   * @param integers type 7
   * @param texts type 8
   */
  record Attribute(
      long type,
      float single,
      long integer,
      String text,
      @Nullable TensorProto tensor,
      List<Float> singles,
      List<Long> integers,
      List<String> texts) {}

  static NodeProto read(WireReader in, ExternalFiles files) {
    String name = "";
    String operator = "";
    String domain = "";
    var inputs = new ArrayList<String>();
    var outputs = new ArrayList<String>();
    var attributes = new HashMap<String, Attribute>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> inputs.add(in.text());
        case 2 -> outputs.add(in.text());
        case 3 -> name = in.text();
        case 4 -> operator = in.text();
        case 5 -> attribute(in.message(), attributes, files);
        case 7 -> domain = in.text();
        default -> in.skip();
      }
    }
    return new NodeProto(
        name, operator, domain.equals("ai.onnx") ? "" : domain, inputs, outputs, attributes);
  }

  private static void attribute(
      WireReader in, Map<String, Attribute> attributes, ExternalFiles files) {
    String name = "";
    long type = 0L;
    float single = 0f;
    long integer = 0L;
    String text = "";
    TensorProto tensor = null;
    var singles = new ArrayList<Float>();
    var integers = new ArrayList<Long>();
    var texts = new ArrayList<String>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 2 -> single = in.single();
        case 3 -> integer = in.integer();
        case 4 -> text = in.text();
        case 5 -> tensor = TensorProto.read(in.message(), files);
        case 7 -> {
          var list = in.bytes();
          while (list.remaining() >= Float.BYTES) {
            add(singles, list.getFloat());
          }
        }
        case 8 -> {
          var list = in.bytes();
          while (list.hasRemaining()) {
            add(integers, WireReader.varint(list));
          }
        }
        case 9 -> add(texts, in.text());
        case 20 -> type = in.integer();
        default -> in.skip();
      }
    }
    var attribute = new Attribute(type, single, integer, text, tensor, singles, integers, texts);
    if (attributes.put(name, attribute) != null) {
      throw new OnnxException("a node has two attributes " + OnnxException.quote(name));
    }
  }

  private static <T> void add(List<T> list, T value) {
    list.add(value);
    if (list.size() > MAX_LIST) {
      throw new OnnxException(
          String.format(Locale.ROOT, "an attribute lists more than %d values", MAX_LIST));
    }
  }

  /** The name of an input, empty where it is left out. */
  String input(int index) {
    return index < inputs.size() ? inputs.get(index) : "";
  }

  /** The name of an output, empty where it is left out. */
  String output(int index) {
    return index < outputs.size() ? outputs.get(index) : "";
  }

  long integer(String attribute, long otherwise) {
    var found = find(attribute, 2);
    return found == null ? otherwise : found.integer();
  }

  double single(String attribute, double otherwise) {
    var found = find(attribute, 1);
    return found == null ? otherwise : decimal(found.single());
  }

  /** The number that was meant, as in models of F64: 0.00001 rather than 0.0000099999997. */
  private static double decimal(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  String text(String attribute, String otherwise) {
    var found = find(attribute, 3);
    return found == null ? otherwise : found.text();
  }

  /** The attributes as what they hold: Long, Double, String or a list of Long. */
  Map<String, Object> plain() {
    var plain = new HashMap<String, Object>();
    attributes.forEach((attribute, value) -> {
      // Old files do not say which it is: of a list it is one, a fraction is no integer.
      long type =
          value.type() != 0
              ? value.type()
              : !value.integers().isEmpty() ? 7 : value.single() != 0 ? 1 : 2;
      plain.put(
          attribute,
          switch ((int) type) {
            case 1 -> decimal(value.single());
            case 2 -> value.integer();
            case 3 -> value.text();
            case 7 -> List.copyOf(value.integers());
            default ->
                throw wrong(
                    String.format(
                        Locale.ROOT,
                        "attribute %s is of type %d of AttributeProto.AttributeType, which is not read",
                        OnnxException.quote(attribute),
                        type));
          });
    });
    return plain;
  }

  @Nullable TensorProto tensor(String attribute) {
    var found = find(attribute, 4);
    return found == null ? null : found.tensor();
  }

  List<Double> singles(String attribute) {
    var found = find(attribute, 6);
    return found == null ? List.of() : found.singles().stream().map(NodeProto::decimal).toList();
  }

  List<Long> integers(String attribute) {
    var found = find(attribute, 7);
    return found == null ? List.of() : found.integers();
  }

  List<String> texts(String attribute) {
    var found = find(attribute, 8);
    return found == null ? List.of() : found.texts();
  }

  private @Nullable Attribute find(String attribute, long type) {
    var found = attributes.get(attribute);
    if (found != null && found.type() != type && found.type() != 0) {
      throw wrong(
          String.format(
              Locale.ROOT,
              "attribute %s is of type %d, it should be of type %d of AttributeProto.AttributeType",
              attribute,
              found.type(),
              type));
    }
    return found;
  }

  /** An attribute that nobody looks at would change what is computed. */
  void requireOnly(String... known) {
    var others = new TreeSet<>(attributes.keySet());
    others.removeAll(Set.of(known));
    if (!others.isEmpty()) {
      throw wrong(
          String.format(
              Locale.ROOT,
              "attribute %s is not known; known are %s",
              OnnxException.quote(others.getFirst()),
              String.join(", ", known)));
    }
  }

  /** What is wrong with it. */
  OnnxException wrong(String problem) {
    return new OnnxException(
        String.format(
            Locale.ROOT,
            "node %s (%s): %s",
            OnnxException.quote(name.isEmpty() ? output(0) : name),
            operator,
            problem));
  }

  /** Refuses more inputs than are read, and a first that is left out. */
  void requireInputs(int most) {
    if (inputs().size() > most || input(0).isEmpty()) {
      throw wrong(String.format(Locale.ROOT, "reads %d inputs, got %d", most, inputs().size()));
    }
  }
}
