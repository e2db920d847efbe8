package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.OutOfMemoryException;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reductions of what is broadcast: elements that are the same place in memory are read once, and count as often
 * as they are there. So the sum of an expanded view needs neither its size in memory nor its time.
 */
final class Repeats {
  /** Up to so many elements reading them is quicker than finding out. */
  private static final int FEW = 4096;

  private Repeats() {}

  /** The axes among those reduced along which elements are the same; none where that is of no use. */
  static List<Integer> axes(Reduce reduce, Tensor x, List<Integer> reduced) {
    List<Integer> repeated = new ArrayList<>();
    if (reduce == Reduce.PROD || x.size() <= FEW) {
      return repeated;
    }
    for (int axis : reduced) {
      if (Engine.layout(x).stride(axis) == 0 && x.dim(axis) > 1) {
        repeated.add(axis);
      }
    }
    return repeated;
  }

  /** With one position on some axes. */
  static Tensor once(Tensor x, List<Integer> axes) {
    Layout layout = Engine.layout(x);
    for (int axis : axes) {
      layout = layout.slice(axis, 0, 1, 1);
    }
    return Engine.over(x, layout);
  }

  /** In double precision, if the result is to be scaled: then it is rounded once. */
  static Tensor wide(Reduce reduce, Tensor x) {
    return scales(reduce) && x.dtype() == DType.F32 ? new Cast(DType.F64).evaluate(x)[0] : x;
  }

  private static boolean scales(Reduce reduce) {
    return switch (reduce) {
      case SUM, LOG_SUM_EXP, NORM, WIDE_NORM -> true;
      case MEAN, MAX, MIN, PROD, ARG_MAX, ARG_MIN, ANY, ALL -> false;
    };
  }

  /** A result as it is when each element counts as often as the axes have positions. */
  static Tensor times(Reduce reduce, Tensor once, Tensor x, List<Integer> axes) {
    if (once.dtype() == DType.I32 && reduce == Reduce.SUM) {
      return product(once, x, axes);
    }
    double times = 1;
    for (int axis : axes) {
      times *= x.dim(axis);
    }
    return switch (reduce) {
      case SUM -> applied(Binary.MUL, once, times);
      case NORM, WIDE_NORM -> applied(Binary.MUL, once, Math.sqrt(times));
      case LOG_SUM_EXP -> applied(Binary.ADD, once, Math.log(times));
      case MEAN, MAX, MIN, ARG_MAX, ARG_MIN, ANY, ALL -> once;
      case PROD -> throw new AssertionError("each factor is read"); // see axes
    };
  }

  private static Tensor applied(Binary row, Tensor x, double number) {
    return row.evaluate(x, x.fullLike(Shape.SCALAR, number))[0];
  }

  /** By a reduction, which refuses what does not fit. */
  private static Tensor product(Tensor once, Tensor x, List<Integer> axes) {
    List<Tensor> factors = new ArrayList<>(List.of(once));
    for (int axis : axes) {
      factors.add(Engine.expanded(once.fullLike(Shape.SCALAR, x.dim(axis)), once.shape()));
    }
    Tensor stacked = new Joins.Stack(0).evaluate(factors.toArray(new Tensor[0]))[0];
    try {
      Tensor product = new ReduceAxes(Reduce.PROD, List.of(0)).evaluate(stacked)[0];
      return new Views.Select(0, 0).evaluate(product)[0];
    } catch (TensorException e) {
      // Nobody has asked for a product.
      throw e instanceof OutOfMemoryException ? e : WholeNumbers.overflow(Reduce.SUM.label());
    }
  }
}
