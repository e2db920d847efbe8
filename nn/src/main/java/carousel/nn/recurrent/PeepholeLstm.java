package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The LSTM whose gates see the cell state through diagonal connections: {@code i, f = σ(· + p ⊙ C')},
 * {@code o = σ(· + p_o ⊙ C)} with the <em>new</em> C; g has none. Otherwise as {@link Lstm}.
 *
 * <p>Source: Gers, Schraudolph and Schmidhuber 2002; in this form Sak, Senior and Beaufays 2014. The
 * weights are those of ONNX's {@code P}.
 *
 * @param wx {@code [D,4H]}, gates in the order {@link GateOrder#LSTM}
 * @param wh {@code [H,4H]}
 * @param b {@code [4H]}, or null for no bias
 * @param pi {@code [H]}, from C' to i
 * @param pf {@code [H]}, from C' to f
 * @param po {@code [H]}, from C to o
 */
public record PeepholeLstm(
    Parameter wx, Parameter wh, @Nullable Parameter b, Parameter pi, Parameter pf, Parameter po)
    implements GatedCell<LstmState>, CandidateCell<LstmState> {
  /** Checks that the weights fit each other. */
  public PeepholeLstm {
    int h = Weights.rows("peephole", "wh", wh);
    Weights.check("peephole", "wh", wh, h, 4 * h);
    Weights.check("peephole", "wx", wx, Weights.rows("peephole", "wx", wx), 4 * h);
    Weights.checkBias("peephole", "b", b, 4 * h);
    Weights.check("peephole", "pi", pi, h);
    Weights.check("peephole", "pf", pf, h);
    Weights.check("peephole", "po", po, h);
  }

  /**
   * A cell; the peepholes start as one row of a matrix {@code [1,H]} would.
   *
   * @param inputs D
   * @param hidden H
   * @param init how the matrices start; biases start at 0
   * @param rng where random numbers come from
   * @return the cell
   */
  public static PeepholeLstm of(int inputs, int hidden, Init init, Philox rng) {
    return new PeepholeLstm(
        init.parameter(rng, inputs, 4 * hidden),
        init.parameter(rng, hidden, 4 * hidden),
        Weights.zeros(init, 4 * hidden),
        row(init, rng, hidden),
        row(init, rng, hidden),
        row(init, rng, hidden));
  }

  private static Parameter row(Init init, Philox rng, int hidden) {
    return Parameter.of(() -> init.sample(rng, init.dtype(), Shape.of(1, hidden)).reshape(hidden));
  }

  /**
   * This cell with another bias of the forget gate; 1 lets the error flow from the start (Gers,
   * Schmidhuber and Cummins 2000; Jozefowicz, Zaremba and Sutskever 2015).
   *
   * @param bias what the forget gate's bias starts at
   * @return a cell that shares the other weights
   */
  public PeepholeLstm withForgetBias(double bias) {
    return new PeepholeLstm(wx, wh, Weights.withBlock(b, gates(), "f", bias), pi, pf, po);
  }

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public PeepholeLstm withoutBias() {
    return new PeepholeLstm(wx, wh, null, pi, pf, po);
  }

  @Override
  public String label() {
    return "peephole";
  }

  @Override
  public GateOrder gates() {
    return GateOrder.LSTM;
  }

  @Override
  public int outputs() {
    return Weights.rows(wh);
  }

  @Override
  public LstmState step(Tensor z, LstmState state) {
    return step(z, state, state);
  }

  @Override
  public LstmState step(Tensor z, LstmState read, LstmState carried) {
    if (read.c() != carried.c()) { // the composite has one c for both
      return step(z, read, carried, g -> g);
    }
    Tensor[] next =
        Op.applyAll(
            GateComposites.PEEPHOLE,
            Weights.plus(z, read.h(), wh),
            read.c(),
            pi.value(),
            pf.value(),
            po.value());
    return new LstmState(next[0], next[1]);
  }

  @Override
  public LstmState step(Tensor z, LstmState state, UnaryOperator<Tensor> candidate) {
    return step(z, state, state, candidate);
  }

  @Override
  public LstmState step(
      Tensor z, LstmState read, LstmState carried, UnaryOperator<Tensor> candidate) {
    var a = GateOrder.LSTM.split(Weights.plus(z, read.h(), wh));
    Tensor seen = read.c();
    Tensor i = a.get("i").add(pi.value().mul(seen)).sigmoid();
    Tensor f = a.get("f").add(pf.value().mul(seen)).sigmoid();
    Tensor c = f.mul(carried.c()).add(i.mul(candidate.apply(a.get("g").tanh())));
    Tensor o = a.get("o").add(po.value().mul(c)).sigmoid();
    return new LstmState(o.mul(c.tanh()), c);
  }

  @Override
  public LstmState zero(int batch) {
    return Weights.zeroLstmState(wh, batch, outputs());
  }
}
