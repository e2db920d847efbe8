package carousel.exchange.onnx;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What operators compute: a row for each, with the attributes it knows. An operator, an attribute or an
 * operand that has no row is refused, so nothing is passed over.
 *
 * <p>Source: the ONNX standard, opset 17.
 *
 * @param least how many operands it reads at least
 * @param most how many at most
 * @param attributes which it may have
 * @param isView whether what it gives shares the memory of what it reads
 * @param kernel the computation
 */
record Semantics(
    int least,
    int most,
    Set<String> attributes,
    boolean isView,
    Function<Call, List<Tensor>> kernel) {
  private static final int ANY = Integer.MAX_VALUE;

  private static final Map<String, Semantics> ROWS = new TreeMap<>();

  /** Attributes for which nothing stands that is not said. */
  private static final Map<String, String> REQUIRED = Map.of("Concat", "axis", "Cast", "to");

  /** Operators whose output has the shape of their one input. */
  static final Set<String> KEEP_SHAPE =
      Set.of(
          "Abs",
          "Cast",
          "Ceil",
          "Elu",
          "Erf",
          "Exp",
          "Floor",
          "HardSigmoid",
          "LeakyRelu",
          "Log",
          "LogSoftmax",
          "Neg",
          "Reciprocal",
          "Relu",
          "Selu",
          "Sigmoid",
          "Softmax",
          "Softplus",
          "Softsign",
          "Sqrt",
          "Tanh",
          "ThresholdedRelu");

  static {
    activations();
    arithmetic();
    reductions();
    shapes();
  }

  private static void activations() {
    unary("Abs", Whole.unary(Tensor::abs));
    unary("Ceil", Tensor::ceil);
    unary("Cos", Tensor::cos);
    unary("Erf", Tensor::erf);
    unary("Exp", Tensor::exp);
    unary("Floor", Tensor::floor);
    unary("Identity", x -> x);
    unary("Log", Tensor::log);
    unary("Neg", Whole.unary(Tensor::neg));
    unary("Not", Tensor::not);
    unary("Reciprocal", Tensor::reciprocal);
    unary("Relu", Tensor::relu);
    unary("Round", Tensor::round);
    unary("Sigmoid", Tensor::sigmoid);
    unary("Sign", Tensor::sign);
    unary("Sin", Tensor::sin);
    unary("Softplus", Tensor::softplus);
    unary("Sqrt", Tensor::sqrt);
    unary("Tanh", Tensor::tanh);
    for (var function : OnnxActivation.Function.values()) {
      var names =
          function.hasBeta()
              ? Set.of("alpha", "beta")
              : function.hasAlpha() ? Set.of("alpha") : Set.<String>of();
      // Affine and ScaledTanh are functions of recurrent operators alone.
      if (Set.of("Elu", "HardSigmoid", "LeakyRelu", "Softsign").contains(function.label())) {
        row(
            function.label(),
            1,
            1,
            names,
            c ->
                function.apply(
                    c.x(0),
                    c.number("alpha", function.defaultAlpha()),
                    c.number("beta", function.defaultBeta())));
      }
    }
    // As an operator it is 0 at α, as a function of recurrent operators α.
    row(
        "ThresholdedRelu",
        1,
        1,
        Set.of("alpha"),
        c -> {
          Tensor x = c.x(0);
          return Tensor.where(x.gt(c.number("alpha", 1)), x, x.zerosLike());
        });
    row(
        "Selu",
        1,
        1,
        Set.of("alpha", "gamma"),
        c ->
            c.x(0)
                .elu(c.number("alpha", 1.67326319217681884765625))
                .mul(c.number("gamma", 1.05070102214813232421875)));
    row(
        "Softmax",
        1,
        1,
        Set.of("axis"),
        c -> c.x(0).softmax(Call.axis(c.x(0), c.integer("axis", -1))));
    row(
        "LogSoftmax",
        1,
        1,
        Set.of("axis"),
        c -> c.x(0).logSoftmax(Call.axis(c.x(0), c.integer("axis", -1))));
    row(
        "Clip",
        1,
        3,
        Set.of(),
        c -> {
          Tensor x = c.x(0);
          Tensor low = c.optional(1);
          Tensor high = c.optional(2);
          Tensor above = low == null ? x : x.maximum(low);
          return high == null ? above : above.minimum(high);
        });
  }

  private static void arithmetic() {
    binary("Add", Whole.binary(Tensor::add));
    binary("And", Tensor::and);
    binary("Div", (a, b) -> Whole.is(a) ? Whole.quotient(a, b) : a.div(b));
    binary("Equal", Tensor::eq);
    binary("Greater", Tensor::gt);
    binary("GreaterOrEqual", Tensor::ge);
    binary("Less", Tensor::lt);
    binary("LessOrEqual", Tensor::le);
    binary("Mul", Whole.binary(Tensor::mul));
    binary("Or", Tensor::or);
    binary("Pow", (a, b) -> Whole.is(a) ? Whole.power(a, b) : a.pow(b.cast(a.dtype())));
    binary("Sub", Whole.binary(Tensor::sub));
    binary("Xor", Tensor::xor);
    joined("Max", Tensor::maximum);
    joined("Min", Tensor::minimum);
    row("Sum", 1, ANY, Set.of(), c -> sum(c.all()));
    row("Where", 3, 3, Set.of(), c -> Tensor.where(c.x(0), c.x(1), c.x(2)));
    binary("MatMul", (a, b) -> Whole.is(a) ? Whole.matmul(a, b) : a.matmul(b));
    row(
        "Gemm",
        2,
        3,
        Set.of("alpha", "beta", "transA", "transB"),
        c -> {
          Tensor a = c.integer("transA", 0) == 0 ? c.x(0) : c.x(0).transpose(0, 1);
          Tensor b = c.integer("transB", 0) == 0 ? c.x(1) : c.x(1).transpose(0, 1);
          if (a.rank() != 2 || b.rank() != 2 || !a.dtype().isFloating()) {
            throw new TensorException(
                String.format(
                    Locale.ROOT,
                    "A and B must be matrices of FLOAT or DOUBLE, got %s %s and %s %s",
                    a.dtype(),
                    a.shape(),
                    b.dtype(),
                    b.shape()));
          }
          Tensor product = scaled(a.matmul(b), c.number("alpha", 1));
          Tensor added = c.optional(2);
          double beta = c.number("beta", 1);
          // What is taken 0 times is not read, whatever it is.
          if (added == null || beta == 0) {
            return product;
          }
          return product.add(scaled(added, beta).expand(product.shape()));
        });
    row("Cast", 1, 1, Set.of("to"), c -> Semantics.cast(c.x(0), c.integer("to", 0)));
  }

  private static void reductions() {
    reduction("ReduceMean", (x, axes) -> Whole.is(x) ? Whole.mean(x, axes) : x.mean(axes, true));
    reduction("ReduceSum", (x, axes) -> x.sum(axes, true));
    reduction("ReduceMax", (x, axes) -> x.max(axes, true));
    reduction("ReduceMin", (x, axes) -> x.min(axes, true));
    reduction("ReduceL2", (x, axes) -> x.norm(axes, true));
    reduction(
        "ReduceSumSquare", (x, axes) -> Whole.unary(y -> y.square().sum(axes, true)).apply(x));
    row(
        "ArgMax",
        1,
        1,
        Set.of("axis", "keepdims", "select_last_index"),
        c -> {
          int axis = Call.axis(c.x(0), c.integer("axis", 0));
          boolean isLast = c.integer("select_last_index", 0) != 0;
          Tensor found =
              isLast
                  ? c.x(0).flip(axis).argmax(axis).neg().add(c.x(0).dim(axis) - 1)
                  : c.x(0).argmax(axis);
          return !keeps(c) ? found : found.unsqueeze(axis);
        });
  }

  private static void shapes() {
    view("Transpose", 1, 1, Set.of("perm"), c -> Shaper.permuted(c.x(0), c.integers("perm")));
    view("Squeeze", 1, 2, Set.of(), Shaper::squeezed);
    view("Unsqueeze", 2, 2, Set.of(), Shaper::unsqueezed);
    view("Reshape", 2, 2, Set.of("allowzero"), Shaper::reshaped);
    view("Flatten", 1, 1, Set.of("axis"), Shaper::flattened);
    view("Slice", 3, 5, Set.of(), Shaper::sliced);
    row("Expand", 2, 2, Set.of(), c -> Shaper.expanded(c.x(0), c.numbers(1)));
    row("Shape", 1, 1, Set.of("start", "end"), Shaper::shape);
    row("Size", 1, 1, Set.of(), c -> Tensor.of(Shape.SCALAR, Whole.fitted(c.x(0).size())));
    row("Gather", 2, 2, Set.of("axis"), Shaper::gathered);
    row(
        "Concat",
        1,
        ANY,
        Set.of("axis"),
        c -> Tensor.concat(c.all(), Call.axis(c.x(0), c.integer("axis", 0))));
    row("Range", 3, 3, Set.of(), Shaper::range);
    ROWS.put("Split", new Semantics(1, 2, Set.of("axis"), true, Shaper::split));
  }

  private static void unary(String name, UnaryOperator<Tensor> f) {
    row(name, 1, 1, Set.of(), c -> f.apply(c.x(0)));
  }

  private static void binary(String name, BinaryOperator<Tensor> f) {
    row(name, 2, 2, Set.of(), c -> f.apply(c.x(0), c.x(1)));
  }

  private static void joined(String name, BinaryOperator<Tensor> f) {
    row(name, 1, ANY, Set.of(), c -> c.all().stream().reduce(f).orElseThrow());
  }

  private static void row(
      String name, int least, int most, Set<String> attributes, Function<Call, Tensor> f) {
    put(name, least, most, attributes, false, f);
  }

  private static void view(
      String name, int least, int most, Set<String> attributes, Function<Call, Tensor> f) {
    put(name, least, most, attributes, true, f);
  }

  private static void put(
      String name,
      int least,
      int most,
      Set<String> attributes,
      boolean isView,
      Function<Call, Tensor> f) {
    Function<Call, List<Tensor>> kernel =
        c -> {
          if (c.outputs() != 1) {
            throw new TensorException(
                String.format(Locale.ROOT, "gives one output, %d are read", c.outputs()));
          }
          return List.of(f.apply(c));
        };
    ROWS.put(name, new Semantics(least, most, attributes, isView, kernel));
  }

  /** A fold over axes, all of them where none is named. */
  private interface Fold {
    Tensor apply(Tensor x, int[] axes);
  }

  private static void reduction(String name, Fold fold) {
    row(
        name,
        1,
        2,
        Set.of("keepdims", "noop_with_empty_axes"),
        c -> {
          Tensor x = c.x(0);
          var axes = Call.axes(x.rank(), c.numbers(1, new int[0]));
          boolean isEach = x.rank() == 0 || c.integer("noop_with_empty_axes", 0) != 0;
          if (axes.length == 0 && isEach) {
            // Each element is folded by itself: of −3 the norm is 3.
            return fold.apply(x.unsqueeze(0), new int[] {0}).squeeze(0);
          }
          var all = axes.length == 0 ? IntStream.range(0, x.rank()).toArray() : axes;
          Tensor folded = fold.apply(x, all);
          return !keeps(c) ? Shaper.without(folded, all) : folded;
        });
  }

  private static boolean keeps(Call c) {
    long keeps = c.integer("keepdims", 1);
    if (keeps != 0 && keeps != 1) {
      throw new TensorException(
          String.format(Locale.ROOT, "attribute keepdims is %d; it can be 0 or 1", keeps));
    }
    return keeps == 1;
  }

  private static Tensor scaled(Tensor x, double by) {
    return by == 1 ? x : x.mul(by);
  }

  private static Tensor sum(List<Tensor> all) {
    if (!all.stream().allMatch(Whole::is)) {
      return all.stream().reduce(Tensor::add).orElseThrow();
    }
    return Whole.fitted(all.stream().map(Whole::wide).reduce(Tensor::add).orElseThrow());
  }

  private static Tensor cast(Tensor x, long to) {
    var type = DataType.of(to, "attribute to");
    if (type.isHalf()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "numbers are rounded to %s, which there is not here; convert the model to FLOAT",
              type));
    }
    return type.dtype() == DType.I32 && x.dtype().isFloating()
        ? Whole.fitted(Whole.wide(x))
        : x.cast(type.dtype());
  }

  /** The names of all rows. */
  static List<String> names() {
    return List.copyOf(ROWS.keySet());
  }

  /** A row; null if there is none. */
  static @Nullable Semantics find(String operator) {
    return ROWS.get(operator);
  }

  /** The row of an operator that was checked. */
  static Semantics of(String operator) {
    var found = find(operator);
    if (found == null) {
      throw new TensorException("is no operator that is computed here");
    }
    return found;
  }

  List<Tensor> run(Call call) {
    return kernel.apply(call);
  }

  /** What is wrong with an operator; empty if nothing is. */
  static String problem(String operator, Set<String> given, int operands) {
    var row = find(operator);
    if (row == null) {
      return "is no operator that is computed here; those are " + names();
    }
    var others = new TreeSet<>(given);
    others.removeAll(row.attributes);
    if (!others.isEmpty()) {
      return String.format(
          Locale.ROOT,
          "attribute %s is not known; known are %s",
          OnnxException.quote(others.getFirst()),
          new TreeSet<>(row.attributes));
    }
    String required = REQUIRED.getOrDefault(operator, "");
    if (!required.isEmpty() && !given.contains(required)) {
      return String.format(Locale.ROOT, "attribute %s is missing", required);
    }
    return operands < row.least || operands > row.most
        ? String.format(Locale.ROOT, "reads %s operands, got %d", row.range(), operands)
        : "";
  }

  private String range() {
    return most == ANY ? least + " or more" : least == most ? least + "" : least + " to " + most;
  }
}
