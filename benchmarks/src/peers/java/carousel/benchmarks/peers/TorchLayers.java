package carousel.benchmarks.peers;

import carousel.benchmarks.compare.Digest;
import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Work;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Recurrent layers of libtorch, forward and backward: the gradients of x and of every weight and bias. */
final class TorchLayers implements Work {

  /** Layers over time: {@code x [T,N,D] → y [T,N,H]}. */
  interface Network extends AutoCloseable {
    /** The outputs of every step. */
    Tensor forward(Tensor x);

    /** All weights and biases. */
    List<Leaf> leaves();

    @Override
    void close();

    /**
     * A weight or bias.
     *
     * @param name as agreed; that of a bias starts with b
     * @param value its value
     * @param transposed whether the library keeps it with rows for columns
     */
    record Leaf(String name, Tensor value, boolean transposed) {
      boolean isBias() {
        return name.startsWith("b");
      }
    }
  }

  private final Network network;
  private final Tensor x;
  private final Tensor dy;
  private final List<Tensor> leaves = new ArrayList<>();

  TorchLayers(Task task, Network network) {
    this.network = network;
    x = Torch.leaf(task.dtype(), 0, "x", 1, task.size(0), task.size(1), task.size(2));
    dy = Torch.tensor(task.dtype(), "dy", 1, task.size(0), task.size(1), task.outputs());
    leaves.add(x);
    network.leaves().forEach(leaf -> leaves.add(leaf.value()));
  }

  @Override
  public void run() {
    try (var step = new PointerScope()) {
      Torch.forget(leaves);
      Torch.backward(network.forward(x), dy);
    }
  }

  @Override
  public void forward() {
    try (var step = new PointerScope();
        var constant = new NoGradGuard()) {
      network.forward(x);
    }
  }

  @Override
  public List<Digest> digests() {
    run();
    try (var step = new PointerScope();
        var constant = new NoGradGuard()) {
      List<Digest> digests = new ArrayList<>();
      digests.add(Digest.of("y", Torch.values(network.forward(x))));
      digests.add(Digest.of("dx", Torch.values(x.grad())));
      for (Network.Leaf leaf : network.leaves()) {
        Tensor gradient = leaf.value().grad();
        Tensor ours = leaf.transposed() ? gradient.t() : gradient;
        digests.add(Digest.of("d" + leaf.name(), Torch.values(ours)));
      }
      return digests;
    }
  }

  @Override
  public double norm() {
    List<Tensor> measured = new ArrayList<>(List.of(x));
    for (Network.Leaf leaf : network.leaves()) {
      if (!leaf.isBias()) {
        measured.add(leaf.value());
      }
    }
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
