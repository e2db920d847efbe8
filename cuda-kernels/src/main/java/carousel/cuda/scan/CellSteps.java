package carousel.cuda.scan;

import carousel.tensor.Tensor;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.GateOrder.Blocks;
import carousel.tensor.op.Op;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * What the kernels of the recurrent cells compute, in ops: a step for each. A step of anybody's that comes
 * to the same has that kernel; see {@link StepMatch}. Here z is the input's part of the sums, {@code x·wx +
 * b [N,G·H]}; states are {@code [N,H]}, h the first.
 */
final class CellSteps {
  /** The matrix of the product with h. */
  static final String WH = "wh";

  private static final GateOrder RESET_AND_UPDATE = GateOrder.GRU.without("n");

  /** One step. */
  @FunctionalInterface
  interface CellStep {
    /**
     * Computes one step.
     *
     * @param z the input's part of the sums
     * @param states h, or h and c
     * @param weights by name
     * @return the states after it; the first is the output
     */
    Tensor[] apply(Tensor z, Tensor[] states, Weights weights);
  }

  /** Weights by name. */
  record Weights(Map<String, Tensor> byName) {
    Tensor get(String name) {
      return Objects.requireNonNull(byName.get(name), name);
    }

    private boolean has(String name) {
      return byName.containsKey(name);
    }

    /** {@code z + h·wh}. */
    private Tensor sums(Tensor z, Tensor h) {
      return z.add(h.matmul(get(WH)));
    }
  }

  private CellSteps() {}

  /** {@code h = f(z + h'·wh)}. */
  static CellStep elman(UnaryOperator<Tensor> f) {
    return (z, states, weights) -> new Tensor[] {f.apply(weights.sums(z, states[0]))};
  }

  static Tensor[] lstm(Tensor z, Tensor[] states, Weights weights) {
    return Op.applyAll(GateComposites.LSTM, weights.sums(z, states[0]), states[1]);
  }

  static Tensor[] peephole(Tensor z, Tensor[] states, Weights weights) {
    return Op.applyAll(
        GateComposites.PEEPHOLE,
        weights.sums(z, states[0]),
        states[1],
        weights.get("pi"),
        weights.get("pf"),
        weights.get("po"));
  }

  /** As an LSTM, where {@code c'·wci}, {@code c'·wcf} and {@code c·wco} are added to i, f and o. */
  static Tensor[] matrixPeephole(Tensor z, Tensor[] states, Weights weights) {
    Tensor before = states[1];
    Blocks a = GateOrder.LSTM.split(weights.sums(z, states[0]));
    Tensor i = a.get("i").add(before.matmul(weights.get("wci"))).sigmoid();
    Tensor f = a.get("f").add(before.matmul(weights.get("wcf"))).sigmoid();
    Tensor c = f.mul(before).add(i.mul(a.get("g").tanh()));
    Tensor o = a.get("o").add(c.matmul(weights.get("wco"))).sigmoid();
    return new Tensor[] {o.mul(c.tanh()), c};
  }

  static Tensor[] cifg(Tensor z, Tensor[] states, Weights weights) {
    return Op.applyAll(GateComposites.CIFG, weights.sums(z, states[0]), states[1]);
  }

  /** {@code n = tanh(z_n + (r ⊙ h')·wn)}, {@code h = z ⊙ h' + (1 − z) ⊙ n}, {@code z = σ(z_z + u_z)}; r and z
   * have wh. */
  static Tensor[] gru(Tensor z, Tensor[] states, Weights weights) {
    Tensor h = states[0];
    Blocks a = GateOrder.GRU.split(z);
    Blocks u = RESET_AND_UPDATE.split(h.matmul(weights.get(WH)));
    Tensor reset = a.get("r").add(u.get("r")).sigmoid().mul(h);
    Tensor keep = a.get("z").add(u.get("z")).sigmoid();
    Tensor n = a.get("n").add(reset.matmul(weights.get("wn"))).tanh();
    return new Tensor[] {GateComposites.mixed(keep, h, n)};
  }

  /** {@code n = tanh(z_n + r ⊙ (h'·wh + bh))}; bh may be left out, as of a cell without biases. */
  static Tensor[] gruAfter(Tensor z, Tensor[] states, Weights weights) {
    Tensor h = states[0];
    Tensor products = h.matmul(weights.get(WH));
    if (weights.has("bh")) {
      return Op.applyAll(GateComposites.GRU_AFTER, z, products, weights.get("bh"), h);
    }
    Blocks a = GateOrder.GRU.split(z);
    Blocks u = GateOrder.GRU.split(products);
    Tensor reset = a.get("r").add(u.get("r")).sigmoid();
    Tensor keep = a.get("z").add(u.get("z")).sigmoid();
    Tensor n = a.get("n").add(reset.mul(u.get("n"))).tanh();
    return new Tensor[] {GateComposites.mixed(keep, h, n)};
  }
}
