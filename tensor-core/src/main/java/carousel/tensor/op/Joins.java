package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;

/** Ops that copy their inputs into places of a new tensor: the adjoints of {@link Views}. */
public sealed interface Joins extends Op {

  /**
   * Inputs one after the other along an axis.
   *
   * @param axis in {@code [0, rank)}
   */
  record Concat(int axis) implements Joins {
    @Override
    public String label() {
      return "concat";
    }

    @Override
    public Vjp vjp() {
      return Vjp.linearAll((c, inputs) -> {
        List<Integer> sizes = new ArrayList<>(inputs);
        for (int i = 0; i < inputs; i++) {
          sizes.add(c.shape(i).dim(axis));
        }
        return Op.applyAll(new Views.Split(axis, sizes), c.g());
      });
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor first = inputs[0];
      long total = 0;
      for (Tensor x : inputs) {
        Checks.sameType(label(), first, x);
        Checks.sameDevice(label(), first, x);
        if (x.rank() != first.rank()
            || !x.shape().with(axis, 0).equals(first.shape().with(axis, 0))) {
          throw new TensorException(
              "concat: shapes differ beside axis "
                  + axis
                  + ": "
                  + first.shape()
                  + " and "
                  + x.shape());
        }
        total += x.dim(axis);
      }
      int size = Checks.size(this, total, first.shape());
      Tensor y =
          Engine.empty("concat", first.device(), first.dtype(), first.shape().with(axis, size));
      int start = 0;
      for (Tensor x : inputs) {
        place(x, y, Engine.layout(y).slice(axis, start, 1, x.dim(axis)));
        start += x.dim(axis);
      }
      return new Tensor[] {y};
    }
  }

  /**
   * Inputs of one shape along a new axis: {@code T × [N,D] → [T,N,D]}.
   *
   * @param axis in {@code [0, rank]} of the inputs
   */
  record Stack(int axis) implements Joins {
    @Override
    public String label() {
      return "stack";
    }

    @Override
    public Vjp vjp() {
      return Vjp.linearAll((c, inputs) -> Op.applyAll(new Views.Unbind(axis), c.g()));
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor first = inputs[0];
      Shape shape = first.shape().insert(axis, inputs.length);
      Tensor y = Engine.empty("stack", first.device(), first.dtype(), shape);
      for (int i = 0; i < inputs.length; i++) {
        Checks.sameType(label(), first, inputs[i]);
        Checks.sameDevice(label(), first, inputs[i]);
        Checks.shape(label(), "input " + i, inputs[i], first.shape());
        place(inputs[i], y, Engine.layout(y).select(axis, i));
      }
      return new Tensor[] {y};
    }
  }

  /**
   * The input at every step-th position of a longer axis, zeros between: the adjoint of {@link
   * Views.Slice}.
   *
   * @param axis in {@code [0, rank)}
   * @param start where the first position goes
   * @param step the distance, ≥ 1
   * @param size the length of the axis in the result
   */
  record Spread(int axis, int start, int step, int size) implements Joins {
    @Override
    public String label() {
      return "spread";
    }

    @Override
    public Vjp vjp() {
      return Vjp.shaped(
          c -> Op.apply(new Views.Slice(axis, start, step, c.shape(0).dim(axis)), c.g()));
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor x = inputs[0];
      Tensor y = Engine.empty("spread", x.device(), x.dtype(), x.shape().with(axis, size));
      y.device().backend().fill(y, 0);
      place(x, y, Engine.layout(y).slice(axis, start, step, x.dim(axis)));
      return new Tensor[] {y};
    }
  }

  /** A dense copy in row-major order. */
  record Copy() implements Joins {
    @Override
    public String label() {
      return "copy";
    }

    @Override
    public Vjp vjp() {
      return Vjp.linear(g -> g);
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor x = inputs[0];
      Tensor y = Engine.empty("copy", x.device(), x.dtype(), x.shape());
      x.device().backend().copy(x, y);
      return new Tensor[] {y};
    }
  }

  private static void place(Tensor x, Tensor y, Layout where) {
    y.device().backend().copy(x, Engine.over(y, where));
  }
}
