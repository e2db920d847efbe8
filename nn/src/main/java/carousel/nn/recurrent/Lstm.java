package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Long short-term memory: {@code i, f, o = σ(·)}, {@code g = tanh(·)} of {@code X·wx + H'·wh + b};
 * {@code C = f ⊙ C' + i ⊙ g}, {@code H = o ⊙ tanh C}.
 *
 * <p>Source: Hochreiter and Schmidhuber 1997; the forget gate by Gers, Schmidhuber and Cummins 2000.
 *
 * @param wx {@code [D,4H]}, gates in the order {@link GateOrder#LSTM}
 * @param wh {@code [H,4H]}
 * @param b {@code [4H]}, or null for no bias
 */
public record Lstm(Parameter wx, Parameter wh, @Nullable Parameter b)
    implements GatedCell<LstmState>, CandidateCell<LstmState> {
  /** Checks that the weights fit each other. */
  public Lstm {
    int h = Weights.rows("lstm", "wh", wh);
    Weights.check("lstm", "wh", wh, h, 4 * h);
    Weights.check("lstm", "wx", wx, Weights.rows("lstm", "wx", wx), 4 * h);
    Weights.checkBias("lstm", "b", b, 4 * h);
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
  public static Lstm of(int inputs, int hidden, Init init, Philox rng) {
    return new Lstm(
        init.parameter(rng, inputs, 4 * hidden),
        init.parameter(rng, hidden, 4 * hidden),
        Weights.zeros(init, 4 * hidden));
  }

  /**
   * This cell with another bias of the forget gate; 1 lets the error flow from the start (Gers,
   * Schmidhuber and Cummins 2000; Jozefowicz, Zaremba and Sutskever 2015).
   *
   * @param bias what the forget gate's bias starts at
   * @return a cell that shares the other weights
   */
  public Lstm withForgetBias(double bias) {
    return new Lstm(wx, wh, Weights.withBlock(b, gates(), "f", bias));
  }

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public Lstm withoutBias() {
    return new Lstm(wx, wh, null);
  }

  @Override
  public String label() {
    return "lstm";
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
    Tensor[] next = Op.applyAll(GateComposites.LSTM, Weights.plus(z, read.h(), wh), carried.c());
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
    Tensor g = candidate.apply(a.get("g").tanh());
    Tensor c = a.get("f").sigmoid().mul(carried.c()).add(a.get("i").sigmoid().mul(g));
    return new LstmState(a.get("o").sigmoid().mul(c.tanh()), c);
  }

  @Override
  public LstmState zero(int batch) {
    return Weights.zeroLstmState(wh, batch, outputs());
  }
}
