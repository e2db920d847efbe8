package carousel.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A sum of products by subscripts: {@link Tensor#einsum}.
 *
 * <p>An operand has one label per axis. Pairs of operands are joined, in the order that multiplies least:
 * what both have and nobody else wants is summed, by a matrix product wherever one side has axes of its own.
 */
final class Einsum {
  /** A to Z, a to z. */
  private static final int LETTERS = 52;

  /** How many axes three dots may stand for: all labels are the bits of a long. */
  private static final int DOTS = 64 - LETTERS;

  /** Up to here all orders are compared; beyond, the cheapest next pair is taken. */
  private static final int ALL_ORDERS = 8;

  private final String subscripts;
  private final Tensor[] operands;
  private final int[] sizes = new int[64];
  private int dots;

  private Einsum(String subscripts, Tensor... operands) {
    this.subscripts = subscripts;
    this.operands = operands;
    Arrays.fill(sizes, -1);
  }

  static Tensor of(String subscripts, Tensor... operands) {
    return new Einsum(subscripts, operands).compute();
  }

  /** An operand, and one label per axis. */
  private record Term(Tensor x, List<Integer> labels) {
    long set() {
      return Einsum.set(labels);
    }
  }

  private static long set(List<Integer> labels) {
    long set = 0;
    for (int label : labels) {
      set |= 1L << label;
    }
    return set;
  }

  private static boolean has(long set, int label) {
    return (set >> label & 1) == 1;
  }

  // ---- what the subscripts say ----

  private Tensor compute() {
    String text = subscripts.replaceAll("\\s", "");
    int arrow = text.indexOf("->");
    String[] inputs = (arrow < 0 ? text : text.substring(0, arrow)).split(",", -1);
    if (operands.length == 0 || inputs.length != operands.length) {
      throw wrong(inputs.length + " subscripts for " + operands.length + " operands");
    }
    for (int i = 0; i < inputs.length; i++) {
      requireNumbers(operands[i]);
      dots = Math.max(dots, dotsOf(inputs[i], operands[i]));
    }
    List<List<Integer>> labels = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      labels.add(labels(inputs[i], dotsOf(inputs[i], operands[i])));
      measure(operands[i], labels.getLast());
    }
    List<Integer> output = arrow < 0 ? implied(labels) : output(text.substring(arrow + 2), labels);
    List<Term> terms = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      terms.add(plain(new Term(operands[i], labels.get(i))));
    }
    return ordered(joined(summed(terms, set(output)), set(output)), output);
  }

  private void requireNumbers(Tensor x) {
    Tensor first = operands[0];
    if (x.dtype() == DType.BOOL) {
      throw wrong("takes numbers, got BOOL " + x.shape() + "; convert it with cast(DType.F32)");
    }
    if (x.dtype() != first.dtype()) {
      throw wrong(
          "element types differ: "
              + first.dtype()
              + " and "
              + x.dtype()
              + "; convert one with cast(DType."
              + first.dtype()
              + ")");
    }
  }

  /** How many axes the dots of an operand stand for; 0 where it has none. */
  private int dotsOf(String input, Tensor x) {
    int at = input.indexOf("...");
    int named = input.length() - (at < 0 ? 0 : 3);
    int rest = x.rank() - named;
    if (rest < 0 || (at < 0 && rest > 0)) {
      throw wrong("\"" + input + "\" names " + named + " axes, " + x.shape() + " has " + x.rank());
    }
    if (rest > DOTS) {
      throw wrong("\"...\" stands for " + rest + " axes of " + x.shape() + ", at most " + DOTS);
    }
    return rest;
  }

  /** Letters, and dots as so many of the last labels, since they align at the last axis. */
  private List<Integer> labels(String input, int count) {
    List<Integer> labels = new ArrayList<>();
    int at = input.indexOf("...");
    for (int i = 0; i < input.length(); i++) {
      if (i == at) {
        for (int k = dots - count; k < dots; k++) {
          labels.add(LETTERS + k);
        }
        i += 2;
      } else {
        labels.add(label(input.charAt(i)));
      }
    }
    return labels;
  }

  private int label(char c) {
    if (c >= 'A' && c <= 'Z') {
      return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
      return 26 + c - 'a';
    }
    throw wrong("'" + c + "' is no label; labels are letters, and \"...\" for any number of axes");
  }

  private static String name(int label) {
    return label >= LETTERS
        ? "..."
        : String.valueOf((char) (label < 26 ? 'A' + label : 'a' + label - 26));
  }

  private void measure(Tensor x, List<Integer> labels) {
    for (int k = 0; k < labels.size(); k++) {
      int label = labels.get(k);
      int n = x.dim(k);
      int first = labels.indexOf(label);
      if (x.dim(first) != n) {
        throw wrong(name(label) + " has sizes " + x.dim(first) + " and " + n + " in " + x.shape());
      }
      int known = sizes[label];
      if (known >= 0 && known != n && known != 1 && n != 1) {
        throw wrong("sizes of " + name(label) + " differ: " + known + " and " + n);
      }
      sizes[label] = known < 0 || known == 1 ? n : known;
    }
  }

  /** Dots, then in the order of the alphabet what stands once. */
  private List<Integer> implied(List<List<Integer>> labels) {
    List<Integer> output = new ArrayList<>();
    for (int k = 0; k < dots; k++) {
      output.add(LETTERS + k);
    }
    for (int label = 0; label < LETTERS; label++) {
      int wanted = label;
      if (labels.stream().flatMap(List::stream).filter(other -> other == wanted).count() == 1) {
        output.add(label);
      }
    }
    return output;
  }

  private List<Integer> output(String text, List<List<Integer>> labels) {
    List<Integer> output = labels(text, text.contains("...") ? dots : 0);
    long known = 0;
    for (List<Integer> operand : labels) {
      known |= set(operand);
    }
    for (int label : output) {
      if (!has(known, label)) {
        throw wrong(name(label) + " of the result is in no operand");
      }
      if (output.indexOf(label) != output.lastIndexOf(label)) {
        throw wrong(name(label) + " stands twice in the result");
      }
    }
    return output;
  }

  private TensorException wrong(String what) {
    List<String> shapes = Arrays.stream(operands).map(x -> x.shape().toString()).toList();
    return new TensorException(
        "einsum: \"" + subscripts + "\" of " + String.join(" and ", shapes) + ": " + what);
  }

  // ---- what they mean ----

  /** Each label once, and none of an axis of size 1 that stands for a longer one. */
  private Term plain(Term term) {
    Tensor x = term.x;
    List<Integer> labels = term.labels;
    for (int i = 0; i < labels.size(); i++) {
      int label = labels.get(i);
      int j = labels.lastIndexOf(label);
      if (j > i) {
        // The diagonal is the last axis; from there on, the axes are others.
        x = x.diagonal(0, i, j);
        List<Integer> others = new ArrayList<>(labels.subList(0, i));
        others.addAll(labels.subList(i + 1, j));
        others.addAll(labels.subList(j + 1, labels.size()));
        others.add(label);
        labels = others;
        i--;
      }
    }
    List<Integer> kept = new ArrayList<>();
    for (int label : labels) {
      if (x.dim(kept.size()) == 1 && sizes[label] != 1) {
        x = x.squeeze(kept.size());
      } else {
        kept.add(label);
      }
    }
    return new Term(x, kept);
  }

  /** Without the labels that nobody else has, nor the result. */
  private static List<Term> summed(List<Term> terms, long output) {
    List<Term> sums = new ArrayList<>();
    for (int i = 0; i < terms.size(); i++) {
      long wanted = output;
      for (int j = 0; j < terms.size(); j++) {
        wanted |= j == i ? 0 : terms.get(j).set();
      }
      sums.add(sum(terms.get(i), wanted));
    }
    return sums;
  }

  private static Term sum(Term term, long wanted) {
    List<Integer> kept = term.labels.stream().filter(label -> has(wanted, label)).toList();
    int[] axes = new int[term.labels.size() - kept.size()];
    int n = 0;
    for (int i = 0; i < term.labels.size(); i++) {
      if (!has(wanted, term.labels.get(i))) {
        axes[n++] = i;
      }
    }
    return n == 0 ? term : new Term(Called.by("einsum", "sum", () -> term.x.sum(axes)), kept);
  }

  private Term joined(List<Term> terms, long output) {
    return terms.size() <= ALL_ORDERS
        ? new Orders(terms, output).joined((1 << terms.size()) - 1)
        : greedy(terms, output);
  }

  /** Products of all sets of terms, each by the pair of smaller sets that costs least. */
  private final class Orders {
    private final List<Term> terms;
    private final long[] labels;
    private final double[] costs;
    private final int[] lefts;

    Orders(List<Term> terms, long output) {
      this.terms = terms;
      int all = (1 << terms.size()) - 1;
      labels = new long[all + 1];
      costs = new double[all + 1];
      lefts = new int[all + 1];
      long[] inside = new long[all + 1];
      for (int set = 1; set <= all; set++) {
        int lowest = Integer.numberOfTrailingZeros(set);
        inside[set] = inside[set & (set - 1)] | terms.get(lowest).set();
      }
      for (int set = 1; set <= all; set++) {
        labels[set] = inside[set] & (inside[all ^ set] | output);
        int lowest = Integer.lowestOneBit(set);
        costs[set] = set == lowest ? 0 : Double.POSITIVE_INFINITY;
        // Every split once: the left part is the one with the first term.
        for (int left = set & (set - 1); left > 0; left = (left - 1) & set & (set - 1)) {
          int first = set ^ left;
          double cost = costs[first] + costs[left] + volume(labels[first] | labels[left]);
          if (cost < costs[set]) {
            costs[set] = cost;
            lefts[set] = first;
          }
        }
      }
    }

    Term joined(int set) {
      return Integer.bitCount(set) == 1
          ? terms.get(Integer.numberOfTrailingZeros(set))
          : join(joined(lefts[set]), joined(set ^ lefts[set]), labels[set]);
    }
  }

  private Term greedy(List<Term> terms, long output) {
    List<Term> rest = new ArrayList<>(terms);
    while (rest.size() > 1) {
      int left = 0;
      int right = 1;
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i < rest.size(); i++) {
        for (int j = i + 1; j < rest.size(); j++) {
          double cost = volume(rest.get(i).set() | rest.get(j).set());
          if (cost < least) {
            least = cost;
            left = i;
            right = j;
          }
        }
      }
      Term b = rest.remove(right);
      Term a = rest.remove(left);
      long wanted = output;
      for (Term other : rest) {
        wanted |= other.set();
      }
      rest.add(join(a, b, (a.set() | b.set()) & wanted));
    }
    return rest.getFirst();
  }

  private double volume(long labels) {
    double n = 1;
    for (int label = 0; label < sizes.length; label++) {
      n *= has(labels, label) ? sizes[label] : 1;
    }
    return n;
  }

  private List<Integer> list(long set) {
    List<Integer> labels = new ArrayList<>();
    for (int label = 0; label < sizes.length; label++) {
      if (has(set, label)) {
        labels.add(label);
      }
    }
    return labels;
  }

  /** The product of two terms, summed over what both have and nobody wants. */
  private Term join(Term a, Term b, long wanted) {
    long both = a.set() & b.set();
    List<Integer> batch = list(both & wanted);
    List<Integer> summed = list(both & ~wanted);
    List<Integer> left = a.labels.stream().filter(label -> !has(both, label)).toList();
    List<Integer> right = b.labels.stream().filter(label -> !has(both, label)).toList();
    List<Integer> kept = concat(batch, left, right);
    if (summed.isEmpty() || (left.isEmpty() && right.isEmpty()) || !a.x.dtype().isFloating()) {
      List<Integer> all = concat(kept, summed, List.of());
      Tensor product = aligned(a, all).mul(aligned(b, all));
      return sum(new Term(product, all), wanted);
    }
    Tensor x = grouped(ordered(a, concat(batch, left, summed)), batch, left, summed);
    Tensor y = grouped(ordered(b, concat(batch, summed, right)), batch, summed, right);
    int[] dims = kept.stream().mapToInt(label -> sizes[label]).toArray();
    return new Term(x.matmul(y).reshape(dims), kept);
  }

  private static List<Integer> concat(List<Integer> a, List<Integer> b, List<Integer> c) {
    return Stream.of(a, b, c).flatMap(List::stream).toList();
  }

  /** With its axes in an order, and axes of size 1 for the labels that it lacks. */
  private Tensor aligned(Term term, List<Integer> order) {
    Tensor x = ordered(term, order.stream().filter(term.labels::contains).toList());
    int[] dims =
        order.stream().mapToInt(label -> term.labels.contains(label) ? sizes[label] : 1).toArray();
    return x.reshape(dims);
  }

  private static Tensor ordered(Term term, List<Integer> order) {
    return term.labels.equals(order)
        ? term.x
        : term.x.permute(order.stream().mapToInt(term.labels::indexOf).toArray());
  }

  /** {@code [batch.., rows.., columns..]} as matrices, without a batch axis where there is none. */
  private Tensor grouped(Tensor x, List<Integer> batch, List<Integer> rows, List<Integer> columns) {
    int m = count(rows);
    int n = count(columns);
    return batch.isEmpty() ? x.reshape(Shape.of(m, n)) : x.reshape(Shape.of(count(batch), m, n));
  }

  private int count(List<Integer> labels) {
    double n = volume(set(labels));
    if (n > Integer.MAX_VALUE) {
      throw wrong("its axes make more than " + Integer.MAX_VALUE + " rows or columns together");
    }
    return (int) n;
  }
}
