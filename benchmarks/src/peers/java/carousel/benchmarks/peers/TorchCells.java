package carousel.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.log_sigmoid;

import carousel.benchmarks.compare.Task;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;

/**
 * Cells in libtorch's operations, as one writes them by hand: {@code addmm}, {@code addcmul} and {@code
 * layer_norm} where they fit.
 */
final class TorchCells {
  private static final double EPSILON = 1e-5;

  private final Task task;
  private final Weights weights;
  private final long h;

  /** Where a cell has its weights from; they are near a centre. */
  @FunctionalInterface
  interface Weights {
    Tensor of(double centre, String name, long... dims);
  }

  /** One step: what does not depend on the state, and the state, to the next state; h is its first. */
  @FunctionalInterface
  interface Step {
    Tensor[] of(Tensor z, Tensor[] state);
  }

  /**
   * A cell.
   *
   * @param project of all steps at once, {@code [T·N,D] → [T·N,G]}
   * @param step of one
   * @param widths of the tensors of its state
   */
  record Cell(UnaryOperator<Tensor> project, Step step, long... widths) {}

  private TorchCells(Task task, Weights weights) {
    this.task = task;
    this.weights = weights;
    h = task.size(3);
  }

  /** The cell of a task that reads d features. */
  static Cell of(Task task, long d, Weights weights) {
    return new TorchCells(task, weights).cell(d);
  }

  private Cell cell(long d) {
    return switch (task.kind()) {
      case LSTM_BY_HAND, RESET_LSTM_BY_HAND -> new Cell(affine(d, 4 * h), lstm(), h, h);
      case PEEPHOLE -> new Cell(affine(d, 4 * h), peephole(), h, h);
      case MATRIX_PEEPHOLE -> new Cell(affine(d, 4 * h), matrixPeephole(), h, h);
      case GRU -> new Cell(affine(d, 3 * h), gru(), h);
      case LAYER_NORM_LSTM -> layerNormLstm(d);
      case LSTMP_BY_HAND -> new Cell(affine(d, 4 * h), projected(), task.outputs(), h);
      case SLSTM -> new Cell(affine(d, 4 * h), slstm(), h, h, h, h);
      default -> throw new IllegalArgumentException("no cell is written for " + task);
    };
  }

  private Tensor weight(String name, long... dims) {
    return weights.of(0, name, dims);
  }

  private UnaryOperator<Tensor> affine(long d, long columns) {
    Tensor wx = weight("wx", d, columns);
    Tensor b = weight("b", columns);
    return x -> addmm(b, x, wx);
  }

  private UnaryOperator<Tensor> norm(String of, long features) {
    long[] shape = {features};
    var gain = new TensorOptional(weights.of(1, "g" + of, features));
    var bias = new TensorOptional(weights.of(0, "s" + of, features));
    return x -> layer_norm(x, shape, gain, bias, EPSILON, true);
  }

  /** What an LSTM keeps of its gates i f g o, and lets in. */
  private static Tensor memory(TensorVector a, Tensor before) {
    return a.get(1).sigmoid().mul(before).addcmul(a.get(0).sigmoid(), a.get(2).tanh());
  }

  private Step lstm() {
    Tensor wh = weight("wh", h, 4 * h);
    return (z, state) -> {
      TensorVector a = addmm(z, state[0], wh).chunk(4, 1); // i f g o, each [N,H]
      Tensor c = memory(a, state[1]);
      return new Tensor[] {a.get(3).sigmoid().mul(c.tanh()), c};
    };
  }

  private Step projected() {
    Tensor wh = weight("wh", task.outputs(), 4 * h);
    Tensor wp = weight("wp", h, task.outputs());
    return (z, state) -> {
      TensorVector a = addmm(z, state[0], wh).chunk(4, 1);
      Tensor c = memory(a, state[1]);
      return new Tensor[] {a.get(3).sigmoid().mul(c.tanh()).mm(wp), c};
    };
  }

  private Cell layerNormLstm(long d) {
    Tensor wx = weight("wx", d, 4 * h);
    Tensor wh = weight("wh", h, 4 * h);
    UnaryOperator<Tensor> ofInput = norm("x", 4 * h);
    UnaryOperator<Tensor> ofState = norm("h", 4 * h);
    UnaryOperator<Tensor> ofMemory = norm("c", h);
    Step step =
        (z, state) -> {
          TensorVector a = ofState.apply(state[0].mm(wh)).add(z).chunk(4, 1);
          Tensor c = memory(a, state[1]);
          return new Tensor[] {a.get(3).sigmoid().mul(ofMemory.apply(c).tanh()), c};
        };
    return new Cell(x -> ofInput.apply(x.mm(wx)), step, h, h);
  }

  private Step slstm() {
    Tensor wh = weight("wh", h, 4 * h);
    return (z, state) -> {
      TensorVector a = addmm(z, state[0], wh).chunk(4, 1); // i f z o, each [N,H]
      Tensor kept = log_sigmoid(a.get(1)).add(state[3]);
      Tensor m = kept.maximum(a.get(0));
      Tensor i = a.get(0).sub(m).exp();
      Tensor f = kept.sub(m).exp();
      Tensor c = f.mul(state[1]).addcmul(i, a.get(2).tanh());
      Tensor n = i.addcmul(f, state[2]);
      return new Tensor[] {a.get(3).sigmoid().mul(c.div(n)), c, n, m};
    };
  }

  private Step peephole() {
    Tensor wh = weight("wh", h, 4 * h);
    Tensor pi = weight("pi", h);
    Tensor pf = weight("pf", h);
    Tensor po = weight("po", h);
    return (z, state) -> {
      TensorVector a = addmm(z, state[0], wh).chunk(4, 1);
      Tensor before = state[1];
      Tensor i = a.get(0).addcmul(pi, before).sigmoid();
      Tensor f = a.get(1).addcmul(pf, before).sigmoid();
      Tensor c = f.mul(before).addcmul(i, a.get(2).tanh());
      Tensor o = a.get(3).addcmul(po, c).sigmoid();
      return new Tensor[] {o.mul(c.tanh()), c};
    };
  }

  private Step matrixPeephole() {
    Tensor wh = weight("wh", h, 4 * h);
    Tensor wci = weight("wci", h, h);
    Tensor wcf = weight("wcf", h, h);
    Tensor wco = weight("wco", h, h);
    return (z, state) -> {
      TensorVector a = addmm(z, state[0], wh).chunk(4, 1);
      Tensor before = state[1];
      Tensor i = a.get(0).addmm(before, wci).sigmoid();
      Tensor f = a.get(1).addmm(before, wcf).sigmoid();
      Tensor c = f.mul(before).addcmul(i, a.get(2).tanh());
      Tensor o = a.get(3).addmm(c, wco).sigmoid();
      return new Tensor[] {o.mul(c.tanh()), c};
    };
  }

  private Step gru() {
    Tensor wh = weight("wh", h, 2 * h);
    Tensor wn = weight("wn", h, h);
    return (z, state) -> {
      Tensor before = state[0];
      TensorVector u = addmm(z.narrow(1, 0, 2 * h), before, wh).chunk(2, 1); // r z
      Tensor reset = u.get(0).sigmoid().mul(before);
      Tensor n = addmm(z.narrow(1, 2 * h, h), reset, wn).tanh();
      return new Tensor[] {n.addcmul(u.get(1).sigmoid(), before.sub(n))};
    };
  }
}
