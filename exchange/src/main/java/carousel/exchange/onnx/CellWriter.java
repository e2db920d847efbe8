package carousel.exchange.onnx;

import static carousel.exchange.onnx.RecurrentWeights.Operator.GRU;
import static carousel.exchange.onnx.RecurrentWeights.Operator.LSTM;
import static carousel.exchange.onnx.RecurrentWeights.Operator.RNN;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.exchange.onnx.RecurrentWeights.Settings;
import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.layer.Activation;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cifg;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GatedCell;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Jordan;
import carousel.nn.recurrent.Leaky;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.MatrixPeepholeLstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.tensor.Tensor;
import carousel.tensor.op.GateOrder;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Cells to what ONNX calls them: gates reordered, matrices transposed, one bias made two. */
final class CellWriter {
  private CellWriter() {}

  /**
   * A cell as one direction of an operator.
   *
   * @throws OnnxException if no operator computes it
   */
  static RecurrentWeights of(String path, Cell<?> cell) {
    return switch (cell) {
      case Lstm c -> lstm(c, c.wh(), List.of(), Settings.of(LSTM));
      case PeepholeLstm c -> lstm(c, c.wh(), peepholes(c), Settings.of(LSTM));
      case Cifg c -> lstm(c, c.wh(), List.of(), Settings.of(LSTM).withCoupled());
      case OnnxLstm c ->
          lstm(
              c,
              c.wh(),
              c.peepholes(),
              new Settings(c.coupled(), false, c.clip(), c.activations()));
      case GruResetBefore c -> gru(c, withCandidate(c, c.wh(), c.wn()), null, Settings.of(GRU));
      case GruResetAfter c -> gru(c, c.wh().value(), c.bh(), Settings.of(GRU).withResetAfter());
      case OnnxGru c ->
          gru(
              c,
              withCandidate(c, c.wh(), c.wn()),
              c.bh(),
              new Settings(false, c.bh() != null, c.clip(), c.activations()));
      case Elman c -> rnn(c.wx(), c.wh(), c.b(), Clip.NONE, of(path, c.activation()));
      case OnnxRnn c -> rnn(c.wx(), c.wh(), c.b(), c.clip(), c.activation());
      // H = 0 · H' + 1 · f(..).
      case Leaky c when c.tau() == 1 ->
          rnn(c.wx(), c.wh(), c.b(), Clip.NONE, of(path, c.activation()));
      default ->
          throw new OnnxException(
              String.format(
                  Locale.ROOT,
                  "%s, %s, cannot be exported: %s",
                  path,
                  cell.getClass().getSimpleName(),
                  reason(cell)));
    };
  }

  private static String reason(Cell<?> cell) {
    return switch (cell) {
      case MatrixPeepholeLstm _ ->
          "ONNX knows diagonal peepholes only; take a PeepholeLstm, or save it as safetensors";
      case Jordan _ ->
          "no operator of ONNX feeds its output back; take an Elman, or save it as safetensors";
      case Leaky leaky ->
          String.format(
              Locale.ROOT,
              "ONNX has no leaky units (tau is %s, with 1 it is an Elman); save it as safetensors",
              leaky.tau());
      default ->
          "ONNX has operators for Lstm, PeepholeLstm, Cifg, GruResetBefore, GruResetAfter and Elman"
              + " cells only; save it as safetensors";
    };
  }

  private static OnnxActivation of(String path, Transform activation) {
    return switch (activation) {
      case Activation.TANH -> OnnxActivation.TANH;
      case Activation.RELU -> OnnxActivation.RELU;
      case Activation.SIGMOID -> OnnxActivation.SIGMOID;
      case Activation.IDENTITY -> OnnxActivation.IDENTITY;
      default ->
          throw new OnnxException(
              String.format(
                  Locale.ROOT,
                  "%s.activation, %s, cannot be exported: ONNX names activations, and a function has no name; take"
                      + " one of Activation, or an OnnxRnn",
                  path,
                  activation.getClass().getSimpleName()));
    };
  }

  static RecurrentWeights lstm(
      GatedCell<?> cell, Parameter wh, List<Parameter> peepholes, Settings settings) {
    Tensor wb = bias(LSTM, cell);
    var p = peepholes.stream().map(Parameter::value).toList();
    return new RecurrentWeights(
        LSTM,
        settings,
        rows(LSTM, cell.gates(), cell.wx().value()),
        rows(LSTM, cell.gates(), wh.value()),
        wb,
        wb == null ? null : wb.zerosLike(),
        p.isEmpty()
            ? null
            : LSTM.peepholes().from(cell.gates().without("g"), Tensor.concat(p, 0), 0));
  }

  private static @Nullable Tensor bias(Operator operator, GatedCell<?> cell) {
    var bias = cell.b();
    return bias == null ? null : operator.order().from(cell.gates(), bias.value(), 0);
  }

  /** As {@link OnnxLstm} has them. */
  private static List<Parameter> peepholes(PeepholeLstm cell) {
    var named = Map.of("i", cell.pi(), "f", cell.pf(), "o", cell.po());
    return cell.gates().without("g").names().stream().map(gate -> named.get(gate)).toList();
  }

  /**
   * A cell whose weights from the state before are whole.
   *
   * @param wh {@code [H,3H]}, in the order of the cell's gates
   * @param bh the bias inside the reset, if there is one
   */
  static RecurrentWeights gru(
      GatedCell<?> cell, Tensor wh, @Nullable Parameter bh, Settings settings) {
    Tensor wb = bias(GRU, cell);
    return new RecurrentWeights(
        GRU,
        settings,
        rows(GRU, cell.gates(), cell.wx().value()),
        rows(GRU, cell.gates(), wh),
        wb,
        bh != null
            ? GRU.order().from(GateOrder.of("n"), bh.value(), 0)
            : wb == null ? null : wb.zerosLike(),
        null);
  }

  /** {@code wh [H,2H]} and {@code wn [H,H]} as one, in the order of the cell's gates. */
  static Tensor withCandidate(GatedCell<?> cell, Parameter wh, Parameter wn) {
    Tensor both = Tensor.concat(List.of(wh.value(), wn.value()), Tensor.LAST);
    return cell.gates().from(cell.products().with("n"), both, Tensor.LAST);
  }

  /** {@code [D,G·H] → [G·H,D]}, the gates in the operator's order. */
  private static Tensor rows(Operator operator, GateOrder gates, Tensor columns) {
    return operator.order().from(gates, columns, Tensor.LAST).transpose(0, 1);
  }

  private static RecurrentWeights rnn(
      Parameter wx, Parameter wh, @Nullable Parameter b, double clip, OnnxActivation activation) {
    return new RecurrentWeights(
        RNN,
        new Settings(false, false, clip, List.of(activation)),
        wx.value().transpose(0, 1),
        wh.value().transpose(0, 1),
        b == null ? null : b.value(),
        b == null ? null : b.value().zerosLike(),
        null);
  }
}
