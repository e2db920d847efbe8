package carousel.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;
import static org.bytedeco.pytorch.global.torch.stack;

import carousel.benchmarks.compare.Task;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * Cells that libtorch has no module for, written as one writes them by hand, and recorded by its
 * autograd operation by operation. The product with the inputs is taken for all steps at once.
 */
final class TorchScan implements TorchLayers.Network {

  /** One step: what does not depend on the state, and {@code {h, c}}, to the next {@code {h, c}}. */
  @FunctionalInterface
  private interface Cell {
    Tensor[] step(Tensor z, Tensor[] state);
  }

  private record Layer(Tensor wx, Tensor b, Cell cell) {}

  private final Task task;
  private final List<Layer> layers = new ArrayList<>();
  private final List<Tensor> weights = new ArrayList<>();
  private final List<Tensor> biases = new ArrayList<>();
  private final Tensor zeros;

  private TorchScan(Task task) {
    this.task = task;
    zeros = Torch.tensor(task.dtype(), "zeros", 0, task.size(1), task.size(3));
    for (int i = 0; i < task.size(4); i++) {
      layers.add(layer(i));
    }
  }

  static TorchLayers.Network of(Task task) {
    return new TorchScan(task);
  }

  private Layer layer(int i) {
    long d = i == 0 ? task.size(2) : task.size(3);
    long h = task.size(3);
    long gates = task.kind() == Task.Kind.GRU ? 3 : 4;
    Tensor wx = weight("wx", i, d, gates * h);
    Tensor b = leaf("b", i, gates * h);
    biases.add(b);
    return new Layer(
        wx,
        b,
        switch (task.kind()) {
          case LSTM_BY_HAND -> lstm(weight("wh", i, h, 4 * h));
          case PEEPHOLE ->
              peephole(
                  weight("wh", i, h, 4 * h),
                  weight("pi", i, h),
                  weight("pf", i, h),
                  weight("po", i, h));
          case MATRIX_PEEPHOLE ->
              matrixPeephole(
                  weight("wh", i, h, 4 * h),
                  weight("wci", i, h, h),
                  weight("wcf", i, h, h),
                  weight("wco", i, h, h));
          case GRU -> gru(weight("wh", i, h, 2 * h), weight("wn", i, h, h));
          default -> throw new IllegalArgumentException("no cell is written for " + task);
        });
  }

  private Tensor leaf(String name, int layer, long... dims) {
    double bound = 1 / Math.sqrt(task.size(3));
    return Torch.leaf(task.dtype(), name + "." + layer, bound, dims);
  }

  private Tensor weight(String name, int layer, long... dims) {
    Tensor weight = leaf(name, layer, dims);
    weights.add(weight);
    return weight;
  }

  private static Cell lstm(Tensor wh) {
    return (z, state) -> {
      TensorVector a = addmm(z, state[0], wh).chunk(4, 1); // i f g o, each [N,H]
      Tensor c = a.get(1).sigmoid().mul(state[1]).addcmul(a.get(0).sigmoid(), a.get(2).tanh());
      return new Tensor[] {a.get(3).sigmoid().mul(c.tanh()), c};
    };
  }

  private static Cell peephole(Tensor wh, Tensor pi, Tensor pf, Tensor po) {
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

  private static Cell matrixPeephole(Tensor wh, Tensor wci, Tensor wcf, Tensor wco) {
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

  private Cell gru(Tensor wh, Tensor wn) {
    long h = task.size(3);
    return (z, state) -> {
      Tensor before = state[0];
      TensorVector u = addmm(z.narrow(1, 0, 2 * h), before, wh).chunk(2, 1); // r z
      Tensor reset = u.get(0).sigmoid().mul(before);
      Tensor n = addmm(z.narrow(1, 2 * h, h), reset, wn).tanh();
      return new Tensor[] {n.addcmul(u.get(1).sigmoid(), before.sub(n)), before};
    };
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor y = x;
    for (Layer layer : layers) {
      long d = y.size(2);
      Tensor z =
          addmm(layer.b, y.reshape(-1, d), layer.wx)
              .view(task.size(0), task.size(1), layer.b.size(0));
      TensorVector steps = z.unbind(0);
      var outputs = new TensorVector();
      Tensor[] state = {zeros, zeros};
      for (int t = 0; t < task.size(0); t++) {
        state = layer.cell.step(steps.get(t), state);
        outputs.push_back(state[0]);
      }
      y = stack(outputs, 0);
    }
    return y;
  }

  @Override
  public List<Tensor> weights() {
    return weights;
  }

  @Override
  public List<Tensor> biases() {
    return biases;
  }

  @Override
  public void close() {
    zeros.close();
  }
}
