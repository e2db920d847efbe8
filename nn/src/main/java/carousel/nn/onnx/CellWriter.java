package carousel.nn.onnx;

import static carousel.nn.onnx.RecurrentWeights.Operator.GRU;
import static carousel.nn.onnx.RecurrentWeights.Operator.LSTM;
import static carousel.nn.onnx.RecurrentWeights.Operator.RNN;

import carousel.nn.Parameter;
import carousel.nn.onnx.RecurrentWeights.Settings;
import carousel.nn.recurrent.Activation;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cifg;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Jordan;
import carousel.nn.recurrent.Leaky;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.MatrixPeepholeLstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cells to what ONNX calls them: gates reordered, matrices transposed, one bias made two. */
final class CellWriter {
  /** Stands for a block that a cell does not have. */
  private static final int ABSENT = -1;

  private CellWriter() {}

  /**
   * A cell as one direction of an operator.
   *
   * @throws OnnxException if no operator computes it
   */
  static RecurrentWeights of(String path, Cell<?> cell) {
    return switch (cell) {
      case Lstm c -> lstm(c.wx(), c.wh(), c.b(), List.of(), Settings.of(LSTM));
      case PeepholeLstm c ->
          lstm(c.wx(), c.wh(), c.b(), List.of(c.pi(), c.pf(), c.po()), Settings.of(LSTM));
      case Cifg c -> lstm(c.wx(), c.wh(), c.b(), List.of(), Settings.of(LSTM).withCoupled());
      case OnnxLstm c ->
          lstm(
              c.wx(),
              c.wh(),
              c.b(),
              c.peepholes(),
              new Settings(c.coupled(), false, c.clip(), c.activations()));
      case GruResetBefore c -> gru(c.wx(), c.wh(), c.wn(), c.b(), null, Settings.of(GRU));
      case GruResetAfter c -> {
        var wh = c.wh().value();
        var h = c.outputs();
        yield gru(
            c.wx().value(),
            wh.narrow(1, 0, 2 * h),
            wh.narrow(1, 2 * h, h),
            c.b().value(),
            c.bh().value(),
            Settings.of(GRU).withResetAfter());
      }
      case OnnxGru c ->
          gru(
              c.wx(),
              c.wh(),
              c.wn(),
              c.b(),
              c.bh(),
              new Settings(false, c.bh() != null, c.clip(), c.activations()));
      case Elman c -> rnn(c.wx(), c.wh(), c.b(), Clip.NONE, of(c.activation()));
      case OnnxRnn c -> rnn(c.wx(), c.wh(), c.b(), c.clip(), c.activation());
      // H = 0 · H' + 1 · f(..).
      case Leaky c when c.tau() == 1 -> rnn(c.wx(), c.wh(), c.b(), Clip.NONE, of(c.activation()));
      default ->
          throw new OnnxException(
              "%s, %s, cannot be exported: %s"
                  .formatted(path, cell.getClass().getSimpleName(), reason(cell)));
    };
  }

  private static String reason(Cell<?> cell) {
    return switch (cell) {
      case MatrixPeepholeLstm _ ->
          "ONNX knows diagonal peepholes only; take a PeepholeLstm, or save it as safetensors";
      case Jordan _ ->
          "no operator of ONNX feeds its output back; take an Elman, or save it as safetensors";
      case Leaky leaky ->
          "ONNX has no leaky units (tau is %s, with 1 it is an Elman); save it as safetensors"
              .formatted(leaky.tau());
      default ->
          "ONNX has operators for Lstm, PeepholeLstm, Cifg, GruResetBefore, GruResetAfter and Elman"
              + " cells only; save it as safetensors";
    };
  }

  private static OnnxActivation of(Activation activation) {
    return switch (activation) {
      case TANH -> OnnxActivation.TANH;
      case RELU -> OnnxActivation.RELU;
      case IDENTITY -> OnnxActivation.IDENTITY;
    };
  }

  /** Blocks i f g o, or i g o where gates are coupled, to i o f c. */
  private static RecurrentWeights lstm(
      Parameter wx, Parameter wh, Parameter b, List<Parameter> peepholes, Settings settings) {
    int[] order = settings.coupled() ? new int[] {0, 2, ABSENT, 1} : new int[] {0, 3, 1, 2};
    var count = settings.coupled() ? 3 : 4;
    var wb = blocks(b.value(), count, order);
    return new RecurrentWeights(
        LSTM,
        settings,
        blocks(wx.value(), count, order).transpose(0, 1),
        blocks(wh.value(), count, order).transpose(0, 1),
        wb,
        wb.zerosLike(),
        peepholes(peepholes));
  }

  /** pi pf po, or pi po, to i o f. */
  private static @Nullable Tensor peepholes(List<Parameter> p) {
    if (p.isEmpty()) return null;
    var forget = p.size() == 3 ? p.get(1).value() : p.getFirst().value().zerosLike();
    return Tensor.concat(0, List.of(p.getFirst().value(), p.getLast().value(), forget));
  }

  private static RecurrentWeights gru(
      Parameter wx, Parameter wh, Parameter wn, Parameter b, @Nullable Parameter bh, Settings s) {
    return gru(wx.value(), wh.value(), wn.value(), b.value(), bh == null ? null : bh.value(), s);
  }

  /** Blocks r z n to z r h. */
  private static RecurrentWeights gru(
      Tensor wx, Tensor wh, Tensor wn, Tensor b, @Nullable Tensor bh, Settings settings) {
    var h = wn.dim(0);
    var wb = blocks(b, 3, 1, 0, 2);
    var none = Tensor.zerosAs(b, Shape.of(2 * h));
    return new RecurrentWeights(
        GRU,
        settings,
        blocks(wx, 3, 1, 0, 2).transpose(0, 1),
        Tensor.concat(1, List.of(blocks(wh, 2, 1, 0), wn)).transpose(0, 1),
        wb,
        bh == null ? wb.zerosLike() : Tensor.concat(0, List.of(none, bh)),
        null);
  }

  private static RecurrentWeights rnn(
      Parameter wx, Parameter wh, Parameter b, double clip, OnnxActivation activation) {
    return new RecurrentWeights(
        RNN,
        new Settings(false, false, clip, List.of(activation)),
        wx.value().transpose(0, 1),
        wh.value().transpose(0, 1),
        b.value(),
        b.value().zerosLike(),
        null);
  }

  /** The blocks of the last axis in another order. */
  private static Tensor blocks(Tensor x, int count, int... order) {
    var all = x.chunk(count, Tensor.LAST);
    var chosen = new ArrayList<Tensor>();
    for (var block : order) {
      chosen.add(block == ABSENT ? all.getFirst().zerosLike() : all.get(block));
    }
    return Tensor.concat(Tensor.LAST, chosen);
  }
}
