package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * The linear recurrence {@code h_i = a_i ⊙ h_{i−1} + b_i} along an axis, from {@code h_0 = b_0}; a_0 is not
 * read. F32 is carried in double; of I32, what does not fit is an error. {@code (a, b) → h}, all of one shape.
 *
 * @param axis in {@code [0, rank)}
 */
public record LinearScan(int axis) implements Op {
  @Override
  public String label() {
    return "linearScan";
  }

  /**
   * What flows into h_i, {@code s_i = g_i + a_{i+1} s_{i+1}}, is the recurrence from the other end; it flows
   * to b_i, and {@code s_i ⊙ h_{i−1}} to a_i. So rules of rules are recurrences, and none divides.
   */
  @Override
  public Vjp vjp() {
    return Vjp.of(
        Vjp.Rule.from(
            List.of(0),
            true,
            c -> {
              int n = c.shape(0).dim(axis);
              if (n < 2) {
                return c.g().zerosLike(c.shape(0));
              }
              Tensor s = arriving(c.g(), c.in(0)).narrow(axis, 1, n - 1);
              return s.mul(c.out(0).narrow(axis, 0, n - 1)).pad(axis, 1, 0, 0);
            }),
        Vjp.Rule.reading(0, this::arriving));
  }

  private Tensor arriving(Tensor g, Tensor a) {
    int n = a.dim(axis);
    if (n == 0) {
      return g;
    }
    // a_{i+1} beside g_i; from the other end, the last is the first, whose factor is not read.
    Tensor next = a.narrow(axis, 1, n - 1).pad(axis, 0, 1, 0);
    return next.flip(axis).linearScan(g.flip(axis), axis).flip(axis);
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor a = inputs[0];
    Tensor b = inputs[1];
    Domain.NUMERIC.require(label(), a, b);
    Checks.shape(label(), "b", b, a.shape());
    Tensor h = Engine.empty(label(), a.device(), a.dtype(), a.shape());
    a.device().backend().linearScan(a, b, axis, h);
    return new Tensor[] {h};
  }
}
