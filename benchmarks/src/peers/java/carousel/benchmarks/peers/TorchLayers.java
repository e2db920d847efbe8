package carousel.benchmarks.peers;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Work;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Recurrent layers of libtorch, forward and backward: the gradients of x and of every weight and bias. */
final class TorchLayers implements Work {

  /** Layers over time: {@code x [T,N,D] → y [T,N,H]}. */
  interface Network extends AutoCloseable {
    /** The outputs of every step. */
    Tensor forward(Tensor x);

    /** All matrices and peepholes. */
    List<Tensor> weights();

    /** All biases. */
    List<Tensor> biases();

    @Override
    void close();
  }

  private final Network network;
  private final Tensor x;
  private final Tensor dy;
  private final List<Tensor> measured = new ArrayList<>();
  private final List<Tensor> leaves = new ArrayList<>();

  TorchLayers(Task task, Network network) {
    this.network = network;
    x = Torch.leaf(task.dtype(), "x", 1, task.size(0), task.size(1), task.size(2));
    dy = Torch.tensor(task.dtype(), "dy", 1, task.size(0), task.size(1), task.size(3));
    measured.add(x);
    measured.addAll(network.weights());
    leaves.addAll(measured);
    leaves.addAll(network.biases());
  }

  @Override
  public void run() {
    try (var step = new PointerScope()) {
      Torch.forget(leaves);
      Torch.backward(network.forward(x), dy);
    }
  }

  @Override
  public double norm() {
    try (var step = new PointerScope()) {
      return Torch.norm(measured);
    }
  }

  @Override
  public void close() {
    for (Tensor leaf : leaves) {
      leaf.close();
    }
    dy.close();
    network.close();
  }
}
