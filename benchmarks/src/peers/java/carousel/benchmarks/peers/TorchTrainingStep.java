package carousel.benchmarks.peers;

import static carousel.benchmarks.compare.TrainingStep.BOUND;
import static carousel.benchmarks.compare.TrainingStep.CLIP;
import static carousel.benchmarks.compare.TrainingStep.RATE;
import static org.bytedeco.pytorch.global.torch.clip_grad_norm_;
import static org.bytedeco.pytorch.global.torch.cross_entropy;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Work;
import carousel.tensor.DType;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.LSTMImpl;
import org.bytedeco.pytorch.LSTMOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** The step of {@link carousel.benchmarks.compare.TrainingStep}, by libtorch's modules and SGD. */
final class TorchTrainingStep implements Work {
  private final EmbeddingImpl embed;
  private final LSTMImpl lstm;
  private final LinearImpl head;
  private final TensorVector parameters = new TensorVector();
  private final SGD sgd;
  private final Tensor tokens;
  private final Tensor targets;
  private final Tensor h;
  private final Tensor c;
  private final Scalar steps;
  private final long vocabulary;
  private double first = Double.NaN;

  TorchTrainingStep(Task task) {
    long window = task.size(0);
    long batch = task.size(1);
    long hidden = task.size(2);
    long depth = task.size(3);
    vocabulary = task.size(4);
    steps = new Scalar((double) window);
    embed = new EmbeddingImpl(vocabulary, hidden);
    var options = new LSTMOptions(hidden, hidden);
    options.num_layers().put(depth);
    lstm = new LSTMImpl(options);
    head = new LinearImpl(hidden, vocabulary);
    try (var making = new PointerScope();
        var constant = new NoGradGuard()) {
      DType dtype = task.dtype();
      embed.weight().copy_(Torch.tensor(dtype, "embed", BOUND, vocabulary, hidden));
      head.weight().copy_(Torch.tensor(dtype, "head", BOUND, hidden, vocabulary).t());
      head.bias().copy_(Torch.tensor(dtype, "bias", BOUND, vocabulary));
      TensorVector of = lstm.parameters();
      for (long i = 0; i < depth; i++) {
        of.get(4 * i).copy_(Torch.tensor(dtype, "wx." + i, BOUND, hidden, 4 * hidden).t());
        of.get(4 * i + 1).copy_(Torch.tensor(dtype, "wh." + i, BOUND, hidden, 4 * hidden).t());
        of.get(4 * i + 2).copy_(Torch.tensor(dtype, "b." + i, BOUND, 4 * hidden));
        of.get(4 * i + 3).zero_().set_requires_grad(false); // one bias is enough, as ours
      }
    }
    for (var module :
        new TensorVector[] {embed.parameters(), lstm.parameters(), head.parameters()}) {
      for (Tensor parameter : module.get()) {
        if (parameter.requires_grad()) {
          parameters.push_back(parameter);
        }
      }
    }
    sgd = new SGD(parameters, new SGDOptions(RATE));
    tokens = Torch.indices("tokens", (int) vocabulary, window, batch);
    targets = Torch.indices("targets", (int) vocabulary, window * batch);
    h = Torch.tensor(task.dtype(), "zeros", 0, depth, batch, hidden);
    c = Torch.tensor(task.dtype(), "zeros", 0, depth, batch, hidden);
  }

  @Override
  public void run() {
    try (var step = new PointerScope()) {
      sgd.zero_grad(true);
      var read = lstm.forward(embed.forward(tokens), new T_TensorTensor_T(h, c));
      Tensor logits = head.forward(read.get0()).view(-1, vocabulary);
      cross_entropy(logits, targets).mul(steps).backward();
      double norm = clip_grad_norm_(parameters, CLIP);
      sgd.step();
      try (var constant = new NoGradGuard()) {
        h.copy_(read.get1().get0());
        c.copy_(read.get1().get1());
      }
      first = Double.isNaN(first) ? norm : first;
    }
  }

  @Override
  public double norm() {
    return first;
  }

  @Override
  public void close() {
    sgd.close();
    parameters.close();
    embed.close();
    lstm.close();
    head.close();
    tokens.close();
    targets.close();
    h.close();
    c.close();
  }
}
