package carousel.testing;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a function gives, and what flows back from it, by name.
 *
 * @param names of the tensors
 * @param tensors the outputs, then gradients
 */
record Results(List<String> names, List<Tensor> tensors) {
  /** From tensors to tensors. */
  @FunctionalInterface
  interface Function {
    Tensor[] apply(Tensor... inputs);
  }

  Tensor get(int i) {
    return tensors.get(i);
  }

  /** Copies of these on the host, in the innermost scope, that outlive what was computed. */
  Results onHost() {
    return new Results(
        names, tensors.stream().map(t -> t.detach().to(Device.cpu()).copy()).toList());
  }

  /** The outputs alone. */
  static Results ofOutputs(Tensor... outputs) {
    List<String> names = new ArrayList<>();
    for (int k = 0; k < outputs.length; k++) {
      names.add("output " + k);
    }
    return new Results(names, List.of(outputs));
  }

  /**
   * The outputs, and the gradients by the floating inputs of {@code Σ w ⊙ y} over the floating outputs.
   *
   * @param seed of the weights w
   */
  static Results of(Function f, long seed, Tensor... inputs) {
    Tensor[] leaves = floating(inputs);
    List<Tensor> outputs = new ArrayList<>();
    var scope = TensorScope.current();
    if (leaves.length == 0) {
      return ofOutputs(f.apply(inputs));
    }
    Gradients gradients =
        Grad.orZero(
            () -> {
              outputs.clear();
              for (Tensor y : f.apply(inputs)) {
                outputs.add(scope.adopt(y));
              }
              return weighted(outputs, seed);
            },
            leaves);
    Results all = ofOutputs(outputs.toArray(new Tensor[0]));
    List<String> names = new ArrayList<>(all.names);
    List<Tensor> tensors = new ArrayList<>(all.tensors);
    int leaf = 0;
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i].dtype().isFloating()) {
        names.add("gradient of input " + i);
        tensors.add(gradients.get(leaf++));
      }
    }
    return new Results(names, tensors);
  }

  /** The gradients alone. */
  static List<Tensor> gradients(Function f, long seed, Tensor... inputs) {
    Results all = of(f, seed, inputs);
    return all.tensors.subList(all.tensors.size() - floating(inputs).length, all.tensors.size());
  }

  /** Products of the Hessian of {@code Σ w ⊙ y} with fixed directions. */
  static List<Tensor> second(Function f, long seed, Tensor... inputs) {
    List<Tensor> leaves = List.of(floating(inputs));
    List<Tensor> directions = leaves.stream().map(x -> weights(x, seed + 1)).toList();
    return Grad.hvp(loss(f, seed, inputs), leaves, directions);
  }

  static Supplier<Tensor> loss(Function f, long seed, Tensor... inputs) {
    return () -> weighted(List.of(f.apply(inputs)), seed);
  }

  static Tensor[] floating(Tensor... tensors) {
    return Arrays.stream(tensors).filter(x -> x.dtype().isFloating()).toArray(Tensor[]::new);
  }

  private static Tensor weighted(List<Tensor> outputs, long seed) {
    Tensor sum = null;
    for (int k = 0; k < outputs.size(); k++) {
      Tensor y = outputs.get(k);
      if (y.dtype().isFloating()) {
        Tensor term = y.mul(weights(y, seed + 31L * k)).sum().cast(DType.F64);
        sum = sum == null ? term : sum.add(term);
      }
    }
    return sum == null ? Tensor.zeros(DType.F64) : sum;
  }

  /** Numbers between −1 and 1 without a pattern, the same on every device; zeros for {@link #ZEROS}. */
  static Tensor weights(Tensor like, long seed) {
    double[] numbers = new double[Math.toIntExact(like.size())];
    Arrays.setAll(numbers, i -> seed < 0 ? 0 : Math.sin(seed + 12.9898 * i));
    return Tensor.of(like.shape(), numbers).to(like.device()).cast(like.dtype());
  }

  /** The seed of weights that are all 0, for as many outputs as an op may have. */
  static final long ZEROS = Long.MIN_VALUE;

  /** Whether all numbers of a tensor are finite. */
  static boolean isFinite(@Nullable Tensor x) {
    return x == null || Arrays.stream(x.toDoubleArray()).allMatch(Double::isFinite);
  }
}
