package carousel.tensor.op;

import carousel.tensor.Tensor;
import carousel.tensor.op.GateOrder.Blocks;

/**
 * The pointwise parts of a recurrent cell's step, between its products, for which a backend may have a
 * kernel that is written by hand. It knows them as these very constants: a composite of another body
 * under one of their labels is another composite.
 *
 * <p>z holds the sums of all gates, {@code X·wx + b + H'·wh}, unless something else is said; its blocks
 * stand in the cell's {@link GateOrder}.
 */
public final class GateComposites {
  /**
   * {@code (z [N,4H], C' [N,H]) → (H, C)}, z in the order {@link GateOrder#LSTM}: {@code C = σ(f) ⊙ C' +
   * σ(i) ⊙ tanh g}, {@code H = σ(o) ⊙ tanh C}.
   */
  public static final Composite LSTM =
      Composite.fixed(
          "lstm.gates",
          in -> {
            Blocks a = GateOrder.LSTM.split(in[0]);
            Tensor kept = a.get("f").sigmoid().mul(in[1]);
            Tensor c = kept.add(a.get("i").sigmoid().mul(a.get("g").tanh()));
            return new Tensor[] {a.get("o").sigmoid().mul(c.tanh()), c};
          });

  /**
   * {@code (z [N,4H], C' [N,H], pi, pf, po [H]) → (H, C)}, z in the order {@link GateOrder#LSTM}: as
   * {@link #LSTM}, where {@code pi ⊙ C'}, {@code pf ⊙ C'} and {@code po ⊙ C} are added to i, f and o.
   */
  public static final Composite PEEPHOLE =
      Composite.fixed(
          "peephole.gates",
          in -> {
            Blocks a = GateOrder.LSTM.split(in[0]);
            Tensor before = in[1];
            Tensor i = a.get("i").add(in[2].mul(before)).sigmoid();
            Tensor f = a.get("f").add(in[3].mul(before)).sigmoid();
            Tensor c = f.mul(before).add(i.mul(a.get("g").tanh()));
            Tensor o = a.get("o").add(in[4].mul(c)).sigmoid();
            return new Tensor[] {o.mul(c.tanh()), c};
          });

  /**
   * {@code (z [N,3H], C' [N,H]) → (H, C)}, z in the order {@link GateOrder#CIFG}: {@code C = (1 − σ(i)) ⊙
   * C' + σ(i) ⊙ tanh g}, {@code H = σ(o) ⊙ tanh C}.
   */
  public static final Composite CIFG =
      Composite.fixed(
          "cifg.gates",
          in -> {
            Blocks a = GateOrder.CIFG.split(in[0]);
            Tensor c = mixed(a.get("i").sigmoid(), a.get("g").tanh(), in[1]);
            return new Tensor[] {a.get("o").sigmoid().mul(c.tanh()), c};
          });

  /**
   * {@code (z = X·wx + b [N,3H], u = H'·wh [N,3H], bh [H], H' [N,H]) → H}, z and u in the order {@link
   * GateOrder#GRU}: {@code n = tanh(z_n + σ(z_r + u_r) ⊙ (u_n + bh))}, {@code H = σ(z_z + u_z) ⊙ H' + (1 −
   * σ(z_z + u_z)) ⊙ n}.
   */
  public static final Composite GRU_AFTER =
      Composite.fixed(
          "gru_after.gates",
          in -> {
            Blocks a = GateOrder.GRU.split(in[0]);
            Blocks u = GateOrder.GRU.split(in[1]);
            Tensor r = a.get("r").add(u.get("r")).sigmoid();
            Tensor keep = a.get("z").add(u.get("z")).sigmoid();
            Tensor n = a.get("n").add(r.mul(u.get("n").add(in[2]))).tanh();
            return new Tensor[] {mixed(keep, in[3], n)};
          });

  private GateComposites() {}

  /**
   * {@code gate ⊙ a + (1 − gate) ⊙ b}. Not {@code b + gate ⊙ (a − b)}: what rounding takes from the difference
   * is of the size of the greater of both, so that a gate of 1 would not hold a small state.
   *
   * @param gate in [0, 1]
   * @param a what a gate of 1 gives, to the bit
   * @param b what a gate of 0 gives, to the bit
   * @return a mixture of both
   */
  public static Tensor mixed(Tensor gate, Tensor a, Tensor b) {
    return gate.mul(a).add(gate.neg().add(1).mul(b));
  }
}
