package carousel.nn.onnx;

import carousel.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a recurrent operator as ONNX lays it out, G gates of H units; the order of the
 * gates is iofc in an LSTM, zrh in a GRU.
 *
 * @param operator which
 * @param settings its attributes
 * @param w {@code [G·H,D]}
 * @param r {@code [G·H,H]}
 * @param wb {@code [G·H]}
 * @param rb {@code [G·H]}
 * @param p {@code [3H]}, peepholes iof; null for none
 */
record RecurrentWeights(
    Operator operator,
    Settings settings,
    Tensor w,
    Tensor r,
    Tensor wb,
    Tensor rb,
    @Nullable Tensor p) {
  /** The three recurrent operators. */
  enum Operator {
    LSTM(4, OnnxLstm.DEFAULTS),
    GRU(3, OnnxGru.DEFAULTS),
    RNN(1, List.of(OnnxActivation.TANH));

    private final int gates;
    private final List<OnnxActivation> defaults;

    Operator(int gates, List<OnnxActivation> defaults) {
      this.gates = gates;
      this.defaults = defaults;
    }

    int gates() {
      return gates;
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
