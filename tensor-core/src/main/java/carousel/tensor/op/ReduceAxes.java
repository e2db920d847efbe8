package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;

/**
 * A {@link Reduce} over axes, which keep size 1: {@code x [T,N,D] → y [T,1,D]} over axis 1.
 *
 * @param reduce what is computed
 * @param axes the axes reduced, ascending, each in {@code [0, rank)}
 */
public record ReduceAxes(Reduce reduce, List<Integer> axes) implements Op {
  @Override
  public String label() {
    return reduce.label();
  }

  @Override
  public Vjp vjp() {
    return switch (reduce) {
      case SUM -> Vjp.shaped(c -> c.g().expand(c.shape(0)));
      case MEAN -> Vjp.shaped(c -> c.g().div((double) count(c.shape(0))).expand(c.shape(0)));
      // Equal shares to all that attain the extreme.
      case MAX, MIN ->
          Vjp.of(
              Vjp.Rule.from(
                  List.of(0),
                  true,
                  c -> {
                    Tensor hit = c.in(0).eq(c.out(0)).cast(c.dtype(0));
                    // By the row: to the facade, no axes mean all of them.
                    return c.g().mul(hit).div(Op.apply(new ReduceAxes(Reduce.SUM, axes), hit));
                  }));
      // The softmax, whose sum is found again: y is rounded, and beside a large x by more than ln Σ
      // is
      // long. Nothing flows where all of x is −∞.
      case LOG_SUM_EXP ->
          Vjp.of(
              Vjp.Rule.from(
                  List.of(0),
                  true,
                  c -> {
                    Tensor y = c.out(0);
                    Tensor empty = y.eq(Double.NEGATIVE_INFINITY);
                    Tensor shift = Tensor.where(empty, y.zerosLike(), y).detach();
                    Tensor e = c.in(0).sub(shift).exp();
                    Tensor sum = Op.apply(new ReduceAxes(Reduce.SUM, axes), e);
                    Tensor some = Tensor.where(empty, sum.onesLike(), sum);
                    return c.g().div(some).mul(e);
                  }));
      // x/y, and 0 at the origin, the subgradient PyTorch takes.
      case NORM ->
          Vjp.of(
              Vjp.Rule.from(
                  List.of(0),
                  true,
                  c -> {
                    Tensor zero = c.out(0).eq(0);
                    Tensor safe = Tensor.where(zero, c.out(0).onesLike(), c.out(0));
                    Tensor slope = c.in(0).div(safe);
                    return c.g().mul(Tensor.where(zero, slope.zerosLike(), slope));
                  }));
      // Likewise; the cotangent is F64, too, until the end.
      case WIDE_NORM ->
          Vjp.of(
              Vjp.Rule.from(
                  List.of(0),
                  true,
                  c -> {
                    Tensor zero = c.out(0).eq(0);
                    Tensor safe = Tensor.where(zero, c.out(0).onesLike(), c.out(0));
                    Tensor slope = c.in(0).cast(DType.F64).div(safe);
                    return c.g().mul(Tensor.where(zero, slope.zerosLike(), slope)).cast(c.dtype(0));
                  }));
      case PROD, ARG_MAX, ARG_MIN, ANY, ALL -> Vjp.none();
    };
  }

  private int[] toArray() {
    return axes.stream().mapToInt(Integer::intValue).toArray();
  }

  private long count(Shape shape) {
    long n = 1;
    for (int axis : axes) {
      n *= shape.dim(axis);
    }
    return n;
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    reduce.domain().require(label(), x);
    int[] dims = x.shape().toArray();
    for (int axis : axes) {
      dims[axis] = 1;
    }
    var shape = Shape.of(dims);
    if (!reduce.hasIdentity() && count(x.shape()) == 0 && shape.size() > 0) {
      throw new TensorException(
          label() + ": no elements to choose from: " + x.shape() + " over axes " + axes);
    }
    Tensor y = Engine.empty(label(), x.device(), reduce.result(x.dtype()), shape);
    List<Integer> repeated = Repeats.axes(reduce, x, axes);
    if (!repeated.isEmpty()) {
      try (var scope = TensorScope.openUnwatched()) {
        Tensor once = evaluate(Repeats.wide(reduce, Repeats.once(x, repeated)))[0];
        y.device().backend().copy(Repeats.times(reduce, once, x, repeated), y);
      }
    } else if (axes.size() > 1 && count(x.shape()) > Integer.MAX_VALUE) {
      // One axis after the other: what backends fold at once has the positions of one axis.
      try (var scope = TensorScope.openUnwatched()) {
        List<Integer> outer = axes.subList(0, 1);
        Tensor inner = new ReduceAxes(reduce, axes.subList(1, axes.size())).evaluate(x)[0];
        y.device().backend().copy(new ReduceAxes(reduce, outer).evaluate(inner)[0], y);
      }
    } else {
      x.device().backend().reduce(reduce, x, toArray(), y);
    }
    return new Tensor[] {y};
  }

  @Override
  public String toString() {
    return label() + Arrays.toString(toArray());
  }
}
