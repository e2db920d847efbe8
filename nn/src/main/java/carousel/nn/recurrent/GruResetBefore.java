package carousel.nn.recurrent;

import carousel.nn.Init;
import carousel.nn.Parameter;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.List;

/**
 * The gated recurrent unit that resets <em>before</em> the product, as first published: {@code r, z =
 * σ(X·wx + H'·wh + b)}, {@code n = tanh(X·wx + (r ⊙ H')·wn + b)}, {@code H = z ⊙ H' + (1 − z) ⊙ n}.
 *
 * <p>Source: Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk and Bengio 2014; ONNX {@code
 * linear_before_reset = 0}.
 *
 * @param wx {@code [D,3H]}, blocks r z n
 * @param wh {@code [H,2H]}, blocks r z
 * @param wn {@code [H,H]}, from the reset H' to n
 * @param b {@code [3H]}
 */
public record GruResetBefore(Parameter wx, Parameter wh, Parameter wn, Parameter b)
    implements AffineCell<HiddenState> {
  /** {@code (z [N,3H], H'·wh [N,2H], H' [N,H], wn [H,H]) → H}: all but the first product. */
  static final Composite GATES =
      new Composite(
          "gru.gates",
          in -> {
            List<Tensor> a = in[0].chunk(3, Tensor.LAST); // r z n, each [N,H]
            List<Tensor> u = in[1].chunk(2, Tensor.LAST);
            Tensor r = a.get(0).add(u.get(0)).sigmoid();
            Tensor keep = a.get(1).add(u.get(1)).sigmoid();
            Tensor n = a.get(2).add(r.mul(in[2]).matmul(in[3])).tanh();
            return new Tensor[] {n.add(keep.mul(in[2].sub(n)))};
          });

  /** Checks that the weights fit each other. */
  public GruResetBefore {
    int h = Weights.rows(wh);
    Weights.check("gru", "wh", wh, h, 2 * h);
    Weights.check("gru", "wn", wn, h, h);
    Weights.check("gru", "wx", wx, Weights.rows(wx), 3 * h);
    Weights.check("gru", "b", b, 3 * h);
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
  public static GruResetBefore of(int inputs, int hidden, Init init, Philox rng) {
    return new GruResetBefore(
        init.parameter(rng, inputs, 3 * hidden),
        init.parameter(rng, hidden, 2 * hidden),
        init.parameter(rng, hidden, hidden),
        Weights.zeros(init, 3 * hidden));
  }

  @Override
  public String label() {
    return "gru";
  }

  @Override
  public int outputs() {
    return Weights.rows(wh);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    Tensor u = state.h().matmul(wh.value());
    return new HiddenState(Op.apply(GATES, z, u, state.h(), wn.value()));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(Weights.zeros(wh, batch, outputs()));
  }
}
