package carousel.exchange.onnx;

import static carousel.exchange.onnx.Field.ATTRIBUTE;
import static carousel.exchange.onnx.Field.DOMAIN;
import static carousel.exchange.onnx.Field.INPUT;
import static carousel.exchange.onnx.Field.OPERATOR;
import static carousel.exchange.onnx.Field.bytes;
import static carousel.exchange.onnx.Field.fields;
import static carousel.exchange.onnx.Field.inserted;
import static carousel.exchange.onnx.Field.integer;
import static carousel.exchange.onnx.Field.message;
import static carousel.exchange.onnx.Field.single;
import static carousel.exchange.onnx.Field.text;
import static carousel.exchange.onnx.Field.with;
import static carousel.exchange.onnx.Field.without;
import static carousel.exchange.onnx.GraphWriter.attribute;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * A node with something else in it.
 *
 * @param what is changed
 * @param change makes the node's fields others
 */
record Change(String what, UnaryOperator<List<Field>> change) {
  /** All changes of a node, one at a time, among all nodes of its file. */
  static List<Change> all(List<Field> node, List<List<Field>> all) {
    var changes = new ArrayList<Change>();
    for (int i = 0; i < node.size(); i++) {
      int at = i;
      var field = node.get(i);
      switch (field.number()) {
        case INPUT -> {
          // ONNX Runtime 1.29 ends the process where a norm has an empty name for its bias.
          if (!isNorm(node)) {
            changes.add(new Change("input " + i + " left out", n -> with(n, at, text(INPUT, ""))));
          }
          for (var other : List.of(firstInput(node), firstInput(all.getLast()))) {
            changes.add(
                new Change("input " + i + " is " + other, n -> with(n, at, text(INPUT, other))));
          }
          changes.add(new Change("input " + i + " twice", n -> inserted(n, at, field)));
        }
        case OPERATOR -> {
          for (var other : List.of("Tanh", "Relu", "Identity", "Sub", "Mul", "Dropout", "GRU")) {
            changes.add(new Change("is " + other, n -> with(n, at, text(OPERATOR, other))));
          }
        }
        case ATTRIBUTE -> attributes(field, at, changes);
        default -> {}
      }
    }
    for (var value : List.of(1L, -1L)) {
      for (var name :
          List.of("axis", "layout", "keepdims", "transA", "transB", "to", "allowzero", "secret")) {
        if (fields(node, ATTRIBUTE).stream().anyMatch(a -> name(a).equals(name))) {
          continue;
        }
        var added = message(ATTRIBUTE, attribute(name, value));
        changes.add(
            new Change(
                String.format(Locale.ROOT, "has %s %d", name, value),
                n -> inserted(n, n.size(), added)));
      }
    }
    changes.add(
        new Change("of a domain", n -> inserted(n, n.size(), text(DOMAIN, "com.microsoft"))));
    return changes;
  }

  /** Every field of an attribute that is a number, a text or a list is another, and the attribute is not there. */
  private static void attributes(Field attribute, int at, List<Change> changes) {
    String name = name(attribute);
    changes.add(new Change("without " + name, n -> without(n, at)));
    var parts = fields(attribute.value());
    for (int i = 0; i < parts.size(); i++) {
      var part = parts.get(i);
      int place = i;
      var others = new ArrayList<Field>();
      switch (part.number()) {
        case 2 -> { // a float, in 4 bytes
          others.add(single(part, x -> x * 1.5f));
          others.add(single(part, x -> 0f));
          others.add(single(part, x -> -1 - x));
        }
        case 3, 8 -> { // an integer, alone or in a list
          for (var by : List.of(1L, -1L, 2L)) {
            others.add(integer(part.number(), part.integer() + by));
          }
        }
        case 4 -> others.addAll(List.of(text(4, "reverse"), text(4, "forward"), text(4, "odd")));
        case 9 -> others.addAll(List.of(text(9, "Softplus"), text(9, "Affine"), text(9, "odd")));
        default -> {}
      }
      for (var other : others) {
        changes.add(
            new Change(
                name + " has " + shown(other),
                n -> with(n, at, new Field(ATTRIBUTE, bytes(with(parts, place, other)), true, 0))));
      }
    }
  }

  private static String shown(Field field) {
    return field.value().length == 0
        ? Long.toString(field.integer())
        : field.isMessage()
            ? new String(field.value(), StandardCharsets.UTF_8)
            : "the float "
                + ByteBuffer.wrap(field.value()).order(ByteOrder.LITTLE_ENDIAN).getFloat(0);
  }

  private static boolean isNorm(List<Field> node) {
    var operator = fields(node, OPERATOR).getFirst().value();
    return new String(operator, StandardCharsets.UTF_8).equals("LayerNormalization");
  }

  private static String firstInput(List<Field> node) {
    for (var field : node) {
      if (field.number() == INPUT && field.value().length > 0) {
        return new String(field.value(), StandardCharsets.UTF_8);
      }
    }
    return "x";
  }

  private static String name(Field attribute) {
    for (var field : fields(attribute.value())) {
      if (field.number() == 1) {
        return new String(field.value(), StandardCharsets.UTF_8);
      }
    }
    return "";
  }
}
