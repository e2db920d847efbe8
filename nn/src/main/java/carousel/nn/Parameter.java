package carousel.nn;

import carousel.tensor.Draws;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A weight of a model: one tensor of its own, made once and then written in place by {@link
 * #assign}. What type, shape and device it has never changes.
 *
 * <p>The tensor belongs to the scope that is open when the parameter is made, usually that of the
 * whole run, and lives as long as that scope.
 */
public final class Parameter {
  /**
   * What stands for the values of some, inside of {@link Parameters#with}. Carried: a checkpointed segment runs again
   * when that is over.
   */
  private static final ScopedValue<Map<Parameter, Tensor>> STAND_INS = Draws.carried();

  private final Tensor value;

  private Parameter(Tensor value) {
    this.value = value;
  }

  /**
   * A parameter that starts with a copy of some values.
   *
   * @param initial F32 or F64; only its values are taken, so that nobody else sees later changes
   * @return the parameter, owned by the innermost scope
   * @throws TensorException if the type is neither F32 nor F64
   */
  public static Parameter of(Tensor initial) {
    if (!initial.dtype().isFloating()) {
      throw new TensorException(
          "parameter: must be F32 or F64 to have gradients, got "
              + initial.dtype()
              + " "
              + initial.shape()
              + "; convert it with cast(DType.F32)");
    }
    return new Parameter(initial.detach().copy());
  }

  /**
   * A parameter that starts with computed values; what was made on the way to them is freed.
   *
   * @param initial computes an F32 or F64 tensor
   * @return the parameter, owned by the innermost scope
   * @throws TensorException if the type is neither F32 nor F64
   */
  public static Parameter of(Supplier<Tensor> initial) {
    try (var making = TensorScope.openUnwatched()) {
      var parameter = of(initial.get());
      making.keep(parameter.value);
      return parameter;
    }
  }

  /**
   * The current value, which changes with {@link #assign}; copy it to remember it.
   *
   * <p>Ask for it where it is used. What was computed of it outside of {@link carousel.autograd.Grad#of}, a transposed
   * view say, is a constant in there, through which no gradient comes back; and a value that was taken out before {@link
   * Parameters#with} is not replaced in there. Neither can be told from what is meant, so that no error says so.
   *
   * @return the tensor itself, always the same one; inside of {@link Parameters#with} what stands for it there
   */
  public Tensor value() {
    return STAND_INS.isBound() ? STAND_INS.get().getOrDefault(this, value) : value;
  }

  /** Runs a body in which tensors stand for values, besides those that do already. */
  static <R> R with(Map<Parameter, Tensor> standIns, Supplier<R> body) {
    Map<Parameter, Tensor> all = new HashMap<>(STAND_INS.isBound() ? STAND_INS.get() : Map.of());
    all.putAll(standIns);
    return ScopedValue.where(STAND_INS, all).call(body::get);
  }

  /**
   * Overwrites the value in place, also where another tensor stands for it. Not an op: no gradient flows.
   *
   * @param source of exactly this type and shape
   * @throws TensorException if the type or the shape differs
   */
  public void assign(Tensor source) {
    if (source.dtype() != value.dtype() || !source.shape().equals(value.shape())) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "parameter: cannot assign %s %s to a parameter of %s %s; type and shape of a parameter"
                  + " never change",
              source.dtype(),
              source.shape(),
              value.dtype(),
              value.shape()));
    }
    value.assign(source);
  }

  /** Type and shape, e.g. {@code Parameter F32 [200,800]}. */
  @Override
  public String toString() {
    return "Parameter " + value.dtype() + " " + value.shape();
  }
}
