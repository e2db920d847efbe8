package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.GateOrder.Blocks;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The gated recurrent unit that resets <em>before</em> the product, as first published: {@code r, z =
 * σ(X·wx + H'·wh + b)}, {@code n = tanh(X·wx + (r ⊙ H')·wn + b)}, {@code H = z ⊙ H' + (1 − z) ⊙ n}.
 *
 * <p>Source: Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk and Bengio 2014; ONNX {@code
 * linear_before_reset = 0}.
 *
 * @param wx {@code [D,3H]}, gates in the order {@link GateOrder#GRU}
 * @param wh {@code [H,2H]}, {@link #products}
 * @param wn {@code [H,H]}, from the reset H' to n
 * @param b {@code [3H]}, or null for no bias
 */
public record GruResetBefore(Parameter wx, Parameter wh, Parameter wn, @Nullable Parameter b)
    implements GatedCell<HiddenState>, CandidateCell<HiddenState> {
  private static final GateOrder PRODUCTS = GateOrder.GRU.without("n");

  /** {@code (z [N,3H], H'·wh [N,2H], H' [N,H]) → R ⊙ H'}: the pointwise part before the second product. */
  static final Composite RESET =
      Composite.fixed(
          "gru.reset",
          in -> {
            Tensor r = GateOrder.GRU.split(in[0]).get("r").add(PRODUCTS.split(in[1]).get("r"));
            return new Tensor[] {r.sigmoid().mul(in[2])};
          });

  /** {@code (z [N,3H], H'·wh [N,2H], (R ⊙ H')·wn [N,H], H' [N,H]) → H}: the pointwise part after it. */
  static final Composite GATES =
      Composite.fixed(
          "gru.gates",
          in -> {
            Blocks a = GateOrder.GRU.split(in[0]);
            Tensor keep = a.get("z").add(PRODUCTS.split(in[1]).get("z")).sigmoid();
            Tensor n = a.get("n").add(in[2]).tanh();
            return new Tensor[] {GateComposites.mixed(keep, in[3], n)};
          });

  /** Checks that the weights fit each other. */
  public GruResetBefore {
    int h = Weights.rows("gru", "wh", wh);
    Weights.check("gru", "wh", wh, h, 2 * h);
    Weights.check("gru", "wn", wn, h, h);
    Weights.check("gru", "wx", wx, Weights.rows("gru", "wx", wx), 3 * h);
    Weights.checkBias("gru", "b", b, 3 * h);
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

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public GruResetBefore withoutBias() {
    return new GruResetBefore(wx, wh, wn, null);
  }

  @Override
  public String label() {
    return "gru";
  }

  @Override
  public GateOrder gates() {
    return GateOrder.GRU;
  }

  /** All but the candidate, whose product is of what the reset gate let through, by {@code wn}. */
  @Override
  public GateOrder products() {
    return PRODUCTS;
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
    Tensor reset = Op.apply(RESET, z, u, read.h());
    return new HiddenState(Op.apply(GATES, z, u, reset.matmul(wn.value()), carried.h()));
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state, UnaryOperator<Tensor> candidate) {
    return step(z, state, state, candidate);
  }

  @Override
  public HiddenState step(
      Tensor z, HiddenState read, HiddenState carried, UnaryOperator<Tensor> candidate) {
    Tensor u = read.h().matmul(wh.value());
    Tensor reset = Op.apply(RESET, z, u, read.h());
    var a = GateOrder.GRU.split(z);
    Tensor keep = a.get("z").add(PRODUCTS.split(u).get("z")).sigmoid();
    Tensor n = candidate.apply(a.get("n").add(reset.matmul(wn.value())).tanh());
    return new HiddenState(GateComposites.mixed(keep, carried.h(), n));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(Weights.zeros(wh, batch, outputs()));
  }
}
