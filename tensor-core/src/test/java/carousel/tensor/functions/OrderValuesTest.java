package carousel.tensor.functions;

import static carousel.tensor.functions.StructureValuesTest.refuses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Order statistics, what runs along an axis, norms and distances, against loops. */
class OrderValuesTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  private final SplittableRandom random = new SplittableRandom(11);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7, 64, 65})
  void orderStatistics(int n) {
    double[] line = random.ints(n, -5, 6).asDoubleStream().toArray();
    double[] sorted = line.clone();
    Arrays.sort(sorted);
    // Along the first axis of two columns, of which the other is this one, negated.
    Tensor x = Tensor.stack(List.of(Tensor.of(line), Tensor.of(line).neg()), 1);
    assertThat(x.median(0).values().get(0)).isEqualTo(sorted[(n - 1) / 2]);
    assertThat(x.median(0).values().get(1)).isEqualTo(-sorted[n / 2]);
    int at = (int) x.median(0).indices().get(0);
    assertThat(line[at]).isEqualTo(sorted[(n - 1) / 2]);
    for (int k = 1; k <= n; k++) {
      assertThat(x.kthValue(k, 0).values().get(0)).isEqualTo(sorted[k - 1]);
    }
    for (double q : new double[] {0, 0.1, 0.25, 0.5, 0.9, 1}) {
      double place = q * (n - 1);
      double low = sorted[(int) Math.floor(place)];
      double high = sorted[(int) Math.ceil(place)];
      assertThat(x.quantile(q, 0).get(0))
          .isCloseTo(low + (high - low) * (place % 1), within(1e-12));
    }
    int[] order = x.argsort(0, true).select(1, 0).toIntArray();
    for (int i = 0; i < n; i++) {
      assertThat(line[order[i]]).isEqualTo(sorted[n - 1 - i]);
    }
    var unique = x.select(1, 0).unique();
    double[] different = Arrays.stream(sorted).distinct().toArray();
    assertThat(unique.values().toDoubleArray()).isEqualTo(different);
    int[] inverse = unique.inverse().toIntArray();
    for (int i = 0; i < n; i++) {
      double value = line[i];
      assertThat(different[inverse[i]]).isEqualTo(value);
      assertThat(unique.counts().get(inverse[i]))
          .isEqualTo((double) Arrays.stream(line).filter(v -> v == value).count());
    }
  }

  @Test
  void nanOnItsWayThroughAnOrder() {
    Tensor x = Tensor.of(2, NAN, 1);
    assertThat(x.median(0).values().item()).isNaN();
    assertThat(x.median(0).indices().item()).isEqualTo(1);
    assertThat(x.quantile(0, 0).item()).isNaN();
    assertThat(x.kthValue(1, 0).values().item()).isEqualTo(1);
    assertThat(x.cummax(0).values().toDoubleArray()).containsExactly(2, NAN, NAN);
    assertThat(x.cummax(0).indices().toIntArray()).containsExactly(0, 1, 1);
    assertThat(x.cummin(0).values().toDoubleArray()).containsExactly(2, NAN, NAN);
    assertThat(Tensor.of(NAN, 1, NAN, 1).unique().counts().toIntArray()).containsExactly(2, 1, 1);
    assertThat(Tensor.of(0.0, -0.0).unique().values().size()).isEqualTo(1);
    assertThat(Tensor.of(new double[0]).unique().values().shape()).isEqualTo(Shape.of(0));
    assertThat(Tensor.of(1, 3, INF).quantile(1, 0).item()).isEqualTo(INF);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 5, 8, 13, 100})
  void insertionPoints(int m) {
    double[] sorted = random.ints(m, -9, 10).asDoubleStream().sorted().toArray();
    double[] asked = {-20, -9, -3.5, 0, 0, 4, 9, 20, INF, -INF, NAN};
    for (boolean after : new boolean[] {false, true}) {
      int[] got = Tensor.of(asked).searchSorted(Tensor.of(sorted), after).toIntArray();
      for (int i = 0; i < asked.length; i++) {
        double x = asked[i];
        long before =
            Arrays.stream(sorted).filter(v -> Double.isNaN(x) || (after ? v <= x : v < x)).count();
        assertThat(got[i]).as("%s in %s", x, Arrays.toString(sorted)).isEqualTo((int) before);
      }
    }
    assertThat(Tensor.of(3, 4).reshape(1, 2).searchSorted(Tensor.of(4, 4, 5), false).shape())
        .isEqualTo(Shape.of(1, 2));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 8, 13, 100, 1000})
  void runningValues(int n) {
    double[] a = random.doubles(n, -1.2, 1.2).toArray();
    double[] b = random.doubles(n, -1, 1).toArray();
    Tensor x = Tensor.of(a);
    double state = 0;
    double product = 1;
    double most = -INF;
    double least = INF;
    double exponentials = 0;
    double[] states = x.linearScan(Tensor.of(b), 0).toDoubleArray();
    double[] products = x.cumprod(0).toDoubleArray();
    double[] greatest = x.cummax(0).values().toDoubleArray();
    int[] where = x.cummax(0).indices().toIntArray();
    double[] smallest = x.cummin(0).values().toDoubleArray();
    double[] logs = x.logCumSumExp(0).toDoubleArray();
    float[] single = x.cast(DType.F32).cumprod(0).toFloatArray();
    for (int i = 0; i < n; i++) {
      state = i == 0 ? b[0] : a[i] * state + b[i];
      product *= a[i];
      most = Math.max(most, a[i]);
      least = Math.min(least, a[i]);
      exponentials += Math.exp(a[i]);
      assertThat(states[i]).isEqualTo(state);
      assertThat(products[i]).isCloseTo(product, within(1e-12 * Math.abs(product)));
      assertThat(greatest[i]).isEqualTo(most);
      assertThat(a[where[i]]).isEqualTo(most);
      assertThat(smallest[i]).isEqualTo(least);
      assertThat(logs[i]).isCloseTo(Math.log(exponentials), within(1e-13 * n));
      // Its factors rounded, the product carried in double.
      assertThat(single[i])
          .isCloseTo(
              (float) product, within((float) (1e-6 * Math.abs(product) * Math.sqrt(n) + 1e-38)));
    }
  }

  @Test
  void runningValuesAtTheirEdges() {
    // Whatever is under way: 1e60 is out of range in F32, and comes back.
    assertThat(Tensor.of(1e30f, 1e30f, 1e-30f, 1e-30f).cumprod(0).toFloatArray())
        .containsExactly(1e30f, Float.POSITIVE_INFINITY, 1e30f, 1f);
    assertThat(Tensor.of(INF, 2, 0, 3).cumprod(0).toDoubleArray())
        .containsExactly(INF, INF, NAN, NAN);
    assertThat(Tensor.of(2, 0, INF).cumprod(0).toDoubleArray()).containsExactly(2, 0, NAN);
    assertThat(Tensor.of(2, -3, 4).cumprod(0).toIntArray()).containsExactly(2, -6, -24);
    assertThat(Tensor.of(-INF, -INF, 0, 1000, 1000).logCumSumExp(0).toDoubleArray())
        .containsExactly(-INF, -INF, 0, 1000, 1000 + Math.log(2));
    assertThat(Tensor.of(1, 3, 3, 2).cummax(0).indices().toIntArray()).containsExactly(0, 1, 2, 2);
    for (Tensor none : new Tensor[] {Tensor.zeros(3, 0), Tensor.zeros(DType.I32, 3, 0)}) {
      assertThat(none.cumprod(1).shape()).isEqualTo(Shape.of(3, 0));
      assertThat(none.cummax(1).indices().shape()).isEqualTo(Shape.of(3, 0));
      assertThat(none.linearScan(none, 0).shape()).isEqualTo(Shape.of(3, 0));
    }
    assertThat(Tensor.of(2.0).linearScan(Tensor.of(1.0, 1, 1), 0).toDoubleArray())
        .containsExactly(1, 3, 7);
    refuses(
        () -> Tensor.zeros(2).linearScan(Tensor.zeros(3), 0),
        "linearScan: shapes do not broadcast: [2] and [3]");
    refuses(
        () -> Tensor.zeros(2).linearScan(Tensor.of(1, 2), 0),
        "linearScan: element types differ: F32 [2] and I32 [2]");
    refuses(() -> Tensor.zeros(2).cumprod(1), "cumprod: axis 1 is out of range for shape [2]");
  }

  @Test
  void normsOfAnyPower() {
    double[] values = {3, -4, 0, 12};
    Tensor x = Tensor.of(values).reshape(1, 4);
    for (double p : new double[] {0.5, 1, 1.5, 2, 3, 10, 100}) {
      double sum = Arrays.stream(values).map(v -> Math.pow(Math.abs(v), p)).sum();
      assertThat(x.pNorm(p).item())
          .as("%s", p)
          .isCloseTo(Math.pow(sum, 1 / p), within(1e-12 * Math.pow(sum, 1 / p)));
      assertThat(x.pNorm(p, new int[] {1}, true).shape()).isEqualTo(Shape.of(1, 1));
      assertThat(x.pNorm(p, 1).shape()).isEqualTo(Shape.of(1));
      assertThat(x.mul(0).pNorm(p).item()).isZero();
      assertThat(Tensor.zeros(2, 0).pNorm(p, 1).toFloatArray()).containsExactly(0, 0);
      assertThat(x.mul(1e300).pNorm(p, 1).item()).as("%s", p).isFinite();
      assertThat(x.mul(1e-300).pNorm(p, 1).item()).as("%s", p).isPositive();
    }
    assertThat(x.pNorm(INF).item()).isEqualTo(12);
    assertThat(x.pNorm(-INF).item()).isEqualTo(0);
    assertThat(x.pNorm(0).item()).isEqualTo(3);
    assertThat(Tensor.of(1, INF).pNorm(3).item()).isEqualTo(INF);
    assertThat(Tensor.of(1, NAN).pNorm(3).item()).isNaN();
    assertThat(Tensor.of(-3.0).sum().pNorm(3).item()).isEqualTo(3);
    refuses(() -> x.pNorm(-1), "pNorm: p must be 0 or more, or -infinity, got -1.0");
    refuses(() -> x.pNorm(NAN), "pNorm: p must be");
  }

  @Test
  void productsAndDistancesOfVectors() {
    Tensor a = Tensor.of(1.0, 2, 3);
    Tensor b = Tensor.of(4.0, -5, 6);
    assertThat(a.dot(b).item()).isEqualTo(12);
    assertThat(a.matmul(b).item()).isEqualTo(12);
    assertThat(a.matmul(b).shape()).isEqualTo(Shape.SCALAR);
    assertThat(a.outer(Tensor.of(1.0, 10)).toDoubleArray()).containsExactly(1, 10, 2, 20, 3, 30);
    Tensor m = Tensor.of(Shape.of(2, 3), 1.0, 0, 0, 0, 1, 1);
    assertThat(m.matmul(a).toDoubleArray()).containsExactly(1, 5);
    assertThat(Tensor.of(2.0, 3).matmul(m).toDoubleArray()).containsExactly(2, 3, 3);
    Tensor batch = Tensor.stack(List.of(m, m.mul(2)), 0);
    assertThat(batch.matmul(a).shape()).isEqualTo(Shape.of(2, 2));
    assertThat(batch.matmul(a).toDoubleArray()).containsExactly(1, 5, 2, 10);
    assertThat(Tensor.of(2.0, 3).matmul(batch).toDoubleArray()).containsExactly(2, 3, 3, 4, 6, 6);
    assertThat(a.normalize(0).toDoubleArray()[2]).isCloseTo(3 / Math.sqrt(14), within(1e-15));
    assertThat(Tensor.zeros(3).normalize(0).toFloatArray()).containsOnly(0);
    assertThat(a.cosineSimilarity(b, 0).item()).isCloseTo(12 / Math.sqrt(14 * 77), within(1e-15));
    assertThat(a.mul(1e200).cosineSimilarity(b.mul(1e200), 0).item())
        .isCloseTo(12 / Math.sqrt(14 * 77), within(1e-15));
    Tensor points = Tensor.of(Shape.of(2, 2), 0.0, 0, 3, 4);
    assertThat(points.distances(points).toDoubleArray()).containsExactly(0, 5, 5, 0);
    refuses(() -> a.dot(Tensor.of(1.0)), "dot: wants two vectors of one size, got [3] and [1]");
    refuses(() -> m.outer(a), "outer: wants two vectors, got [2,3] and [3]");
    refuses(() -> m.matmul(Tensor.of(1.0, 2)), "matmul: inner dims differ", "[2,3]");
    refuses(() -> a.sum().matmul(b), "matmul: wants matrices, got []");
    refuses(
        () -> points.distances(m), "distances: wants [..,m,d] and [..,n,d], got [2,2] and [2,3]");
  }

  /** Between what they are between, of equals those, and no lower for a greater q. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64"})
  void quantilesStayBetweenTheirElements(DType type) {
    var dice = new SplittableRandom(9);
    double most = type == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE;
    try (var scope = TensorScope.open()) {
      for (int i = 0; i < 300; i++) {
        int n = dice.nextInt(2, 8);
        double[] values = new double[n];
        double scale = i % 3 == 0 ? most : Math.pow(10, dice.nextInt(-40, 38));
        double equal = i % 4 == 0 ? dice.nextDouble(-1, 1) : 0;
        Arrays.setAll(values, k -> scale * (equal != 0 ? equal : dice.nextDouble(-1, 1)));
        Tensor x = Tensor.of(values).cast(type);
        double[] sorted = x.sort(0, false).values().toDoubleArray();
        double before = sorted[0];
        for (double q = dice.nextDouble(0.05); q <= 1; q += i % 2 == 0 ? 0.09 : 1e-2) {
          double y = x.quantile(q, 0).item();
          int below = (int) (q * (n - 1));
          assertThat(y)
              .as("quantile %s of %s", q, x)
              .isBetween(sorted[below], sorted[Math.min(n - 1, below + 1)])
              .isGreaterThanOrEqualTo(before);
          double way = q * (n - 1) - below;
          double exact = sorted[below] * (1 - way) + (way == 0 ? 0 : sorted[below + 1] * way);
          double size = Math.max(Math.abs(sorted[0]), Math.abs(sorted[n - 1]));
          assertThat(y)
              .isCloseTo(exact, within(type == DType.F32 ? size * 1e-6 + 1e-44 : size * 1e-15));
          before = y;
        }
      }
    }
  }
}
