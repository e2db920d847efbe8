package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The gated recurrent unit that resets <em>after</em> the product, as cuDNN and PyTorch compute it:
 * {@code r, z = σ(X·wx + H'·wh + b)}, {@code n = tanh(X·wx + b + r ⊙ (H'·wh + bh))}, {@code H = z ⊙ H' +
 * (1 − z) ⊙ n}.
 *
 * <p>Source: Chung, Gulcehre, Cho and Bengio 2014; ONNX {@code linear_before_reset = 1}.
 *
 * @param wx {@code [D,3H]}, gates in the order {@link GateOrder#GRU}
 * @param wh {@code [H,3H]}
 * @param b {@code [3H]}, or null for no bias
 * @param bh {@code [H]}, the bias inside the reset; null exactly if b is
 */
public record GruResetAfter(
    Parameter wx, Parameter wh, @Nullable Parameter b, @Nullable Parameter bh)
    implements GatedCell<HiddenState>, CandidateCell<HiddenState> {
  /** {@code (z [N,3H], H'·wh [N,3H], H' [N,H]) → H}: {@link GateComposites#GRU_AFTER} without a bias. */
  private static final Composite GATES =
      Composite.fixed(
          "gru_after.gates_without_bias",
          in -> {
            var a = GateOrder.GRU.split(in[0]);
            var u = GateOrder.GRU.split(in[1]);
            Tensor r = a.get("r").add(u.get("r")).sigmoid();
            Tensor keep = a.get("z").add(u.get("z")).sigmoid();
            Tensor n = a.get("n").add(r.mul(u.get("n"))).tanh();
            return new Tensor[] {GateComposites.mixed(keep, in[2], n)};
          });

  /** Checks that the weights fit each other. */
  public GruResetAfter {
    int h = Weights.rows("gru-after", "wh", wh);
    Weights.check("gru-after", "wh", wh, h, 3 * h);
    Weights.check("gru-after", "wx", wx, Weights.rows("gru-after", "wx", wx), 3 * h);
    Weights.checkBias("gru-after", "b", b, 3 * h);
    Weights.checkBias("gru-after", "bh", bh, h);
    if ((b == null) != (bh == null)) {
      throw new TensorException("gru-after: b and bh must both be there or both be null");
    }
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

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public GruResetAfter withoutBias() {
    return new GruResetAfter(wx, wh, null, null);
  }

  @Override
  public String label() {
    return "gru_after";
  }

  @Override
  public GateOrder gates() {
    return GateOrder.GRU;
  }

  @Override
  public int outputs() {
    return Weights.rows(wh);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    return step(z, state, state);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState read, HiddenState carried) {
    Tensor u = read.h().matmul(wh.value());
    return new HiddenState(
        bh == null
            ? Op.apply(GATES, z, u, carried.h())
            : Op.apply(GateComposites.GRU_AFTER, z, u, bh.value(), carried.h()));
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state, UnaryOperator<Tensor> candidate) {
    return step(z, state, state, candidate);
  }

  @Override
  public HiddenState step(
      Tensor z, HiddenState read, HiddenState carried, UnaryOperator<Tensor> candidate) {
    var a = GateOrder.GRU.split(z);
    var u = products().split(read.h().matmul(wh.value()));
    Tensor r = a.get("r").add(u.get("r")).sigmoid();
    Tensor keep = a.get("z").add(u.get("z")).sigmoid();
    Tensor inner = bh == null ? u.get("n") : u.get("n").add(bh.value());
    Tensor n = candidate.apply(a.get("n").add(r.mul(inner)).tanh());
    return new HiddenState(GateComposites.mixed(keep, carried.h(), n));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(Weights.zeros(wh, batch, outputs()));
  }
}
