package carousel.nn.onnx;

import carousel.nn.Parameter;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.LstmState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * The LSTM of ONNX with what our own cells leave out: inputs of gates that are clipped, {@code κ(x) =
 * min(max(x, −clip), clip)}, peepholes beside coupled gates, and other activations. {@code i = f(κ(· + pi
 * ⊙ C'))}, {@code f = f(κ(· + pf ⊙ C'))} or {@code 1 − i}, {@code C = f ⊙ C' + i ⊙ g(κ(·))}, {@code o =
 * f(κ(· + po ⊙ C))}, {@code H = o ⊙ h(C)}.
 *
 * <p>C is not clipped on its way into h, as in ONNX Runtime. Models that need none of this are read
 * as {@link carousel.nn.recurrent.Lstm}, {@link carousel.nn.recurrent.PeepholeLstm} or {@link
 * carousel.nn.recurrent.Cifg}, which have kernels of their own on every device.
 *
 * <p>Source: the operator LSTM of ONNX.
 *
 * @param wx {@code [D,4H]}, gates i f g o; {@code [D,3H]}, gates i g o, where they are coupled
 * @param wh {@code [H,4H]} or {@code [H,3H]}
 * @param b {@code [4H]} or {@code [3H]}
 * @param peepholes none, or pi, pf, po, each {@code [H]}; pi, po where gates are coupled
 * @param coupled whether the forget gate is {@code 1 − i}
 * @param clip the bound, infinite for none
 * @param activations f, g, h
 */
public record OnnxLstm(
    Parameter wx,
    Parameter wh,
    Parameter b,
    List<Parameter> peepholes,
    boolean coupled,
    double clip,
    List<OnnxActivation> activations)
    implements AffineCell<LstmState> {
  /** The activations of an LSTM where nothing else is said. */
  public static final List<OnnxActivation> DEFAULTS =
      List.of(OnnxActivation.SIGMOID, OnnxActivation.TANH, OnnxActivation.TANH);

  /** Checks that the weights fit each other. */
  public OnnxLstm {
    peepholes = List.copyOf(peepholes);
    activations = List.copyOf(activations);
    int h = wh.value().dim(0);
    int gates = coupled ? 3 : 4;
    Clip.check("onnx lstm", clip, activations, DEFAULTS.size());
    Clip.checkShape("onnx lstm", "wh", wh, h, gates * h);
    Clip.checkShape("onnx lstm", "wx", wx, wx.value().dim(0), gates * h);
    Clip.checkShape("onnx lstm", "b", b, gates * h);
    if (!peepholes.isEmpty() && peepholes.size() != gates - 1) {
      throw new TensorException(
          "onnx lstm: %d peepholes, of %d gates they are none or %d"
              .formatted(peepholes.size(), gates, gates - 1));
    }
    for (Parameter p : peepholes) Clip.checkShape("onnx lstm", "a peephole", p, h);
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public LstmState step(Tensor z, LstmState state) {
    List<Tensor> a = z.add(state.h().matmul(wh.value())).chunk(coupled ? 3 : 4, Tensor.LAST);
    Tensor before = state.c();
    Tensor i = gate(0, seen(a.getFirst(), 0, before));
    Tensor f = coupled ? i.neg().add(1) : gate(0, seen(a.get(1), 1, before));
    Tensor c = f.mul(before).add(i.mul(gate(1, a.get(a.size() - 2))));
    Tensor o = gate(0, seen(a.getLast(), peepholes.size() - 1, c));
    return new LstmState(o.mul(activations.get(2).apply(c)), c);
  }

  private Tensor seen(Tensor a, int peephole, Tensor c) {
    return peepholes.isEmpty() ? a : a.add(peepholes.get(peephole).value().mul(c));
  }

  private Tensor gate(int activation, Tensor a) {
    return activations.get(activation).apply(Clip.of(a, clip));
  }

  @Override
  public LstmState zero(int batch) {
    Tensor zeros = Tensor.zerosAs(wh.value(), Shape.of(batch, outputs()));
    return new LstmState(zeros, zeros);
  }
}
