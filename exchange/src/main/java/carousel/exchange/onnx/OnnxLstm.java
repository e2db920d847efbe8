package carousel.exchange.onnx;

import carousel.nn.Parameter;
import carousel.nn.recurrent.GatedCell;
import carousel.nn.recurrent.LstmState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.GateOrder;
import java.util.List;
import java.util.Locale;

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
 * @param wx {@code [D,4H]}, gates in the order {@link GateOrder#LSTM}; {@code [D,3H]}, in the order {@link
 *     GateOrder#CIFG}, where they are coupled
 * @param wh {@code [H,4H]} or {@code [H,3H]}
 * @param b {@code [4H]} or {@code [3H]}
 * @param peepholes none, or one {@code [H]} of each gate but g, in the order of the gates
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
    implements GatedCell<LstmState> {
  /** The activations of an LSTM where nothing else is said. */
  public static final List<OnnxActivation> DEFAULTS =
      List.of(OnnxActivation.SIGMOID, OnnxActivation.TANH, OnnxActivation.TANH);

  /** Checks that the weights fit each other. */
  public OnnxLstm {
    peepholes = List.copyOf(peepholes);
    activations = List.copyOf(activations);
    int h = wh.value().dim(0);
    int gates = order(coupled).size();
    Clip.check("onnx lstm", clip, activations, DEFAULTS.size());
    Clip.checkShape("onnx lstm", "wh", wh, h, gates * h);
    Clip.checkShape("onnx lstm", "wx", wx, wx.value().dim(0), gates * h);
    Clip.checkShape("onnx lstm", "b", b, gates * h);
    if (!peepholes.isEmpty() && peepholes.size() != gates - 1) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "onnx lstm: %d peepholes, of %d gates they are none or %d",
              peepholes.size(),
              gates,
              gates - 1));
    }
    for (Parameter p : peepholes) {
      Clip.checkShape("onnx lstm", "a peephole", p, h);
    }
  }

  private static GateOrder order(boolean coupled) {
    return coupled ? GateOrder.CIFG : GateOrder.LSTM;
  }

  @Override
  public GateOrder gates() {
    return order(coupled);
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public LstmState step(Tensor z, LstmState state) {
    return step(z, state, state);
  }

  @Override
  public LstmState step(Tensor z, LstmState read, LstmState carried) {
    GateOrder.Blocks a = gates().split(z.add(read.h().matmul(wh.value())));
    Tensor before = read.c();
    Tensor i = gate(0, seen(a, "i", before));
    Tensor f = coupled ? i.neg().add(1) : gate(0, seen(a, "f", before));
    Tensor c = f.mul(carried.c()).add(i.mul(gate(1, a.get("g"))));
    Tensor o = gate(0, seen(a, "o", c));
    return new LstmState(o.mul(activations.get(2).apply(c)), c);
  }

  private Tensor seen(GateOrder.Blocks a, String gate, Tensor c) {
    if (peepholes.isEmpty()) {
      return a.get(gate);
    }
    Parameter p = peepholes.get(gates().without("g").indexOf(gate));
    return a.get(gate).add(p.value().mul(c));
  }

  private Tensor gate(int activation, Tensor a) {
    return activations.get(activation).apply(Clip.of(a, clip));
  }

  @Override
  public LstmState zero(int batch) {
    var shape = Shape.of(batch, outputs());
    return new LstmState(wh.value().zerosLike(shape), wh.value().zerosLike(shape));
  }
}
