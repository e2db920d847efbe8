package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Sums of very many terms by every op that sums, and what they are exactly. A way takes terms and says what a device makes
 * of them, and which of {@link ExactSum} that should be.
 */
public final class LongSums {
  /**
   * How many roundings of Σ|terms| a sum may be off by, however many terms there are: less than a block of a
   * product or an index has terms, all of which may round to the same side.
   */
  private static final double ROUNDINGS = 256;

  /** So many columns are summed as whole rows that are added to each other. */
  private static final int COLUMNS = 40;

  /** Elements of a result, and what they should be: exact sums, and those of the terms' magnitudes. */
  record Result(double[] actual, ExactSum... expected) {
    static Result of(Tensor actual, ExactSum... expected) {
      return new Result(actual.toDoubleArray(), expected);
    }
  }

  /** The terms of a sum. What is exact of them is worked out once. */
  static final class Terms {
    private final double[] values;
    private final DType type;
    private final Map<Integer, ExactSum[]> sums = new HashMap<>();
    private @Nullable ExactSum weighted;
    private @Nullable ExactSum sizes;
    private @Nullable ExactSum squares;
    private @Nullable Tensor tensor;
    private @Nullable Tensor weights;

    Terms(double[] values, DType type) {
      this.values = values;
      this.type = type;
    }

    double[] values() {
      return values;
    }

    DType type() {
      return type;
    }

    int count() {
      return values.length;
    }

    /** Makes the tensors anew, in the innermost scope. */
    void place() {
      tensor = Tensor.of(values).cast(type);
      weights = Tensor.of(factors()).cast(type);
    }

    Tensor tensor(int... dims) {
      return Objects.requireNonNull(tensor).reshape(dims);
    }

    /** A half, 1, 2 and so on: products with these are exact. */
    Tensor weights(int... dims) {
      return Objects.requireNonNull(weights).reshape(dims);
    }

    private double[] factors() {
      double[] factors = new double[count()];
      Arrays.setAll(factors, i -> Math.scalb(1.0, i % 3 - 1));
      return factors;
    }

    ExactSum sum() {
      return columns(1)[0];
    }

    ExactSum[] columns(int count) {
      return sums.computeIfAbsent(count, n -> ExactSum.ofColumns(values, n));
    }

    ExactSum weighted() {
      if (weighted == null) {
        double[] products = factors();
        Arrays.setAll(products, i -> products[i] * values[i]);
        weighted = ExactSum.of(products);
      }
      return weighted;
    }

    /** Σ|x| */
    ExactSum sizes() {
      if (sizes == null) {
        sizes = ExactSum.of(Arrays.stream(values).map(Math::abs).toArray());
      }
      return sizes;
    }

    /** Σx² */
    ExactSum squares() {
      if (squares == null) {
        squares = ExactSum.of(Arrays.stream(values).map(v -> v * v).toArray());
      }
      return squares;
    }
  }

  /** One way to sum. */
  record Way(String name, Function<Terms, Result> run) {}

  /** Rows of the catalogue of which no element is a sum. */
  static final Set<String> NO_SUMS =
      Set.of(
          "Reduce.MAX",
          "Reduce.MIN",
          "Reduce.PROD",
          // Every step of it rounds, as those of any recurrence; CumSum is the sum.
          "LinearScan",
          "Reduce.ARG_MAX",
          "Reduce.ARG_MIN",
          "Reduce.ANY",
          "Reduce.ALL",
          "Sort",
          "Permute",
          "Expand",
          "Slice",
          "Select",
          "Flip",
          "Detach",
          "Unbind",
          "Split",
          "Concat",
          "Stack",
          "Spread",
          "Copy",
          "Reshape",
          "Cast",
          "Gather",
          "IndexSelect");

  private LongSums() {}

  /** Of each row of the catalogue that sums, by its name, the ways in which it does. */
  static Map<String, List<Way>> ways() {
    Map<String, List<Way>> ways = new LinkedHashMap<>();
    ways.put(
        "Reduce.SUM",
        List.of(
            way("a line", x -> Result.of(x.tensor(x.count()).sum(), x.sum())),
            way("a few columns", x -> Result.of(rows(x, 4).sum(0), x.columns(4))),
            way("columns", x -> Result.of(rows(x, COLUMNS).sum(0), x.columns(COLUMNS))),
            way(
                "two axes",
                x -> Result.of(x.tensor(x.count() / 80, 2, 40).sum(0, 1), x.columns(40)))));
    ways.put(
        "Reduce.MEAN",
        List.of(
            way("a line", x -> Result.of(x.tensor(x.count()).mean().mul(x.count()), x.sum())),
            way(
                "columns",
                x -> {
                  Tensor mean = rows(x, COLUMNS).mean(0);
                  return Result.of(mean.mul(x.count() / (double) COLUMNS), x.columns(COLUMNS));
                })));
    ways.put("Reduce.NORM", List.of(way("a line", x -> norm(x, Tensor::norm))));
    ways.put("Reduce.WIDE_NORM", List.of(way("a line", x -> norm(x, Tensor::wideNorm))));
    ways.put(
        "Reduce.LOG_SUM_EXP",
        List.of(
            way(
                "a line",
                x -> {
                  Tensor y = x.tensor(x.count()).abs().log().logSumExp(0).exp();
                  return Result.of(y, positive(x, 16));
                })));
    ways.put(
        "Softmax",
        List.of(
            way(
                "a line",
                x -> {
                  Tensor y = x.tensor(x.count()).abs().log().softmax(0);
                  return Result.of(y.mul(positive(x, 1).value()).sum(), positive(x, 16));
                })));
    ways.put(
        "CumSum", List.of(way("a line", LongSums::running), way("down columns", LongSums::down)));
    ways.put(
        "MatMul",
        List.of(
            way(
                "a row times a column",
                x ->
                    Result.of(
                        x.tensor(1, x.count()).matmul(x.weights(x.count(), 1)), x.weighted())),
            way(
                "rows times columns",
                x -> {
                  Tensor a = x.tensor(1, x.count()).expand(3, x.count());
                  Tensor b = x.weights(x.count(), 1).expand(x.count(), 2);
                  ExactSum s = x.weighted();
                  return Result.of(a.matmul(b), s, s, s, s, s, s);
                }),
            way(
                "rows times a matrix",
                x -> {
                  Tensor ones = Tensor.ones(x.type(), 1, x.count() / COLUMNS);
                  return Result.of(ones.matmul(rows(x, COLUMNS)), x.columns(COLUMNS));
                }),
            way(
                "the gradient of a weight",
                x -> {
                  Tensor ones = Tensor.ones(x.type(), x.count() / COLUMNS, 1);
                  return Result.of(
                      rows(x, COLUMNS).transpose(0, 1).matmul(ones), x.columns(COLUMNS));
                }),
            way(
                "a batch",
                x -> {
                  int half = x.count() / 2;
                  Tensor a = x.tensor(2, 1, half);
                  Tensor ones = Tensor.ones(x.type(), 2, half, 1);
                  return Result.of(
                      a.matmul(ones),
                      ExactSum.of(Arrays.copyOf(x.values(), half)),
                      ExactSum.of(Arrays.copyOfRange(x.values(), half, 2 * half)));
                })));
    ways.put(
        "ScatterAdd",
        List.of(
            way(
                "to one place",
                x -> {
                  Tensor index = index(x.count(), x.count(), 1);
                  Tensor y = Tensor.zeros(x.type(), 3);
                  return Result.of(
                      y.scatterAdd(index, x.tensor(x.count()), 0).narrow(0, 1, 1), x.sum());
                }),
            way(
                "to columns",
                x -> {
                  int n = x.count() / 4;
                  Tensor index = index(n, n, 1).unsqueeze(1).expand(n, 4);
                  Tensor y = Tensor.zeros(x.type(), 3, 4);
                  return Result.of(
                      y.scatterAdd(index, rows(x, 4), 0).narrow(0, 1, 1), x.columns(4));
                })));
    ways.put(
        "IndexAdd",
        List.of(
            way("rows to one", x -> added(x, COLUMNS)),
            way("numbers to one", x -> added(x, 1)),
            way(
                "rows to many, and some to one",
                x -> {
                  int n = x.count() / COLUMNS;
                  Tensor y = Tensor.zeros(x.type(), n / 2 + 2, COLUMNS);
                  Tensor sums = y.indexAdd(index(n, n / 2, n / 2 + 1), rows(x, COLUMNS), 0);
                  return Result.of(sums.sum(0), x.columns(COLUMNS));
                })));
    ways.put(
        "Composite.variance",
        List.of(
            way(
                "a line",
                x -> {
                  double mean = x.sum().value() / x.count();
                  double[] squares =
                      Arrays.stream(x.values()).map(v -> (v - mean) * (v - mean)).toArray();
                  var sum = ExactSum.of(squares);
                  double scale = sum.value() + mean * mean;
                  Tensor y = x.tensor(x.count()).variance(0).mul(x.count() - 1);
                  return Result.of(y, new ExactSum(sum.value(), 4 * scale));
                })));
    return ways;
  }

  private static Way way(String name, Function<Terms, Result> run) {
    return new Way(name, run);
  }

  private static Tensor rows(Terms x, int columns) {
    return x.tensor(x.count() / columns, columns);
  }

  private static Tensor index(int n, int most, int others) {
    int[] index = new int[n];
    Arrays.setAll(index, i -> n == most || i % 2 == 0 ? 1 : 2 + i % others);
    return Tensor.of(index);
  }

  private static Result norm(Terms x, Function<Tensor, Tensor> norm) {
    double exact = Math.sqrt(x.squares().value());
    return Result.of(norm.apply(x.tensor(x.count())), new ExactSum(exact, exact));
  }

  private static Result added(Terms x, int columns) {
    int n = x.count() / columns;
    Tensor y = Tensor.zeros(x.type(), 3, columns);
    Tensor sums = y.indexAdd(index(n, n, 1), rows(x, columns), 0);
    return Result.of(sums.narrow(0, 1, 1), x.columns(columns));
  }

  /** Σ|x|, of which a logarithm and an exponential were taken: it is off by what these are. */
  private static ExactSum positive(Terms x, int loosely) {
    ExactSum sum = x.sizes();
    return new ExactSum(sum.value(), loosely * sum.magnitude());
  }

  /** Some of the running sums. */
  private static Result running(Terms x) {
    int n = x.count();
    Tensor y = x.tensor(n).cumsum(0);
    int[] ends = {1, 1000, n / 3, n / 2 + 1, n};
    double[] actual = new double[ends.length];
    ExactSum[] expected = new ExactSum[ends.length];
    for (int i = 0; i < ends.length; i++) {
      actual[i] = y.narrow(0, ends[i] - 1, 1).item();
      expected[i] = ExactSum.of(Arrays.copyOf(x.values(), ends[i]));
    }
    return new Result(actual, expected);
  }

  private static Result down(Terms x) {
    int n = x.count() / COLUMNS;
    return Result.of(rows(x, COLUMNS).cumsum(0).narrow(0, n - 1, 1), x.columns(COLUMNS));
  }

  /** Terms of which sums go wrong in their own ways, each as it is in a type. */
  static Stream<Terms> terms(DType type, int count) {
    var random = new SplittableRandom(7);
    List<IntToDoubleFunction> all =
        List.of(
            i -> 0.1, // every addition rounds to the same side, for as long as the sum has one
            // exponent
            i -> random.nextDouble(0.5, 1),
            i -> random.nextDouble(-1, 1),
            i -> i < count / 2 ? 1.1 : i == count - 1 ? 0.3 : -1.1, // nearly nothing is left
            i -> 1.0 / (1 + i)); // small ones come when the sum is large
    return all.stream()
        .map(f -> {
          double[] values = new double[count];
          Arrays.setAll(
              values, i -> type == DType.F32 ? (float) f.applyAsDouble(i) : f.applyAsDouble(i));
          return new Terms(values, type);
        });
  }

  /**
   * Sums in all ways on a device.
   *
   * @param type of the terms
   * @param count how many there are, a multiple of 240
   * @param kinds how many kinds of terms are tried, 5 at most
   * @return what is wrong
   */
  public static List<String> violations(Device device, DType type, int count, int kinds) {
    double unit = (type == DType.F32 ? Math.ulp(1f) : Math.ulp(1.0)) / 2;
    List<String> wrong = new ArrayList<>();
    terms(type, count)
        .limit(kinds)
        .forEach(terms -> {
          try (var scope = TensorScope.open(device)) {
            terms.place();
            // How a GPU sums products is its library's choice.
            boolean products = !device.name().startsWith("cuda");
            ways()
                .forEach((row, ways) -> {
                  if (row.equals("MatMul") && !products) {
                    return;
                  }
                  for (Way way : ways) {
                    double excess = excess(way, terms) / unit;
                    if (!(excess <= ROUNDINGS)) {
                      wrong.add(
                          String.format(
                              Locale.ROOT,
                              "%s, %s, of %d terms %s, %s..: off by %.3g roundings",
                              row,
                              way.name(),
                              count,
                              type,
                              terms.values()[0],
                              excess));
                    }
                  }
                });
          }
        });
    return wrong;
  }

  /** The greatest error over the sum of magnitudes, beyond that of the result itself. */
  private static double excess(Way way, Terms terms) {
    try (var scope = TensorScope.open()) {
      Result result = way.run().apply(terms);
      double worst = 0;
      for (int i = 0; i < result.expected().length; i++) {
        ExactSum sum = result.expected()[i];
        double error = Math.abs(result.actual()[i] - sum.value()) / sum.magnitude();
        worst = error <= worst ? worst : error;
      }
      return worst;
    }
  }
}
