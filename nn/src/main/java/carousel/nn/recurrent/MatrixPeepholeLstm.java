package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.GateOrder.Blocks;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The LSTM whose gates see the whole cell state: {@code i, f = σ(· + C'·wc)}, {@code o = σ(· + C·wco)}
 * with the <em>new</em> C; g has none. With diagonal matrices it is {@link PeepholeLstm}.
 *
 * <p>Source: the peepholes of Gers and Schmidhuber 2000, with full matrices as in lectures.
 *
 * @param wx {@code [D,4H]}, gates in the order {@link GateOrder#LSTM}
 * @param wh {@code [H,4H]}
 * @param b {@code [4H]}, or null for no bias
 * @param wci {@code [H,H]}, from C' to i
 * @param wcf {@code [H,H]}, from C' to f
 * @param wco {@code [H,H]}, from C to o
 */
public record MatrixPeepholeLstm(
    Parameter wx, Parameter wh, @Nullable Parameter b, Parameter wci, Parameter wcf, Parameter wco)
    implements GatedCell<LstmState>, CandidateCell<LstmState> {
  /** {@code (z [N,4H], C'·wci, C'·wcf, C' [N,H]) → C}: the pointwise part up to the state. */
  static final Composite GATES =
      Composite.fixed(
          "matrix_peephole.gates",
          in -> {
            Blocks a = GateOrder.LSTM.split(in[0]);
            Tensor i = a.get("i").add(in[1]).sigmoid();
            Tensor f = a.get("f").add(in[2]).sigmoid();
            return new Tensor[] {f.mul(in[3]).add(i.mul(a.get("g").tanh()))};
          });

  /** {@code (z [N,4H], C·wco, C [N,H]) → H}: the pointwise part that looks at the state. */
  static final Composite OUTPUT =
      Composite.fixed(
          "matrix_peephole.output",
          in -> {
            Tensor o = GateOrder.LSTM.split(in[0]).get("o").add(in[1]).sigmoid();
            return new Tensor[] {o.mul(in[2].tanh())};
          });

  /** Checks that the weights fit each other. */
  public MatrixPeepholeLstm {
    int h = Weights.rows("matrix peephole", "wh", wh);
    Weights.check("matrix peephole", "wh", wh, h, 4 * h);
    Weights.check("matrix peephole", "wx", wx, Weights.rows("matrix peephole", "wx", wx), 4 * h);
    Weights.checkBias("matrix peephole", "b", b, 4 * h);
    Weights.check("matrix peephole", "wci", wci, h, h);
    Weights.check("matrix peephole", "wcf", wcf, h, h);
    Weights.check("matrix peephole", "wco", wco, h, h);
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
  public static MatrixPeepholeLstm of(int inputs, int hidden, Init init, Philox rng) {
    return new MatrixPeepholeLstm(
        init.parameter(rng, inputs, 4 * hidden),
        init.parameter(rng, hidden, 4 * hidden),
        Weights.zeros(init, 4 * hidden),
        init.parameter(rng, hidden, hidden),
        init.parameter(rng, hidden, hidden),
        init.parameter(rng, hidden, hidden));
  }

  /**
   * This cell with another bias of the forget gate; 1 lets the error flow from the start (Gers,
   * Schmidhuber and Cummins 2000; Jozefowicz, Zaremba and Sutskever 2015).
   *
   * @param bias what the forget gate's bias starts at
   * @return a cell that shares the other weights
   */
  public MatrixPeepholeLstm withForgetBias(double bias) {
    return new MatrixPeepholeLstm(wx, wh, Weights.withBlock(b, gates(), "f", bias), wci, wcf, wco);
  }

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public MatrixPeepholeLstm withoutBias() {
    return new MatrixPeepholeLstm(wx, wh, null, wci, wcf, wco);
  }

  @Override
  public String label() {
    return "matrix_peephole";
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
    Tensor seen = read.c();
    Tensor a = Weights.plus(z, read.h(), wh);
    Tensor c = Op.apply(GATES, a, seen.matmul(wci.value()), seen.matmul(wcf.value()), carried.c());
    return new LstmState(Op.apply(OUTPUT, a, c.matmul(wco.value()), c), c);
  }

  @Override
  public LstmState step(Tensor z, LstmState state, UnaryOperator<Tensor> candidate) {
    return step(z, state, state, candidate);
  }

  @Override
  public LstmState step(
      Tensor z, LstmState read, LstmState carried, UnaryOperator<Tensor> candidate) {
    Tensor seen = read.c();
    Tensor sums = Weights.plus(z, read.h(), wh);
    var a = GateOrder.LSTM.split(sums);
    Tensor i = a.get("i").add(seen.matmul(wci.value())).sigmoid();
    Tensor f = a.get("f").add(seen.matmul(wcf.value())).sigmoid();
    Tensor c = f.mul(carried.c()).add(i.mul(candidate.apply(a.get("g").tanh())));
    return new LstmState(Op.apply(OUTPUT, sums, c.matmul(wco.value()), c), c);
  }

  @Override
  public LstmState zero(int batch) {
    return Weights.zeroLstmState(wh, batch, outputs());
  }
}
