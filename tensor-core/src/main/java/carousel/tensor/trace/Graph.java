package carousel.tensor.trace;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The values of one step and of its gradient, each once, in an order in which they can be computed. */
public final class Graph {
  private final List<Value> values = new ArrayList<>();
  private final List<Double> numbers = new ArrayList<>();
  private final Map<Key, Value> known = new HashMap<>();
  private final Map<Value, Application> applications = new LinkedHashMap<>();

  /** A graph without values. */
  public Graph() {}

  /** What makes a value another one. */
  private record Key(
      Kind kind,
      int width,
      @Nullable Op op,
      List<Value> inputs,
      List<Term> terms,
      int index,
      int offset,
      double number,
      boolean stops) {}

  /** All of them; an input comes before what is computed from it. */
  public List<Value> values() {
    return values;
  }

  /** The numbers that the code gave, in the order of their values' indices. */
  public List<Double> numbers() {
    return numbers;
  }

  /** What is computed, in words, whatever the numbers are: two graphs of one signature are the same. */
  public String signature() {
    var text = new StringBuilder();
    values.forEach(value -> Wording.append(value, text).append('\n'));
    new LinkedHashSet<>(applications.values()).forEach(applied -> applied.append(text));
    return text.toString();
  }

  /**
   * What is read when some values are computed and differentiated: what they are computed from, and what the
   * rules of users' ops among that read and let flow to. That may be more than what is computed.
   *
   * @param results the values
   * @return all that is read, and they themselves
   */
  public Set<Value> read(List<Value> results) {
    Set<Value> read = new HashSet<>();
    List<Value> open = new ArrayList<>(results);
    while (!open.isEmpty()) {
      Value value = open.removeLast();
      if (value.kind() == Kind.ARRIVING || !read.add(value)) {
        continue;
      }
      open.addAll(value.inputs());
      value.terms().forEach(term -> open.add(term.factor()));
      if (value.isOwn()) {
        for (Application.Flow flow : application(value).flows()) {
          open.add(flow.to());
          open.add(flow.g());
        }
      }
    }
    return read;
  }

  /** The application that an output of a user's op is part of. */
  Application application(Value output) {
    return Objects.requireNonNull(applications.get(output));
  }

  /** Notes an application of a user's op, when its rule has been traced. */
  void note(Application applied) {
    applied.outputs().forEach(output -> applications.put(output, applied));
  }

  /** Columns of what the step is given. */
  public Value given(Kind kind, int index, int offset, int width) {
    return add(kind, width, null, List.of(), List.of(), index, offset, 0, false);
  }

  /** A number that belongs to the graph. */
  public Value constant(double number) {
    return add(Kind.CONSTANT, 0, null, List.of(), List.of(), 0, 0, number, false);
  }

  /** A number that the code gave. */
  Value number(double number) {
    for (int i = 0; i < numbers.size(); i++) {
      if (Double.doubleToRawLongBits(numbers.get(i)) == Double.doubleToRawLongBits(number)) {
        return add(Kind.NUMBER, 0, null, List.of(), List.of(), i, 0, number, false);
      }
    }
    numbers.add(number);
    return number(number);
  }

  /** The cotangent of an output. */
  public Value cotangent(int output, int width) {
    return add(Kind.COTANGENT, width, null, List.of(), List.of(), output, 0, 0, false);
  }

  Value sum(List<Value> init, List<Term> terms, int width) {
    return add(Kind.SUM, width, null, init, terms, 0, 0, 0, false);
  }

  Value back(List<Term> terms, int width) {
    return add(Kind.BACK, width, null, List.of(), terms, 0, 0, 0, false);
  }

  /** Applies a row; its inputs are numbers, or of one width, or single columns that are spread. */
  Value apply(Op op, List<Value> inputs) {
    int width = inputs.stream().mapToInt(Value::width).max().orElse(0);
    List<Value> wide = inputs.stream().map(input -> spread(input, width)).toList();
    return add(Kind.APPLY, width, op, wide, List.of(), 0, 0, 0, false);
  }

  /** A single column in as many; what is as wide already stays as it is, and so does a number. */
  Value spread(Value value, int width) {
    if (value.isNumber() || value.width() == width) {
      return value;
    }
    Op op = value.op();
    if (op != null
        && value.isTest()) { // a mask cannot be stored: what it looks at is spread instead
      return apply(op, value.inputs().stream().map(input -> spread(input, width)).toList());
    }
    return add(Kind.SPREAD, width, null, List.of(value), List.of(), 0, 0, 0, false);
  }

  /** The same value with a place of its own: what is given, or a number, as a result. */
  Value copy(Value value, int width) {
    List<Value> inputs = List.of(spread(value, width), constant(1));
    return add(Kind.APPLY, width, Binary.MUL, inputs, List.of(), 0, 0, 0, false);
  }

  /** The same value, through which no gradient flows. */
  Value stop(Value value) {
    if (value.isNumber()) {
      return value;
    }
    List<Value> inputs = List.of(value, constant(1));
    return add(Kind.APPLY, value.width(), Binary.MUL, inputs, List.of(), 0, 0, 0, true);
  }

  /** An output of an application of a user's op: the same value, with a place of its own. */
  Value own(Value value, int width, int application, int column) {
    List<Value> inputs = List.of(spread(value, width), constant(1));
    return add(Kind.APPLY, width, Binary.MUL, inputs, List.of(), application, column, 0, true);
  }

  /** What will have arrived at an output of a user's op. */
  Value arriving(Value output) {
    return add(Kind.ARRIVING, output.width(), null, List.of(output), List.of(), 0, 0, 0, false);
  }

  /** Cuts what users' ops give into pieces of one width, the next time. */
  void cutOwn(Cuts cuts, int width) {
    for (Value value : values) {
      if (value.isOwn() && value.width() > width) {
        for (int at = width; at < value.width(); at += width) {
          cuts.request(value, at);
        }
      }
    }
  }

  /** A mask as a number: 1 where it holds, else 0. */
  Value indicator(Value test) {
    return apply(Ternary.WHERE, List.of(test, constant(1), constant(0)));
  }

  /** All columns combined into one. */
  Value fold(Binary by, Value value) {
    if (value.width() == 1) {
      return value;
    }
    if (value.kind() == Kind.SPREAD) {
      Value column = value.inputs().getFirst();
      return by == Binary.ADD
          ? apply(Binary.MUL, List.of(column, constant(value.width())))
          : column;
    }
    return add(Kind.FOLD, 1, by, List.of(value), List.of(), 0, 0, 0, false);
  }

  private Value add(
      Kind kind,
      int width,
      @Nullable Op op,
      List<Value> inputs,
      List<Term> terms,
      int index,
      int offset,
      double number,
      boolean stops) {
    var key =
        new Key(
            kind, width, op, inputs, terms, index, offset, kind == Kind.NUMBER ? 0 : number, stops);
    Value same = known.get(key);
    if (same != null) {
      return same;
    }
    var value =
        new Value(
            values.size(),
            kind,
            width,
            op,
            List.copyOf(inputs),
            List.copyOf(terms),
            index,
            offset,
            number,
            stops);
    values.add(value);
    known.put(key, value);
    return value;
  }
}
