package carousel.exchange.onnx;

import carousel.nn.Parameter;
import carousel.nn.recurrent.GatedCell;
import carousel.nn.recurrent.HiddenState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The GRU of ONNX with what our own cells leave out: inputs of gates that are clipped, {@code κ(x) =
 * min(max(x, −clip), clip)}, and other activations. {@code r, z = f(κ(X·wx + H'·wh + b))}, {@code n =
 * g(κ(X·wx + b + (r ⊙ H')·wn))}, or with a bias inside the reset {@code n = g(κ(X·wx + b + r ⊙ (H'·wn +
 * bh)))}; {@code H = z ⊙ H' + (1 − z) ⊙ n}.
 *
 * <p>Models that need none of this are read as {@link carousel.nn.recurrent.GruResetBefore} or {@link
 * carousel.nn.recurrent.GruResetAfter}, which have kernels of their own on every device.
 *
 * <p>Source: the operator GRU of ONNX.
 *
 * @param wx {@code [D,3H]}, gates in the order {@link GateOrder#GRU}
 * @param wh {@code [H,2H]}, {@link #products}
 * @param wn {@code [H,H]}
 * @param b {@code [3H]}
 * @param bh {@code [H]}, and the reset comes after the product (ONNX {@code linear_before_reset = 1});
 *     null, and it comes before
 * @param clip the bound, infinite for none
 * @param activations f, g
 */
public record OnnxGru(
    Parameter wx,
    Parameter wh,
    Parameter wn,
    Parameter b,
    @Nullable Parameter bh,
    double clip,
    List<OnnxActivation> activations)
    implements GatedCell<HiddenState> {
  /** The activations of a GRU where nothing else is said. */
  public static final List<OnnxActivation> DEFAULTS =
      List.of(OnnxActivation.SIGMOID, OnnxActivation.TANH);

  /** Checks that the weights fit each other. */
  public OnnxGru {
    activations = List.copyOf(activations);
    int h = wh.value().dim(0);
    Clip.check("onnx gru", clip, activations, DEFAULTS.size());
    Clip.checkShape("onnx gru", "wh", wh, h, 2 * h);
    Clip.checkShape("onnx gru", "wn", wn, h, h);
    Clip.checkShape("onnx gru", "wx", wx, wx.value().dim(0), 3 * h);
    Clip.checkShape("onnx gru", "b", b, 3 * h);
    if (bh != null) {
      Clip.checkShape("onnx gru", "bh", bh, h);
    }
  }

  @Override
  public GateOrder gates() {
    return GateOrder.GRU;
  }

  /** All but the candidate, whose product is {@code wn}'s. */
  @Override
  public GateOrder products() {
    return gates().without("n");
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    return step(z, state, state);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState read, HiddenState carried) {
    Tensor before = read.h();
    GateOrder.Blocks a = gates().split(z);
    GateOrder.Blocks u = products().split(before.matmul(wh.value()));
    Tensor r = gate(0, a.get("r").add(u.get("r")));
    Tensor keep = gate(0, a.get("z").add(u.get("z")));
    Tensor fed =
        bh == null
            ? r.mul(before).matmul(wn.value())
            : r.mul(before.matmul(wn.value()).add(bh.value()));
    Tensor n = gate(1, a.get("n").add(fed));
    return new HiddenState(GateComposites.mixed(keep, carried.h(), n));
  }

  private Tensor gate(int activation, Tensor a) {
    return activations.get(activation).apply(Clip.of(a, clip));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
  }
}
