package carousel.tensor.cpu.step;

import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.cpu.step.Value.Term;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The values of one step and of its gradient, each once, in an order in which they can be computed. */
public final class Graph {
  private final List<Value> values = new ArrayList<>();
  private final Map<String, Value> known = new LinkedHashMap<>();

  /** All of them; an input comes before what is computed from it. */
  public List<Value> values() {
    return values;
  }

  /** What is computed, in words: two graphs of one signature are the same. */
  public String signature() {
    return String.join(";", known.keySet());
  }

  Value gate(int block) {
    return add(Kind.GATE, null, List.of(), List.of(), block, 0, 0);
  }

  /** A tensor of the state before the step. */
  public Value state(int index) {
    return add(Kind.STATE, null, List.of(), List.of(), index, 0, 0);
  }

  /** A block of a weight, or of an input, without rows. */
  public Value vector(int input, int block) {
    return add(Kind.VECTOR, null, List.of(), List.of(), input, block, 0);
  }

  /** A block of columns of a composite's input. */
  public Value part(int input, int block) {
    return add(Kind.PART, null, List.of(), List.of(), input, block, 0);
  }

  /** A number. */
  public Value constant(double number) {
    return add(Kind.CONSTANT, null, List.of(), List.of(), 0, 0, number);
  }

  /** The cotangent of an output. */
  public Value cotangent(int output) {
    return add(Kind.COTANGENT, null, List.of(), List.of(), output, 0, 0);
  }

  Value sum(List<Value> init, List<Term> terms) {
    return add(Kind.SUM, null, init, terms, 0, 0, 0);
  }

  Value back(List<Term> terms) {
    return add(Kind.BACK, null, List.of(), terms, 0, 0, 0);
  }

  /**
   * Applies a row. Sums with gates and products become one {@link Kind#SUM}: the tile that computes
   * the product starts from what it is added to.
   */
  Value apply(Op op, List<Value> inputs) {
    if (op == Binary.ADD) {
      Value a = inputs.get(0);
      Value b = inputs.get(1);
      if (isZero(a) || isZero(b)) {
        return isZero(a) ? b : a;
      }
      boolean products = a.kind() == Kind.SUM || b.kind() == Kind.SUM;
      if (products && isAddend(a) && isAddend(b)) {
        List<Value> init = new ArrayList<>(init(a));
        init.addAll(init(b));
        if (init.size() <= 1) {
          List<Term> terms = new ArrayList<>(a.terms());
          terms.addAll(b.terms());
          return sum(init, terms);
        }
      }
    }
    return add(Kind.APPLY, op, inputs.stream().map(this::computed).toList(), List.of(), 0, 0, 0);
  }

  /** A value that a row can read: a gate is the sum of itself and no products. */
  Value computed(Value value) {
    return value.kind() == Kind.GATE ? sum(List.of(value), List.of()) : value;
  }

  private static boolean isAddend(Value value) {
    return value.kind() == Kind.SUM || value.kind() == Kind.GATE;
  }

  private static List<Value> init(Value addend) {
    return addend.kind() == Kind.GATE ? List.of(addend) : addend.inputs();
  }

  private static boolean isZero(Value value) {
    return value.kind() == Kind.CONSTANT && value.number() == 0;
  }

  private Value add(
      Kind kind,
      @Nullable Op op,
      List<Value> inputs,
      List<Term> terms,
      int index,
      int chunk,
      double number) {
    StringBuilder key = new StringBuilder(op == null ? kind.name() : op.label());
    inputs.forEach(input -> key.append(' ').append(input.id()));
    terms.forEach(term ->
        key.append(" +")
            .append(term.factor().id())
            .append("·w")
            .append(term.weight())
            .append('[')
            .append(term.row())
            .append(',')
            .append(term.column())
            .append(']'));
    if (inputs.isEmpty() && terms.isEmpty()) {
      key.append(' ').append(index).append(' ').append(chunk).append(' ').append(number);
    }
    Value same = known.get(key.toString());
    if (same != null) {
      return same;
    }
    Value value =
        new Value(
            values.size(), kind, op, List.copyOf(inputs), List.copyOf(terms), index, chunk, number);
    values.add(value);
    known.put(key.toString(), value);
    return value;
  }
}
