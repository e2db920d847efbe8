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
 * The LSTM with coupled input and forget gate, {@code f = 1 − i}: {@code C = (1 − i) ⊙ C' + i ⊙ g},
 * {@code H = o ⊙ tanh C}.
 *
 * <p>Source: CIFG of Greff, Srivastava, Koutník, Steunebrink and Schmidhuber 2015.
 *
 * @param wx {@code [D,3H]}, gates in the order {@link GateOrder#CIFG}
 * @param wh {@code [H,3H]}
 * @param b {@code [3H]}, or null for no bias
 */
public record Cifg(Parameter wx, Parameter wh, @Nullable Parameter b)
    implements GatedCell<LstmState>, CandidateCell<LstmState> {
  /** Checks that the weights fit each other. */
  public Cifg {
    int h = Weights.rows("cifg", "wh", wh);
    Weights.check("cifg", "wh", wh, h, 3 * h);
    Weights.check("cifg", "wx", wx, Weights.rows("cifg", "wx", wx), 3 * h);
    Weights.checkBias("cifg", "b", b, 3 * h);
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
  public static Cifg of(int inputs, int hidden, Init init, Philox rng) {
    return new Cifg(
        init.parameter(rng, inputs, 3 * hidden),
        init.parameter(rng, hidden, 3 * hidden),
        Weights.zeros(init, 3 * hidden));
  }

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public Cifg withoutBias() {
    return new Cifg(wx, wh, null);
  }

  @Override
  public String label() {
    return "cifg";
  }

  @Override
  public GateOrder gates() {
    return GateOrder.CIFG;
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
    Tensor[] next = Op.applyAll(GateComposites.CIFG, Weights.plus(z, read.h(), wh), carried.c());
    return new LstmState(next[0], next[1]);
  }

  @Override
  public LstmState step(Tensor z, LstmState state, UnaryOperator<Tensor> candidate) {
    return step(z, state, state, candidate);
  }

  @Override
  public LstmState step(
      Tensor z, LstmState read, LstmState carried, UnaryOperator<Tensor> candidate) {
    var a = GateOrder.CIFG.split(Weights.plus(z, read.h(), wh));
    Tensor g = candidate.apply(a.get("g").tanh());
    Tensor c = GateComposites.mixed(a.get("i").sigmoid(), g, carried.c());
    return new LstmState(a.get("o").sigmoid().mul(c.tanh()), c);
  }

  @Override
  public LstmState zero(int batch) {
    return Weights.zeroLstmState(wh, batch, outputs());
  }
}
