package carousel.tensor.trace;

import carousel.tensor.trace.Value.Term;

/** Values in words: what tells two graphs apart, and what a reader of a dump sees. */
final class Wording {
  private Wording() {}

  static String of(Value value) {
    return append(value, new StringBuilder()).toString();
  }

  /** As {@code %7 [200] = tanh %3}. What a number is does not tell graphs apart. */
  static StringBuilder append(Value value, StringBuilder text) {
    text.append('%').append(value.id());
    if (value.width() > 0) {
      text.append(" [").append(value.width()).append(']');
    }
    text.append(" =");
    switch (value.kind()) {
      case INPUT, STATE, VECTOR, ROWS ->
          text.append(' ')
              .append(name(value.kind()))
              .append(value.index())
              .append(" from ")
              .append(value.offset());
      case CONSTANT -> text.append(' ').append(value.number());
      case NUMBER -> text.append(" number ").append(value.index());
      case COTANGENT -> text.append(" cotangent ").append(value.index());
      case ARRIVING -> text.append(" arriving at");
      case SPREAD -> text.append(" spread");
      case FOLD -> text.append(" fold");
      case APPLY, SUM, BACK -> {
        // named by what follows
      }
    }
    if (value.op() != null) {
      text.append(' ').append(value.op().label());
    }
    value.inputs().forEach(input -> text.append(" %").append(input.id()));
    value.terms().forEach(term -> append(term, text));
    if (value.isOwn()) {
      return text.append(" own ").append(value.index()).append(" from ").append(value.offset());
    }
    return value.stops() ? text.append(" detached") : text;
  }

  private static void append(Term term, StringBuilder text) {
    text.append(" + %")
        .append(term.factor().id())
        .append("·w")
        .append(term.weight())
        .append('[')
        .append(term.row())
        .append(',')
        .append(term.column())
        .append(']');
  }

  private static String name(Value.Kind kind) {
    return switch (kind) {
      case INPUT -> "input ";
      case STATE -> "state ";
      case VECTOR -> "vector ";
      default -> "rows ";
    };
  }
}
