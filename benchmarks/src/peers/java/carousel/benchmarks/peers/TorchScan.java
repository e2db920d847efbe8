package carousel.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.stack;

import carousel.benchmarks.compare.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * A loop over the steps of cells that libtorch has no module for, recorded by its autograd operation by
 * operation. The product with the inputs is taken for all steps at once.
 */
final class TorchScan implements TorchLayers.Network {
  private final Task task;
  private final List<TorchCells.Cell> cells = new ArrayList<>();
  private final List<Leaf> leaves = new ArrayList<>();
  private final List<Tensor> constants = new ArrayList<>();
  private final TensorVector keep; // of every step what a state is multiplied by, [N,1], or nothing
  private final List<Tensor[]> starts = new ArrayList<>();

  private TorchScan(Task task) {
    this.task = task;
    double bound = 1 / Math.sqrt(task.size(3));
    for (int i = 0; i < task.size(4); i++) {
      String layer = "." + i;
      var cell =
          TorchCells.of(
              task,
              i == 0 ? task.size(2) : task.outputs(),
              (centre, name, dims) -> {
                Tensor leaf = Torch.leaf(task.dtype(), centre, name + layer, bound, dims);
                leaves.add(new Leaf(name + layer, leaf, false));
                return leaf;
              });
      cells.add(cell);
      starts.add(Arrays.stream(cell.widths()).mapToObj(this::zeros).toArray(Tensor[]::new));
    }
    keep =
        task.kind() == Task.Kind.RESET_LSTM_BY_HAND
            ? Torch.keep(task).unbind(0)
            : new TensorVector();
  }

  static TorchLayers.Network of(Task task) {
    return new TorchScan(task);
  }

  private Tensor zeros(long width) {
    Tensor zeros = Torch.tensor(task.dtype(), "zeros", 0, task.size(1), width);
    constants.add(zeros);
    return zeros;
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor y = x;
    for (int i = 0; i < cells.size(); i++) {
      y = forward(cells.get(i), starts.get(i), y);
    }
    return y;
  }

  private Tensor forward(TorchCells.Cell cell, Tensor[] start, Tensor x) {
    Tensor z = cell.project().apply(x.reshape(-1, x.size(2)));
    TensorVector steps = z.view(task.size(0), task.size(1), z.size(1)).unbind(0);
    var outputs = new TensorVector();
    Tensor[] state = start;
    for (int t = 0; t < task.size(0); t++) {
      if (!keep.empty()) {
        Tensor kept = keep.get(t);
        state = Arrays.stream(state).map(s -> s.mul(kept)).toArray(Tensor[]::new);
      }
      state = cell.step().of(steps.get(t), state);
      outputs.push_back(state[0]);
    }
    return stack(outputs, 0);
  }

  @Override
  public List<Leaf> leaves() {
    return leaves;
  }

  @Override
  public void close() {
    constants.forEach(Tensor::close);
    keep.close();
  }
}
