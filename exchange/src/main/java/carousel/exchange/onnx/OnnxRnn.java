package carousel.exchange.onnx;

import carousel.nn.Parameter;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.HiddenState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * The RNN of ONNX with what {@link carousel.nn.recurrent.Elman} leaves out: an input of the activation
 * that is clipped, and other activations. {@code H = f(min(max(X·wx + H'·wh + b, −clip), clip))}.
 *
 * <p>Source: the operator RNN of ONNX.
 *
 * @param wx {@code [D,H]}
 * @param wh {@code [H,H]}
 * @param b {@code [H]}
 * @param clip the bound, infinite for none
 * @param activation f
 */
public record OnnxRnn(
    Parameter wx, Parameter wh, Parameter b, double clip, OnnxActivation activation)
    implements AffineCell<HiddenState> {
  /** Checks that the weights fit each other. */
  public OnnxRnn {
    int h = wh.value().dim(0);
    Clip.check("onnx rnn", clip, List.of(activation), 1);
    Clip.checkShape("onnx rnn", "wh", wh, h, h);
    Clip.checkShape("onnx rnn", "wx", wx, wx.value().dim(0), h);
    Clip.checkShape("onnx rnn", "b", b, h);
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    Tensor a = z.add(state.h().matmul(wh.value()));
    return new HiddenState(activation.apply(Clip.of(a, clip)));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
  }
}
