package carousel.exchange.onnx;

import carousel.tensor.Tensor;
import carousel.tensor.op.GateOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a recurrent operator as ONNX lays it out, G gates of H units in the operator's order.
 *
 * @param operator which
 * @param settings its attributes
 * @param w {@code [G·H,D]}
 * @param r {@code [G·H,H]}
 * @param wb {@code [G·H]}
 * @param rb {@code [G·H]}
 * @param p {@code [3H]}, the peepholes of {@link Operator#peepholes}; null for none
 */
record RecurrentWeights(
    Operator operator,
    Settings settings,
    Tensor w,
    Tensor r,
    Tensor wb,
    Tensor rb,
    @Nullable Tensor p) {
  /** The three recurrent operators, and the order of their gates by the names that our cells have for them. */
  enum Operator {
    /** ONNX's iofc: what it calls c is g. */
    LSTM(GateOrder.of("i", "o", "f", "g"), OnnxLstm.DEFAULTS),
    /** ONNX's zrh: what it calls h is n. */
    GRU(GateOrder.of("z", "r", "n"), OnnxGru.DEFAULTS),
    /** One block. */
    RNN(GateOrder.of("h"), List.of(OnnxActivation.TANH));

    private final GateOrder order;
    private final List<OnnxActivation> defaults;

    Operator(GateOrder order, List<OnnxActivation> defaults) {
      this.order = order;
      this.defaults = defaults;
    }

    GateOrder order() {
      return order;
    }

    /** How many gates it has. */
    int gates() {
      return order.size();
    }

    /** The order of an LSTM's peepholes, ONNX's iof: of all gates but the candidate. */
    GateOrder peepholes() {
      return order.without("g");
    }

    List<OnnxActivation> defaults() {
      return defaults;
    }
  }

  /**
   * What the attributes say.
   *
   * @param coupled {@code input_forget}
   * @param resetAfter {@code linear_before_reset}
   * @param clip infinite for none
   * @param activations of this direction
   */
  record Settings(
      boolean coupled, boolean resetAfter, double clip, List<OnnxActivation> activations) {
    /** Those of an operator about which nothing is said. */
    static Settings of(Operator operator) {
      return new Settings(false, false, Clip.NONE, operator.defaults());
    }

    Settings withCoupled() {
      return new Settings(true, resetAfter, clip, activations);
    }

    Settings withResetAfter() {
      return new Settings(coupled, true, clip, activations);
    }

    /** Whether both can be the directions of one operator, where only activations may differ. */
    boolean fits(Settings other) {
      return coupled == other.coupled && resetAfter == other.resetAfter && clip == other.clip;
    }
  }

  int hidden() {
    return r.dim(1);
  }
}
