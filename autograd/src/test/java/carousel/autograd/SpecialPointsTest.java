package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.SpecialPoints;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every rule at its special points, to the third order: a row that is added is here by its declaration. A
 * rule that masks what is not defined must not differentiate it all the same.
 */
@Tag("cpu")
class SpecialPointsTest {
  private static final double[] POINTS = {0, -0.0, 1e-40, -1e-40, 1, -1, 2, -2, 3, 0.5, 20, -20};
  private static final double[] LEFT = {0, -0.0, 1, -1, 2, 0.5, Double.POSITIVE_INFINITY};
  private static final double[] RIGHT = {0, 1, -1, 2, 3, Double.NEGATIVE_INFINITY};

  private static SpecialPoints points() {
    return new SpecialPoints((scalar, x) -> Grad.orZero(scalar, x).get(0));
  }

  private static void none(SpecialPoints points) {
    assertThat(points.wrong()).isEmpty();
    assertThat(points.held()).as("derivatives that have a limit").isPositive();
  }

  @TestFactory
  Stream<DynamicTest> unary() {
    return Arrays.stream(Unary.values())
        .filter(row -> row.domain().accepts(DType.F64) && row.result(DType.F64) == DType.F64)
        .map(row -> DynamicTest.dynamicTest(row.label(), () -> none(points(row))));
  }

  private static SpecialPoints points(Unary row) {
    SpecialPoints points = points();
    for (double x : POINTS) {
      points.along(row.label(), applied(row), new double[][] {{x}}, new double[][] {{1}});
    }
    return points;
  }

  @TestFactory
  Stream<DynamicTest> binary() {
    return Arrays.stream(Binary.values())
        .filter(row -> row.domain().accepts(DType.F64) && row.result(DType.F64) == DType.F64)
        .map(row -> DynamicTest.dynamicTest(row.label(), () -> none(points(row))));
  }

  private static SpecialPoints points(Binary row) {
    double[][] ways = {{1, 0}, {0, 1}, {1, 1}, {1, -0.5}};
    SpecialPoints points = points();
    for (double a : LEFT) {
      for (double b : RIGHT) {
        if (row == Binary.POW && (Double.isInfinite(a) || Double.isInfinite(b))) {
          continue; // b a^(b−1) and y ln a are products of ∞ and 0
        }
        for (double[] way : ways) {
          points.along(
              row.label(),
              applied(row),
              new double[][] {{a}, {b}},
              new double[][] {{way[0]}, {way[1]}});
        }
      }
    }
    return points;
  }

  @TestFactory
  Stream<DynamicTest> ternary() {
    return Arrays.stream(Ternary.values())
        .map(row -> DynamicTest.dynamicTest(row.label(), () -> none(points(row))));
  }

  private static SpecialPoints points(Ternary row) {
    double[] values = {0, 1, -1, 2};
    double[][] ways = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 1}, {1, -1, 0.5}};
    UnaryOperator<Tensor[]> f =
        row == Ternary.WHERE ? in -> Op.applyAll(row, in[0].gt(0), in[1], in[2]) : applied(row);
    SpecialPoints points = points();
    for (double a : values) {
      for (double b : values) {
        for (double c : values) {
          for (double[] way : ways) {
            // A mask's borders are jumps of where: there is nothing to hold it to.
            if (row != Ternary.WHERE || way[0] == 0) {
              points.along(
                  row.label(),
                  f,
                  new double[][] {{a}, {b}, {c}},
                  new double[][] {{way[0]}, {way[1]}, {way[2]}});
            }
          }
        }
      }
    }
    return points;
  }

  /** Holds a row to its special points; everything else has none here. */
  static void check(Op op) {
    switch (op) {
      case Unary row -> none(points(row));
      case Binary row -> none(points(row));
      case Ternary row -> none(points(row));
      case ReduceAxes of -> none(points(of.label(), reduced(of.reduce())));
      default -> {}
    }
  }

  /** Rows of three: origins, ties, zeros, what is far from the rest, what is far from 0. */
  private static final double[][] ROWS = {
    {0, 0, 0},
    {1, 1, 1},
    {-2, -2, -2},
    {1, 1, 0},
    {0, 3, 0},
    {1, 2, 3},
    {-1, 0, 1},
    {1e4, 1e4, 1e4},
    {1e7, 1e7, 1e7},
    {0, 30, 0}
  };

  private static final double[][] DIRECTIONS = {
    {1, 0, 0}, {1, 1, 1}, {1, -1, 0}, {0.5, -1, 2}, {0, 0, -1}
  };

  @TestFactory
  Stream<DynamicTest> reductions() {
    return Arrays.stream(Reduce.values())
        .filter(row -> row.domain() != Domain.LOGICAL)
        .filter(row -> row != Reduce.ARG_MAX && row != Reduce.ARG_MIN)
        // Of floating numbers a composite, below.
        .filter(row -> row != Reduce.PROD)
        .map(row ->
            DynamicTest.dynamicTest(row.label(), () -> none(points(row.label(), reduced(row)))));
  }

  private static UnaryOperator<Tensor> reduced(Reduce row) {
    return x -> Op.apply(new ReduceAxes(row, List.of(0)), x);
  }

  /** What is made of rows and has points of its own, and ops along an axis. */
  @TestFactory
  Stream<DynamicTest> composites() {
    return Map.<String, UnaryOperator<Tensor>>of(
            "prod", x -> x.prod(),
            "variance", x -> x.variance(),
            "std", x -> x.std(),
            "std(0)", x -> x.std(new int[0], false, 0),
            "softmax", x -> x.softmax(0).select(0, 0),
            "logSoftmax", x -> x.logSoftmax(0).select(0, 1),
            "cumsum", x -> x.cumsum(0).sigmoid(),
            "sort", x -> x.sort(0, true).values().select(0, 0),
            "x^5", x -> x.pow(5))
        .entrySet()
        .stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(), () -> none(points(entry.getKey(), entry.getValue()))));
  }

  private static SpecialPoints points(String name, UnaryOperator<Tensor> f) {
    SpecialPoints points = points();
    for (double[] x : ROWS) {
      for (double[] d : DIRECTIONS) {
        points.along(
            name, in -> new Tensor[] {f.apply(in[0])}, new double[][] {x}, new double[][] {d});
      }
    }
    return points;
  }

  private static UnaryOperator<Tensor[]> applied(Op op) {
    return in -> Op.applyAll(op, in);
  }

  /** At ±∞ the slope is the limit of slopes far out, where they have one: there is no 0·∞. */
  @TestFactory
  Stream<DynamicTest> atInfinity() {
    return Arrays.stream(Unary.values())
        .filter(row -> row.domain().accepts(DType.F64) && row.result(DType.F64) == DType.F64)
        .map(row ->
            DynamicTest.dynamicTest(
                row.label(),
                () -> {
                  for (double end : new double[] {1, -1}) {
                    double near = slope(row, end * 300);
                    double far = slope(row, end * 600);
                    if (Math.abs(near - far) < 1e-6) {
                      for (DType type : new DType[] {DType.F64, DType.F32}) {
                        try (var scope = TensorScope.open()) {
                          Tensor x = Tensor.full(type, end * Double.POSITIVE_INFINITY);
                          assertThat(Grad.orZero(() -> Op.apply(row, x), x).get(0).item())
                              .as("%s' at %s ∞ in %s", row.label(), end, type)
                              .isCloseTo(far, within(1e-5));
                        }
                      }
                    }
                  }
                }));
  }

  private static double slope(Unary row, double x) {
    return (row.scalar(x + 0.375) - row.scalar(x + 0.25)) / 0.125;
  }

  /** Where y + 1 would be 0, and the logarithm of the slope −∞. */
  @Test
  void theSlopeOfExpm1IsExactFarBelowZero() {
    for (double x : new double[] {-10, -20, -40, -80}) {
      try (var scope = TensorScope.open()) {
        Tensor at = Tensor.full(DType.F32, x);
        assertThat(Grad.of(at::expm1, at).get(0).log().item()).isCloseTo(x, within(1e-4));
      }
    }
  }

  /** {@code d^k/dx^k xⁿ} at 0 is n! for k = n and 0 for all others; next to 0, where 1/x is ∞, nearly. */
  @Test
  void derivativesOfPowersAtZero() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (int n = 0; n <= 4; n++) {
        double factorial = 1;
        for (int k = 1; k <= 7; k++) {
          factorial *= k;
          try (var scope = TensorScope.open()) {
            Tensor exponent = Tensor.full(type, n);
            for (double at : new double[] {0, -0.0, type == DType.F32 ? 1e-40 : 1e-310}) {
              assertThat(derivative(Tensor.full(type, at), exponent, k).item())
                  .as("derivative %d of x^%d at %s in %s", k, n, at, type)
                  .isCloseTo(k == n ? factorial : 0, within(1e-30));
            }
          }
        }
      }
    }
  }

  private static Tensor derivative(Tensor x, Tensor exponent, int k) {
    return k == 0 ? x.pow(exponent) : Grad.orZero(() -> derivative(x, exponent, k - 1), x).get(0);
  }
}
