package carousel.benchmarks.peers;

import carousel.benchmarks.compare.Task;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GRUImpl;
import org.bytedeco.pytorch.GRUOptions;
import org.bytedeco.pytorch.LSTMImpl;
import org.bytedeco.pytorch.LSTMOptions;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.RNNImpl;
import org.bytedeco.pytorch.RNNOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * {@code nn.LSTM}, {@code nn.GRU}, {@code nn.RNN} with the agreed weights. They keep matrices
 * transposed, and a second bias: all of it zero, but for the one inside the reset of a GRU.
 */
final class TorchModule {
  private static final int PER_LAYER = 4;

  private TorchModule() {}

  /** A module and its parameters. */
  private record Network(Module module, Forward run, List<Tensor> weights, List<Tensor> biases)
      implements TorchLayers.Network {
    @Override
    public Tensor forward(Tensor x) {
      return run.apply(x);
    }

    @Override
    public void close() {
      module.close();
    }
  }

  @FunctionalInterface
  private interface Forward {
    Tensor apply(Tensor x);
  }

  static TorchLayers.Network of(Task task) {
    long d = task.size(2);
    long h = task.size(3);
    long depth = task.size(4);
    return switch (task.kind()) {
      case LSTM -> {
        var options = new LSTMOptions(d, h);
        options.num_layers().put(depth);
        var lstm = new LSTMImpl(options);
        yield network(task, lstm, x -> lstm.forward(x).get0());
      }
      case GRU_AFTER -> {
        var options = new GRUOptions(d, h);
        options.num_layers().put(depth);
        var gru = new GRUImpl(options);
        yield network(task, gru, x -> gru.forward(x).get0());
      }
      case ELMAN -> {
        var options = new RNNOptions(d, h);
        options.num_layers().put(depth);
        var rnn = new RNNImpl(options);
        yield network(task, rnn, x -> rnn.forward(x).get0());
      }
      default -> throw new IllegalArgumentException("libtorch has no module for " + task);
    };
  }

  private static TorchLayers.Network network(Task task, Module module, Forward run) {
    module.to(Torch.type(task.dtype()), false);
    TensorVector parameters = module.parameters();
    List<Tensor> weights = new ArrayList<>();
    List<Tensor> biases = new ArrayList<>();
    double bound = 1 / Math.sqrt(task.size(3));
    for (int layer = 0; layer < task.size(4); layer++) {
      int at = PER_LAYER * layer;
      // What get(i) gives points into the vector; a copy of it lives by itself.
      var wx = new Tensor(parameters.get(at));
      var wh = new Tensor(parameters.get(at + 1));
      var b = new Tensor(parameters.get(at + 2));
      var second = new Tensor(parameters.get(at + 3));
      fill(task, wx, "wx." + layer, bound);
      fill(task, wh, "wh." + layer, bound);
      fillBiases(task, b, second, layer, bound);
      weights.addAll(List.of(wx, wh));
      biases.addAll(List.of(b, second));
    }
    return new Network(module, run, weights, biases);
  }

  private static void fill(Task task, Tensor to, String name, double bound) {
    try (var making = new PointerScope();
        var constant = new NoGradGuard()) {
      to.copy_(Torch.tensor(task.dtype(), name, bound, to.size(1), to.size(0)).t());
    }
  }

  private static void fillBiases(Task task, Tensor b, Tensor second, int layer, double bound) {
    try (var making = new PointerScope();
        var constant = new NoGradGuard()) {
      b.copy_(Torch.tensor(task.dtype(), "b." + layer, bound, b.size(0)));
      second.zero_();
      if (task.kind() == Task.Kind.GRU_AFTER) {
        long h = task.size(3);
        second.narrow(0, 2 * h, h).copy_(Torch.tensor(task.dtype(), "bh." + layer, bound, h));
      }
    }
  }
}
