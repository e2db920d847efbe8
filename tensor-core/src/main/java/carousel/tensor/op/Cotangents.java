package carousel.tensor.op;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What rules may return. */
public final class Cotangents {
  private Cotangents() {}

  /**
   * Checks that a rule has returned one entry per input.
   *
   * @param c what the rule was given
   * @param cotangents what it returned
   * @throws TensorException naming the op, if there are more or fewer
   */
  public static void requireCount(Vjp.Context c, @Nullable Tensor[] cotangents) {
    if (cotangents.length != c.inputs()) {
      throw new TensorException(
          c.label()
              + ": its rule gives "
              + cotangents.length
              + " cotangents for "
              + c.inputs()
              + " inputs; give one for each, null where nothing flows");
    }
  }

  /**
   * Checks the cotangent of an input: of its type, on its device, of its shape, or of one that it
   * broadcasts to when it meets the other inputs and the outputs.
   *
   * @param c what the rule was given
   * @param input which input
   * @param g what the rule gives for it
   * @throws TensorException naming the op, the input, both types and shapes, and what to do
   */
  public static void requireFit(Vjp.Context c, int input, Tensor g) {
    if (g.dtype() != c.dtype(input)) {
      throw misfit(c, input, g, "; give it that type: cast(DType." + c.dtype(input) + ")");
    }
    if (!g.device().equals(c.device(input))) {
      throw misfit(c, input, g, "; move it: to(" + c.device(input) + ")");
    }
    Shape shape = c.shape(input);
    if (g.shape().equals(shape)) {
      return;
    }
    if (!isBroadcast(shape, g.shape())) {
      throw misfit(c, input, g, "; give it the shape of its input");
    }
    if (!isOfTheOp(c, g.shape())) {
      throw misfit(
          c, input, g, "; give it the shape of its input, or of what that meets in this op");
    }
  }

  private static boolean isBroadcast(Shape from, Shape to) {
    boolean fits = from.rank() <= to.rank();
    for (int i = 1; fits && i <= from.rank(); i++) {
      fits = from.dim(-i) == to.dim(-i) || from.dim(-i) == 1;
    }
    return fits;
  }

  /** Whether every axis is one of an input or output: then what is summed over is what was broadcast. */
  private static boolean isOfTheOp(Vjp.Context c, Shape shape) {
    for (int axis = 1; axis <= shape.rank(); axis++) {
      boolean known = false;
      for (int i = 0; i < c.inputs() && !known; i++) {
        known = has(c.shape(i), axis, shape.dim(-axis));
      }
      for (int k = 0; k < c.outputs() && !known; k++) {
        known = has(c.outputShape(k), axis, shape.dim(-axis));
      }
      if (!known) {
        return false;
      }
    }
    return true;
  }

  private static boolean has(Shape shape, int axis, int size) {
    return axis <= shape.rank() && shape.dim(-axis) == size;
  }

  private static TensorException misfit(Vjp.Context c, int input, Tensor g, String advice) {
    return new TensorException(
        String.format(
            Locale.ROOT,
            "%s: its rule gives %s as the cotangent of input %d, which is %s %s%s%s",
            c.label(),
            describe(g),
            input,
            c.dtype(input),
            c.shape(input),
            g.device().equals(c.device(input)) ? "" : " on " + c.device(input),
            advice));
  }

  private static String describe(Tensor g) {
    return g.dtype() + " " + g.shape() + " on " + g.device();
  }
}
