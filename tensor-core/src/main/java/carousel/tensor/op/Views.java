package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;

/** Ops that look at the same storage in another way: no element is copied. */
public sealed interface Views extends Op {
  /**
   * The layout of the result.
   *
   * @param layout the layout of the input
   * @return the layout over the same storage
   */
  Layout layout(Layout layout);

  @Override
  default Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    return new Tensor[] {Engine.over(x, layout(Engine.layout(x)))};
  }

  /**
   * The same elements in another shape; only where strides allow it, {@link Tensor#reshape} copies
   * first where they do not.
   *
   * @param shape the new shape, of the same size
   */
  record Reshape(Shape shape) implements Views {
    @Override
    public String label() {
      return "reshape";
    }

    @Override
    public Vjp vjp() {
      return Vjp.shaped(c -> c.g().reshape(c.shape(0)));
    }

    @Override
    public Layout layout(Layout layout) {
      Layout result = layout.reshape(shape);
      if (result == null) {
        throw new carousel.tensor.TensorException(
            "reshape: " + layout + " cannot be viewed as " + shape + "; use Tensor.reshape");
      }
      return result;
    }
  }

  /**
   * The axes in another order.
   *
   * @param order axis k of the result is axis order[k] of the input
   */
  record Permute(List<Integer> order) implements Views {
    @Override
    public String label() {
      return "permute";
    }

    @Override
    public Vjp vjp() {
      int[] inverse = new int[order.size()];
      for (int k = 0; k < inverse.length; k++) {
        inverse[order.get(k)] = k;
      }
      return Vjp.linear(g -> g.permute(inverse));
    }

    @Override
    public Layout layout(Layout layout) {
      return layout.permute(order.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  /**
   * Repeats axes of size 1 and new leading axes. The rule gives g as it is: summing it to the input's
   * shape is the caller's part, as with every broadcast.
   *
   * @param shape the new shape
   */
  record Expand(Shape shape) implements Views {
    @Override
    public String label() {
      return "expand";
    }

    @Override
    public Vjp vjp() {
      return Vjp.linear(g -> g);
    }

    @Override
    public Layout layout(Layout layout) {
      // For the error when it does not broadcast.
      var common = Shape.broadcast("expand", layout.shape(), shape);
      if (!common.equals(shape)) {
        throw new carousel.tensor.TensorException(
            "expand: "
                + layout.shape()
                + " does not expand to "
                + shape
                + "; only axes of size 1 can be repeated");
      }
      return layout.expand(shape);
    }
  }

  /**
   * Every step-th position of an axis, from start.
   *
   * @param axis in {@code [0, rank)}
   * @param start the first position
   * @param step the distance, ≥ 1
   * @param count how many
   */
  record Slice(int axis, int start, int step, int count) implements Views {
    @Override
    public String label() {
      return "slice";
    }

    @Override
    public Vjp vjp() {
      return Vjp.shaped(
          c -> Op.apply(new Joins.Spread(axis, start, step, c.shape(0).dim(axis)), c.g()));
    }

    @Override
    public Layout layout(Layout layout) {
      return layout.slice(axis, start, step, count);
    }
  }

  /**
   * One position of an axis, which disappears.
   *
   * @param axis in {@code [0, rank)}
   * @param index the position
   */
  record Select(int axis, int index) implements Views {
    @Override
    public String label() {
      return "select";
    }

    @Override
    public Vjp vjp() {
      return Vjp.shaped(c ->
          Op.apply(new Joins.Spread(axis, index, 1, c.shape(0).dim(axis)), c.g().unsqueeze(axis)));
    }

    @Override
    public Layout layout(Layout layout) {
      return layout.select(axis, index);
    }
  }

  /**
   * An axis in reverse order.
   *
   * @param axis in {@code [0, rank)}
   */
  record Flip(int axis) implements Views {
    @Override
    public String label() {
      return "flip";
    }

    @Override
    public Vjp vjp() {
      return Vjp.linear(g -> g.flip(axis));
    }

    @Override
    public Layout layout(Layout layout) {
      int n = layout.shape().dim(axis);
      return layout.slice(axis, Math.max(0, n - 1), -1, n);
    }
  }

  /** The same value, through which no gradient flows. */
  record Detach() implements Views {
    @Override
    public String label() {
      return "detach";
    }

    @Override
    public Vjp vjp() {
      return Vjp.none();
    }

    @Override
    public Layout layout(Layout layout) {
      return layout;
    }
  }

  /**
   * All positions of an axis, each a tensor without it: {@code x [T,N,D] → T × [N,D]}. One op with T
   * outputs, so that its gradient is one {@link Joins.Stack}.
   *
   * @param axis in {@code [0, rank)}
   */
  record Unbind(int axis) implements Views {
    @Override
    public String label() {
      return "unbind";
    }

    @Override
    public Vjp vjp() {
      return Vjp.shaped(c -> Op.apply(new Joins.Stack(axis), all(c, c.shape(0).dim(axis))));
    }

    @Override
    public Layout layout(Layout layout) {
      return layout.select(axis, 0);
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor x = inputs[0];
      Tensor[] out = new Tensor[x.shape().dim(axis)];
      for (int i = 0; i < out.length; i++) {
        out[i] = Engine.over(x, Engine.layout(x).select(axis, i));
      }
      return out;
    }
  }

  /**
   * Consecutive pieces of an axis. One op with many outputs, so that its gradient is one {@link
   * Joins.Concat}.
   *
   * @param axis in {@code [0, rank)}
   * @param sizes the lengths of the pieces, which sum to the axis
   */
  record Split(int axis, List<Integer> sizes) implements Views {
    @Override
    public String label() {
      return "split";
    }

    @Override
    public Vjp vjp() {
      return Vjp.shaped(c -> Op.apply(new Joins.Concat(axis), all(c, sizes.size())));
    }

    @Override
    public Layout layout(Layout layout) {
      return layout.slice(axis, 0, 1, sizes.getFirst());
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor x = inputs[0];
      Tensor[] out = new Tensor[sizes.size()];
      int start = 0;
      for (int i = 0; i < out.length; i++) {
        out[i] = Engine.over(x, Engine.layout(x).slice(axis, start, 1, sizes.get(i)));
        start += sizes.get(i);
      }
      return out;
    }
  }

  private static Tensor[] all(Vjp.Context c, int outputs) {
    Tensor[] g = new Tensor[outputs];
    for (int i = 0; i < outputs; i++) {
      g[i] = c.g(i);
    }
    return g;
  }
}
