package carousel.tensor.trace;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Masks;
import carousel.tensor.op.Op;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Parts of stand-ins: cut, widened, and combined element by element. */
final class Columns {
  private final Graph graph;
  private final Cuts cuts;

  /** Of inputs and sums: which summands they hold. */
  private final Map<Value, Set<String>> summands = new HashMap<>();

  Columns(Graph graph, Cuts cuts) {
    this.graph = graph;
    this.cuts = cuts;
  }

  /**
   * The columns {@code from} to {@code to}. Where they are no whole part, something that is as wide stands for
   * it, so that all cuts of the code are met before it is traced again.
   */
  List<Part> slice(List<Part> parts, int from, int to) {
    List<Part> result = new ArrayList<>();
    int at = 0;
    for (Part part : parts) {
      int begin = Math.max(from, at) - at;
      int end = Math.min(to, at + part.width()) - at;
      if (begin < end) {
        if (end - begin == part.width()) {
          result.add(part);
        } else if (part.isEven()) {
          result.add(new Part(part.value(), end - begin));
        } else {
          if (begin > 0) {
            cuts.request(part.value(), begin);
          }
          if (end < part.width()) {
            cuts.request(part.value(), end);
          }
          result.add(new Part(standIn(part.value(), end - begin), end - begin));
        }
      }
      at += part.width();
    }
    if (result.isEmpty()) {
      throw new Untraced("a piece without columns");
    }
    return result;
  }

  private Value standIn(Value value, int width) {
    Value piece = graph.given(Kind.INPUT, Cuts.NOTHING, value.id(), width);
    return value.isTest() ? graph.apply(Binary.NE, List.of(piece, graph.constant(0))) : piece;
  }

  /** A single column as so many; more stay as they are. */
  List<Part> widen(List<Part> parts, int width) {
    if (parts.size() == 1 && parts.getFirst().width() <= 1) {
      return List.of(new Part(parts.getFirst().value(), width));
    }
    return parts;
  }

  /** A row of the op table, part by part. */
  List<Part> elementwise(Op op, List<List<Part>> operands, int width) {
    List<List<Part>> wide = operands.stream().map(parts -> widen(parts, width)).toList();
    List<List<Part>> aligned = align(wide);
    List<Part> results = new ArrayList<>();
    for (int i = 0; i < aligned.getFirst().size(); i++) {
      List<Value> values = new ArrayList<>();
      for (List<Part> parts : aligned) {
        values.add(parts.get(i).value());
      }
      results.add(new Part(row(op, values), aligned.getFirst().get(i).width()));
    }
    return results;
  }

  /** Cuts parts where any of the others is cut. */
  List<List<Part>> align(List<List<Part>> operands) {
    var borders = new TreeSet<Integer>();
    for (List<Part> parts : operands) {
      int at = 0;
      for (Part part : parts) {
        at += part.width();
        borders.add(at);
      }
    }
    List<List<Part>> aligned = new ArrayList<>();
    for (List<Part> parts : operands) {
      aligned.add(pieces(parts, borders));
    }
    return aligned;
  }

  private List<Part> pieces(List<Part> parts, Set<Integer> borders) {
    if (parts.size() == borders.size()) {
      return parts;
    }
    List<Part> pieces = new ArrayList<>();
    int from = 0;
    for (int to : borders) {
      pieces.addAll(slice(parts, from, to));
      from = to;
    }
    return pieces;
  }

  /** Applies a row, if its operands are numbers where it reads numbers and masks where it reads masks. */
  private Value row(Op op, List<Value> values) {
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i).isTest() != Masks.reads(op, i)) {
        throw new Untraced(op.label() + " of a mask");
      }
    }
    return op == Binary.ADD ? add(values.get(0), values.get(1)) : graph.apply(op, values);
  }

  /**
   * A sum. With products in it, it becomes one {@link Kind#SUM}: the tile that computes the product starts
   * from what it is added to. Not so if what is added is read elsewhere, too.
   */
  private Value add(Value a, Value b) {
    Set<String> ofA = summandsOf(a);
    Set<String> ofB = summandsOf(b);
    boolean products = a.kind() == Kind.SUM || b.kind() == Kind.SUM;
    if (!products || ofA.isEmpty() || ofB.isEmpty() || !Collections.disjoint(ofA, ofB)) {
      return graph.apply(Binary.ADD, List.of(a, b));
    }
    List<Value> init = new ArrayList<>(init(a));
    init.addAll(init(b));
    if (init.size() > 1 || a.width() != b.width() || anyApart(ofA) || anyApart(ofB)) {
      return graph.apply(Binary.ADD, List.of(a, b));
    }
    List<Value.Term> terms = new ArrayList<>(a.terms());
    terms.addAll(b.terms());
    Value sum = graph.sum(init, terms, a.width());
    Set<String> both = new HashSet<>(ofA);
    both.addAll(ofB);
    summands.putIfAbsent(sum, both);
    return sum;
  }

  private boolean anyApart(Set<String> some) {
    return some.stream().anyMatch(cuts::isApart);
  }

  private Set<String> summandsOf(Value value) {
    return value.kind() == Kind.INPUT
        ? Set.of("input " + value.index() + " " + value.offset())
        : summands.getOrDefault(value, Set.of());
  }

  private static List<Value> init(Value summand) {
    return summand.kind() == Kind.INPUT ? List.of(summand) : summand.inputs();
  }

  /** Notes a sum of products as a summand of its own. */
  Value summand(String name, Value sum) {
    summands.putIfAbsent(sum, Set.of(name));
    return sum;
  }

  /**
   * Sets summands apart that are part of more than one value.
   *
   * @param live what is computed
   * @param read of the inputs, those that are read as they are
   * @return whether the code has to be traced again
   */
  boolean setApart(Set<Value> live, Set<Value> read) {
    Map<String, Integer> uses = new HashMap<>();
    for (Value value : live) {
      if (value.kind() == Kind.SUM || read.contains(value)) {
        summandsOf(value).forEach(name -> uses.merge(name, 1, Integer::sum));
      }
    }
    boolean again = false;
    for (var use : uses.entrySet()) {
      again |= use.getValue() > 1 && cuts.setApart(use.getKey());
    }
    return again;
  }
}
