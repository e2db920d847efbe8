package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CumSum;
import carousel.tensor.op.Indexing;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Softmax;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.Set;

/**
 * How far a device may be from the reference, per element of a result.
 *
 * <ul>
 *   <li>What only moves, compares, counts, or rounds once: not at all.
 *   <li>Elementwise functions: 4 ulp of the result.
 *   <li>Sums of n terms: {@code (8 + 2√n) ε Σ|terms|}; any order of summation stays within it on
 *       what is tried here, and a lost or doubled term does not. Norms likewise, relative to the
 *       result; products of n factors {@code (8 + n) ε}, and running sums of F64, where the reference
 *       itself rounds each of them: equal terms round alike every time.
 *   <li>Softmax and logSumExp: the error of the sum, and that of the exponents, {@code ε |ln y|}.
 * </ul>
 */
final class Tolerance {
  private static final int ULPS = 4;

  /** One rounding at most, the same everywhere by IEEE 754. */
  private static final Set<Op> EXACT =
      Set.of(
          Unary.NEG,
          Unary.ABS,
          Unary.SIGN,
          Unary.SQUARE,
          Unary.SQRT,
          Unary.RECIPROCAL,
          Unary.RELU,
          Unary.HEAVISIDE,
          Unary.FLOOR,
          Unary.CEIL,
          Unary.ROUND,
          Binary.ADD,
          Binary.SUB,
          Binary.MUL,
          Binary.DIV,
          Binary.MAX,
          Binary.MIN,
          Binary.LEAKY_RELU,
          Ternary.WHERE,
          Ternary.CLAMP,
          Ternary.FMA);

  private Tolerance() {}

  /**
   * The greatest allowed difference per element.
   *
   * @param c the case
   * @param type its type
   * @param expected what the reference gives
   * @return one bound per element; 0 where the value must be the same
   */
  static double[] of(OpCase c, DType type, double[] expected) {
    double[] bound = new double[expected.length];
    if (!type.isFloating() || EXACT.contains(c.op())) {
      return bound;
    }
    double epsilon = type == DType.F32 ? Math.ulp(1f) : Math.ulp(1.0);
    switch (c.op()) {
      case Unary u -> ulps(bound, expected, type, ULPS);
      case Binary b -> ulps(bound, expected, type, ULPS);
      case Ternary t -> ulps(bound, expected, type, ULPS);
      case ReduceAxes r -> reduction(bound, c, r, expected, epsilon);
      case Softmax s -> {
        double sum = sumFactor(c.operands().getFirst().shape().dim(s.axis()));
        for (int i = 0; i < bound.length; i++) {
          double y = Math.abs(expected[i]);
          double smallest = type == DType.F32 ? Float.MIN_VALUE : Double.MIN_VALUE;
          bound[i] =
              s.log()
                  ? epsilon * (sum + y)
                  : y == 0 ? smallest : epsilon * (sum + Math.abs(Math.log(y))) * y + smallest;
        }
      }
      case CumSum s -> {
        long n = c.operands().getFirst().shape().dim(s.axis());
        ofMagnitudes(bound, c, epsilon * (type == DType.F64 ? 8 + n : sumFactor(n)));
      }
      case MatMul m ->
          ofMagnitudes(bound, c, epsilon * sumFactor(c.operands().getFirst().shape().dim(-1)));
      case Indexing.ScatterAdd s ->
          ofMagnitudes(bound, c, epsilon * sumFactor(c.operands().getLast().shape().size()));
      case Indexing.IndexAdd s ->
          ofMagnitudes(bound, c, epsilon * sumFactor(c.operands().get(1).shape().size()));
      case Composite f -> {
        for (int i = 0; i < bound.length; i++) {
          bound[i] = 64 * epsilon * Math.max(1, Math.abs(expected[i]));
        }
      }
      default -> {}
    }
    return bound;
  }

  private static void ulps(double[] bound, double[] expected, DType type, int ulps) {
    for (int i = 0; i < bound.length; i++) {
      double ulp = type == DType.F32 ? Math.ulp((float) expected[i]) : Math.ulp(expected[i]);
      bound[i] = Double.isFinite(ulp) ? ulps * ulp : 0;
    }
  }

  private static double sumFactor(long n) {
    return 8 + 2 * Math.sqrt((double) n);
  }

  private static void reduction(
      double[] bound, OpCase c, ReduceAxes r, double[] expected, double epsilon) {
    long n = 1;
    for (int axis : r.axes()) {
      n *= c.operands().getFirst().shape().dim(axis);
    }
    double factor = epsilon * sumFactor(n);
    switch (r.reduce()) {
      case SUM, MEAN -> ofMagnitudes(bound, c, factor);
      // Equal factors round alike every time, so their errors add up.
      case PROD -> relative(bound, expected, epsilon * (8 + n), 0);
      case NORM, WIDE_NORM -> relative(bound, expected, factor, 0);
      case LOG_SUM_EXP -> relative(bound, expected, epsilon, factor);
      case MAX, MIN, ARG_MAX, ARG_MIN, ANY, ALL -> {}
    }
  }

  private static void relative(double[] bound, double[] expected, double factor, double absolute) {
    for (int i = 0; i < bound.length; i++) {
      double y = Math.abs(expected[i]);
      bound[i] = Double.isFinite(y) ? factor * y + absolute : 0;
    }
  }

  /** The op itself on the absolute values of its floating inputs says how much could be lost. */
  private static void ofMagnitudes(double[] bound, OpCase c, double factor) {
    try (var scope = TensorScope.open(Device.reference())) {
      Tensor[] inputs = c.inputs();
      for (int i = 0; i < inputs.length; i++) {
        if (inputs[i].dtype().isFloating()) {
          inputs[i] = inputs[i].cast(DType.F64).abs();
        }
      }
      double[] magnitude = c.op().evaluate(inputs)[0].toDoubleArray();
      for (int i = 0; i < bound.length; i++) {
        bound[i] = Double.isFinite(magnitude[i]) ? factor * magnitude[i] : 0;
      }
    }
  }
}
