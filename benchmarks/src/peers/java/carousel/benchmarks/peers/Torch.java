package carousel.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.kDouble;
import static org.bytedeco.pytorch.global.torch.kFloat;

import carousel.benchmarks.compare.Layers;
import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Values;
import carousel.tensor.DType;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Tensors of the agreed numbers, and the few calls of libtorch that read better with a name. */
final class Torch {
  private Torch() {}

  static ScalarType type(DType dtype) {
    return dtype == DType.F64 ? kDouble() : kFloat();
  }

  /** A constant. */
  static Tensor tensor(DType dtype, String name, double bound, long... dims) {
    return Tensor.create(Values.of(name, bound, count(dims)), dims).to(type(dtype));
  }

  /** A leaf near a centre that wants a gradient. */
  static Tensor leaf(DType dtype, double centre, String name, double bound, long... dims) {
    double[] values = Values.of(name, bound, count(dims));
    for (int i = 0; i < values.length; i++) {
      values[i] += centre;
    }
    return Tensor.create(values, dims).to(type(dtype)).set_requires_grad(true);
  }

  /** {@code [T,N,1]}: what a state is multiplied by before a step, 0 where it starts anew, 1 elsewhere. */
  static Tensor keep(Task task) {
    int count = task.size(0) * task.size(1);
    int[] drawn = Values.indices("resets", Layers.RESET_EVERY, count);
    double[] keep = Arrays.stream(drawn).mapToDouble(i -> i == 0 ? 0 : 1).toArray();
    return Tensor.create(keep, task.size(0), task.size(1), 1).to(type(task.dtype()));
  }

  /** The elements in rows. */
  static double[] values(Tensor tensor) {
    Tensor rows = tensor.to(kDouble()).contiguous();
    double[] values = new double[Math.toIntExact(rows.numel())];
    rows.data_ptr_double().get(values);
    return values;
  }

  /** Indices. */
  static Tensor indices(String name, int limit, long... dims) {
    int[] values = Values.indices(name, limit, count(dims));
    return Tensor.create(Arrays.stream(values).asLongStream().toArray(), dims);
  }

  private static int count(long... dims) {
    return Math.toIntExact(Arrays.stream(dims).reduce(1, (a, b) -> a * b));
  }

  /** Pulls a cotangent back. */
  static void backward(Tensor y, Tensor dy) {
    y.backward(dy, new BoolOptional(), false, new TensorArrayRefOptional());
  }

  /** Forgets gradients, as {@code zero_grad(set_to_none=True)}. */
  static void forget(List<Tensor> leaves) {
    for (Tensor leaf : leaves) {
      leaf.mutable_grad().reset();
    }
  }

  /** {@code √Σ g²} over the gradients of all leaves together. */
  static double norm(List<Tensor> leaves) {
    double squares = 0;
    for (Tensor leaf : leaves) {
      double norm = leaf.grad().norm().item_double();
      squares += norm * norm;
    }
    return Math.sqrt(squares);
  }
}
