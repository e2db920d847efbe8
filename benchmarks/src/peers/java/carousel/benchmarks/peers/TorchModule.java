package carousel.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.cat;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.peers.TorchLayers.Network.Leaf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GRUImpl;
import org.bytedeco.pytorch.GRUOptions;
import org.bytedeco.pytorch.LSTMImpl;
import org.bytedeco.pytorch.LSTMOptions;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.RNNImpl;
import org.bytedeco.pytorch.RNNOptions;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * {@code nn.LSTM}, {@code nn.GRU}, {@code nn.RNN} with the agreed weights. They keep matrices
 * transposed, and a second bias: all of it zero, but for the one inside the reset of a GRU.
 */
final class TorchModule {
  private TorchModule() {}

  /** A module and its parameters. */
  private record Network(Module module, UnaryOperator<Tensor> run, List<Leaf> leaves)
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

  static TorchLayers.Network of(Task task) {
    long d = task.size(2);
    long h = task.size(3);
    long depth = task.size(4);
    return switch (task.kind()) {
      case LSTM, LSTMP -> {
        var lstm = lstm(task);
        yield network(task, lstm, x -> lstm.forward(x).get0());
      }
      case RESET_LSTM -> {
        var lstm = lstm(task);
        yield network(task, lstm, withResets(task, lstm));
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

  private static LSTMImpl lstm(Task task) {
    var options = new LSTMOptions(task.size(2), task.size(3));
    options.num_layers().put(task.size(4));
    if (task.kind() == Task.Kind.LSTMP) {
      options.proj_size().put(task.outputs());
    }
    return new LSTMImpl(options);
  }

  /** One step at a time, with the state multiplied by 0 where it starts anew: as for recurrent policies. */
  private static UnaryOperator<Tensor> withResets(Task task, LSTMImpl lstm) {
    Tensor zeros = Torch.tensor(task.dtype(), "zeros", 0, task.size(4), task.size(1), task.size(3));
    Tensor keep = Torch.keep(task);
    return x -> {
      var outputs = new TensorVector();
      Tensor h = zeros;
      Tensor c = zeros;
      for (int t = 0; t < task.size(0); t++) {
        Tensor kept = keep.narrow(0, t, 1);
        var read = lstm.forward(x.narrow(0, t, 1), new T_TensorTensor_T(h.mul(kept), c.mul(kept)));
        outputs.push_back(read.get0());
        h = read.get1().get0();
        c = read.get1().get1();
      }
      return cat(outputs, 0);
    };
  }

  private static TorchLayers.Network network(Task task, Module module, UnaryOperator<Tensor> run) {
    module.to(Torch.type(task.dtype()), false);
    TensorVector parameters = module.parameters();
    List<Leaf> leaves = new ArrayList<>();
    long perLayer = parameters.size() / task.size(4);
    for (int layer = 0; layer < task.size(4); layer++) {
      List<String> names = List.of("wx", "wh", "b", "b2", "wp");
      for (int i = 0; i < perLayer; i++) {
        // What get(i) gives points into the vector; a copy of it lives by itself.
        var value = new Tensor(parameters.get(perLayer * layer + i));
        leaves.add(new Leaf(names.get(i) + "." + layer, value, value.dim() == 2));
      }
    }
    leaves.forEach(leaf -> fill(task, leaf));
    return new Network(module, run, leaves);
  }

  private static void fill(Task task, Leaf leaf) {
    double bound = 1 / Math.sqrt(task.size(3));
    Tensor to = leaf.value();
    try (var making = new PointerScope();
        var constant = new NoGradGuard()) {
      if (leaf.transposed()) {
        to.copy_(Torch.tensor(task.dtype(), leaf.name(), bound, to.size(1), to.size(0)).t());
      } else if (!leaf.name().startsWith("b2")) {
        to.copy_(Torch.tensor(task.dtype(), leaf.name(), bound, to.size(0)));
      } else {
        to.zero_();
        if (task.kind() == Task.Kind.GRU_AFTER) {
          long h = task.size(3);
          String name = leaf.name().replace("b2", "bh");
          to.narrow(0, 2 * h, h).copy_(Torch.tensor(task.dtype(), name, bound, h));
        }
      }
    }
  }
}
