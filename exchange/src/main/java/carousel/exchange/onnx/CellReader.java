package carousel.exchange.onnx;

import carousel.nn.Parameter;
import carousel.nn.layer.Activation;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cifg;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.tensor.Tensor;
import carousel.tensor.op.GateOrder;
import java.util.ArrayList;
import java.util.Objects;

/** What ONNX calls cells, to ours: {@link CellWriter} the other way round. */
final class CellReader {
  private final RecurrentWeights in;

  private CellReader(RecurrentWeights in) {
    this.in = in;
  }

  /** One direction of an operator as a cell, its parameters in the innermost scope. */
  static Cell<?> of(RecurrentWeights weights) {
    var reader = new CellReader(weights);
    var cell =
        switch (weights.operator()) {
          case LSTM -> reader.lstm();
          case GRU -> reader.gru();
          case RNN -> reader.rnn();
        };
    return weights.hasBias() ? cell : withoutBias(cell);
  }

  /** Only our own cells can be without: the others have biases of 0. */
  private static Cell<?> withoutBias(Cell<?> cell) {
    return switch (cell) {
      case Lstm c -> c.withoutBias();
      case PeepholeLstm c -> c.withoutBias();
      case Cifg c -> c.withoutBias();
      case GruResetAfter c -> c.withoutBias();
      case GruResetBefore c -> c.withoutBias();
      case Elman c -> c.withoutBias();
      default -> cell;
    };
  }

  private boolean isPlain() {
    return in.settings().clip() == Clip.NONE
        && in.settings().activations().equals(in.operator().defaults());
  }

  /** Where gates are coupled, f is not read. */
  private Cell<?> lstm() {
    var settings = in.settings();
    var order = settings.coupled() ? GateOrder.CIFG : GateOrder.LSTM;
    var wx = matrix(in.w(), order);
    var wh = matrix(in.r(), order);
    var b = Parameter.of(() -> order.from(theirs(), bias(), 0));
    if (isPlain() && !settings.coupled()) {
      return in.p() == null
          ? new Lstm(wx, wh, b)
          : new PeepholeLstm(wx, wh, b, peephole("i"), peephole("f"), peephole("o"));
    }
    if (isPlain() && in.p() == null) {
      return new Cifg(wx, wh, b);
    }
    var peepholes = new ArrayList<Parameter>();
    if (in.p() != null) {
      order.without("g").names().forEach(gate -> peepholes.add(peephole(gate)));
    }
    return new OnnxLstm(
        wx, wh, b, peepholes, settings.coupled(), settings.clip(), settings.activations());
  }

  private Parameter peephole(String gate) {
    Tensor p = Objects.requireNonNull(in.p());
    return Parameter.of(() -> in.operator().peepholes().block(p, 0, gate));
  }

  private Cell<?> gru() {
    var settings = in.settings();
    var order = GateOrder.GRU;
    boolean after = settings.resetAfter();
    var wx = matrix(in.w(), order);
    var b = Parameter.of(() -> order.from(theirs(), after ? outerBias() : bias(), 0));
    if (isPlain() && after) {
      return new GruResetAfter(wx, matrix(in.r(), order), b, innerBias());
    }
    var wh = matrix(in.r(), order.without("n"));
    var wn = matrix(in.r(), GateOrder.of("n"));
    return isPlain()
        ? new GruResetBefore(wx, wh, wn, b)
        : new OnnxGru(
            wx, wh, wn, b, after ? innerBias() : null, settings.clip(), settings.activations());
  }

  private Cell<?> rnn() {
    var settings = in.settings();
    var f = settings.activations().getFirst();
    var wx = matrix(in.w(), theirs());
    var wh = matrix(in.r(), theirs());
    var b = Parameter.of(this::bias);
    if (settings.clip() == Clip.NONE) {
      if (f.equals(OnnxActivation.TANH)) {
        return new Elman(Activation.TANH, wx, wh, b);
      }
      if (f.equals(OnnxActivation.RELU)) {
        return new Elman(Activation.RELU, wx, wh, b);
      }
      if (f.equals(OnnxActivation.SIGMOID)) {
        return new Elman(Activation.SIGMOID, wx, wh, b);
      }
      if (f.equals(OnnxActivation.IDENTITY)) {
        return new Elman(Activation.IDENTITY, wx, wh, b);
      }
    }
    return new OnnxRnn(wx, wh, b, settings.clip(), f);
  }

  /** Both biases in one. A sum with zeros would turn −0 to 0, so there is none where one is zero. */
  private Tensor bias() {
    return isZero(in.biasOfState())
        ? in.biasOfInput()
        : isZero(in.biasOfInput()) ? in.biasOfState() : in.biasOfInput().add(in.biasOfState());
  }

  /** The biases outside of the reset, in their order: both of z and r, that of the input of n. */
  private Tensor outerBias() {
    Tensor both = bias();
    return Tensor.concat(
        theirs().names().stream()
            .map(gate -> theirs().block(gate.equals("n") ? in.biasOfInput() : both, 0, gate))
            .toList(),
        0);
  }

  private Parameter innerBias() {
    return Parameter.of(() -> theirs().block(in.biasOfState(), 0, "n"));
  }

  private static boolean isZero(Tensor x) {
    return x.abs().max().item() == 0;
  }

  private GateOrder theirs() {
    return in.operator().order();
  }

  /** {@code [G·H,D] → [D,G·H]}, the gates in an order of ours. */
  private Parameter matrix(Tensor rows, GateOrder ours) {
    return Parameter.of(() -> ours.from(theirs(), rows.transpose(0, 1), Tensor.LAST));
  }
}
