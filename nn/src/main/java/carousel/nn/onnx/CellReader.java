package carousel.nn.onnx;

import carousel.nn.Parameter;
import carousel.nn.recurrent.Activation;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cifg;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What ONNX calls cells, to ours: {@link CellWriter} the other way round. */
final class CellReader {
  private final RecurrentWeights in;

  private CellReader(RecurrentWeights in) {
    this.in = in;
  }

  /** One direction of an operator as a cell, its parameters in the innermost scope. */
  static Cell<?> of(RecurrentWeights weights) {
    var reader = new CellReader(weights);
    return switch (weights.operator()) {
      case LSTM -> reader.lstm();
      case GRU -> reader.gru();
      case RNN -> reader.rnn();
    };
  }

  private boolean isPlain() {
    return in.settings().clip() == Clip.NONE
        && in.settings().activations().equals(in.operator().defaults());
  }

  /** Blocks i o f c to i f g o, or to i g o where gates are coupled and f is not read. */
  private Cell<?> lstm() {
    var settings = in.settings();
    int[] order = settings.coupled() ? new int[] {0, 3, 1} : new int[] {0, 2, 3, 1};
    var wx = matrix(in.w(), order);
    var wh = matrix(in.r(), order);
    var b = Parameter.of(() -> blocks(bias(), order));
    var peepholes = new ArrayList<Parameter>();
    var p = in.p();
    if (p != null) { // i o f
      for (int block : settings.coupled() ? new int[] {0, 1} : new int[] {0, 2, 1}) {
        peepholes.add(Parameter.of(() -> p.chunk(3, 0).get(block)));
      }
    }
    if (isPlain() && !settings.coupled()) {
      return p == null
          ? new Lstm(wx, wh, b)
          : new PeepholeLstm(wx, wh, b, peepholes.get(0), peepholes.get(1), peepholes.get(2));
    }
    if (isPlain() && p == null) return new Cifg(wx, wh, b);
    return new OnnxLstm(
        wx, wh, b, peepholes, settings.coupled(), settings.clip(), settings.activations());
  }

  /** Blocks z r h to r z n. */
  private Cell<?> gru() {
    var settings = in.settings();
    var after = settings.resetAfter();
    var wx = matrix(in.w(), 1, 0, 2);
    var b = Parameter.of(() -> blocks(after ? outerBias() : bias(), 1, 0, 2));
    if (isPlain() && after) {
      return new GruResetAfter(wx, matrix(in.r(), 1, 0, 2), b, innerBias());
    }
    var wh = matrix(in.r(), 1, 0);
    var wn = matrix(in.r(), 2);
    return isPlain()
        ? new GruResetBefore(wx, wh, wn, b)
        : new OnnxGru(
            wx, wh, wn, b, after ? innerBias() : null, settings.clip(), settings.activations());
  }

  private Cell<?> rnn() {
    var settings = in.settings();
    var f = settings.activations().getFirst();
    var wx = matrix(in.w(), 0);
    var wh = matrix(in.r(), 0);
    var b = Parameter.of(this::bias);
    if (settings.clip() == Clip.NONE) {
      if (f.equals(OnnxActivation.TANH)) return new Elman(Activation.TANH, wx, wh, b);
      if (f.equals(OnnxActivation.RELU)) return new Elman(Activation.RELU, wx, wh, b);
      if (f.equals(OnnxActivation.IDENTITY)) return new Elman(Activation.IDENTITY, wx, wh, b);
    }
    return new OnnxRnn(wx, wh, b, settings.clip(), f);
  }

  /** Both biases in one. A sum with zeros would turn −0 to 0, so there is none where one is zero. */
  private Tensor bias() {
    return isZero(in.rb()) ? in.wb() : isZero(in.wb()) ? in.rb() : in.wb().add(in.rb());
  }

  /** The biases outside of the reset: both of z and r, that of the input of h. */
  private Tensor outerBias() {
    var h = in.hidden();
    return Tensor.concat(0, List.of(bias().narrow(0, 0, 2 * h), in.wb().narrow(0, 2 * h, h)));
  }

  private Parameter innerBias() {
    return Parameter.of(() -> in.rb().narrow(0, 2 * in.hidden(), in.hidden()));
  }

  private static boolean isZero(Tensor x) {
    return x.abs().max().item() == 0;
  }

  /** {@code [G·H,D] → [D,G·H]}, with the blocks chosen. */
  private Parameter matrix(Tensor rows, int... order) {
    return Parameter.of(() -> blocks(rows.transpose(0, 1), order));
  }

  private Tensor blocks(Tensor x, int... order) {
    var all = x.chunk(in.operator().gates(), Tensor.LAST);
    var chosen = new ArrayList<Tensor>();
    for (var block : order) chosen.add(all.get(block));
    return Tensor.concat(Tensor.LAST, chosen);
  }
}
