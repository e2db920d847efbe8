package carousel.nn;

import carousel.autograd.Grad;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.golden.Golden;
import java.util.function.Function;

/** Goldens as tensors, and a function held against one of their cases with all its gradients. */
public final class Goldens {
  private Goldens() {}

  /** The tensor under a key: I32 where the file has it so, else F64. */
  public static Tensor tensor(Golden golden, String key) {
    var stored = golden.tensor(key);
    var shape = Shape.of(stored.shape());
    return stored.dtype().equals("I32")
        ? Tensor.of(shape, stored.ints())
        : Tensor.of(shape, stored.values());
  }

  /**
   * Holds {@code f(inputs)} against {@code <key>}, and the gradient by each input against {@code
   * <key>.d<name>}: of the value where that is a scalar, else of {@code Σ w ⊙ value}.
   */
  public static void expect(
      Golden golden,
      String key,
      Tensor w,
      String[] names,
      Tensor[] inputs,
      Function<Tensor[], Tensor> f,
      double tolerance) {
    golden.expect(key, f.apply(inputs).toDoubleArray(), tolerance);
    var gradients =
        Grad.of(
            () -> {
              Tensor y = f.apply(inputs);
              return y.rank() == 0 ? y : y.mul(w).sum();
            },
            inputs);
    for (int i = 0; i < names.length; i++) {
      golden.expect(key + ".d" + names[i], gradients.get(i).toDoubleArray(), tolerance);
    }
  }
}
