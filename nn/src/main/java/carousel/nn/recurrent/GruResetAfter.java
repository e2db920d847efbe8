package carousel.nn.recurrent;

import carousel.nn.Init;
import carousel.nn.Parameter;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The gated recurrent unit that resets <em>after</em> the product, as cuDNN and PyTorch compute it:
 * {@code r, z = σ(X·wx + H'·wh + b)}, {@code n = tanh(X·wx + b + r ⊙ (H'·wh + bh))}, {@code H = z ⊙ H' +
 * (1 − z) ⊙ n}.
 *
 * <p>Source: Chung, Gulcehre, Cho and Bengio 2014; ONNX {@code linear_before_reset = 1}.
 *
 * @param wx {@code [D,3H]}, blocks r z n
 * @param wh {@code [H,3H]}
 * @param b {@code [3H]}
 * @param bh {@code [H]}, the bias inside the reset
 */
public record GruResetAfter(Parameter wx, Parameter wh, Parameter b, Parameter bh)
    implements AffineCell<HiddenState>, CandidateCell<HiddenState> {
  /** {@code (z [N,3H], H'·wh [N,3H], bh [H], H' [N,H]) → H}: the pointwise part. */
  static final Composite GATES =
      new Composite(
          "gru_after.gates",
          in -> {
            List<Tensor> a = in[0].chunk(3, Tensor.LAST); // r z n, each [N,H]
            List<Tensor> u = in[1].chunk(3, Tensor.LAST);
            Tensor r = a.get(0).add(u.get(0)).sigmoid();
            Tensor keep = a.get(1).add(u.get(1)).sigmoid();
            Tensor n = a.get(2).add(r.mul(u.get(2).add(in[2]))).tanh();
            return new Tensor[] {n.add(keep.mul(in[3].sub(n)))};
          });

  /** Checks that the weights fit each other. */
  public GruResetAfter {
    int h = Weights.rows(wh);
    Weights.check("gru-after", "wh", wh, h, 3 * h);
    Weights.check("gru-after", "wx", wx, Weights.rows(wx), 3 * h);
    Weights.check("gru-after", "b", b, 3 * h);
    Weights.check("gru-after", "bh", bh, h);
  }

  /**
   * A cell.
   *
   * @param inputs D
   * @param hidden H
   * @param init how the matrices start; biases start at 0
   * @param rng where random numbers come from
   * @return the cell
   */
  public static GruResetAfter of(int inputs, int hidden, Init init, Philox rng) {
    return new GruResetAfter(
        init.parameter(rng, inputs, 3 * hidden),
        init.parameter(rng, hidden, 3 * hidden),
        Weights.zeros(init, 3 * hidden),
        Weights.zeros(init, hidden));
  }

  @Override
  public String label() {
    return "gru_after";
  }

  @Override
  public int outputs() {
    return Weights.rows(wh);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    Tensor u = state.h().matmul(wh.value());
    return new HiddenState(Op.apply(GATES, z, u, bh.value(), state.h()));
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state, UnaryOperator<Tensor> candidate) {
    List<Tensor> a = z.chunk(3, Tensor.LAST); // r z n
    List<Tensor> u = state.h().matmul(wh.value()).chunk(3, Tensor.LAST);
    Tensor r = a.get(0).add(u.get(0)).sigmoid();
    Tensor keep = a.get(1).add(u.get(1)).sigmoid();
    Tensor n = candidate.apply(a.get(2).add(r.mul(u.get(2).add(bh.value()))).tanh());
    return new HiddenState(n.add(keep.mul(state.h().sub(n))));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(Weights.zeros(wh, batch, outputs()));
  }
}
