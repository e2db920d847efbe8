package carousel.exchange.onnx;

import carousel.exchange.onnx.Graph.Step;
import carousel.exchange.onnx.Operation.Operand;
import carousel.nn.Parameter;
import carousel.nn.layer.LayerNorm;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Layer norms that are spelt out, as they were before opset 17: {@code d = x − mean(x)}, {@code y = d / √(
 * mean(d²) + ε) ⊙ gain + bias}, over the last axis.
 */
final class NormFinder {
  private final Draft draft;

  private NormFinder(Draft draft) {
    this.draft = draft;
  }

  /**
   * A layer norm.
   *
   * @param from what it reads
   * @param layer the layer
   */
  record Found(String from, LayerNorm layer) {}

  /** The norm whose last sum gives a value; null if there is none. */
  static @Nullable Found find(String name, Draft draft) {
    return new NormFinder(draft).find(name).orElse(null);
  }

  private Optional<Found> find(String name) {
    var sum = step(name, "Add");
    var product = sum.map(s -> s.from().getFirst()).flatMap(from -> step(from, "Mul"));
    var quotient = product.map(s -> s.from().getFirst()).flatMap(from -> step(from, "Div"));
    if (sum.isEmpty() || product.isEmpty() || quotient.isEmpty()) {
      return Optional.empty();
    }
    var bias = weight(sum.get());
    var gain = weight(product.get());
    var parts = quotient.get().from();
    if (bias == null || gain == null || parts.size() != 2) {
      return Optional.empty();
    }
    var x = centred(parts.get(0));
    var epsilon = x.flatMap(from -> epsilon(parts.get(1), from));
    var shape = gain.value().shape();
    if (epsilon.isEmpty() || shape.rank() != 1 || !shape.equals(bias.value().shape())) {
      return Optional.empty();
    }
    return Optional.of(new Found(x.get(), new LayerNorm(gain, bias, epsilon.get())));
  }

  private Optional<Step> step(String name, String operator) {
    var step = draft.maker(name);
    return step != null && step.layer() instanceof Operation o && o.operator().equals(operator)
        ? Optional.of(step)
        : Optional.empty();
  }

  private static List<Operand> operands(Step step) {
    return ((Operation) step.layer()).operands();
  }

  /** The weight of a step that reads one value beside it. */
  private static @Nullable Parameter weight(Step step) {
    if (step.from().size() != 1) {
      return null;
    }
    for (var operand : operands(step)) {
      if (operand instanceof Operand.Weight weight) {
        return weight.value();
      }
    }
    return null;
  }

  private static @Nullable Tensor number(Step step) {
    if (step.from().size() != 1) {
      return null;
    }
    for (var operand : operands(step)) {
      if (operand instanceof Operand.Constant number) {
        return number.value();
      }
    }
    return null;
  }

  /** x of {@code x − mean(x)}. */
  private Optional<String> centred(String name) {
    return step(name, "Sub")
        .filter(sub -> sub.from().size() == 2)
        .filter(sub -> mean(sub.from().get(1)).equals(Optional.of(sub.from().get(0))))
        .map(sub -> sub.from().get(0));
  }

  /** What a mean over the last axis, which stays with size 1, is of. */
  private Optional<String> mean(String name) {
    return step(name, "ReduceMean")
        .filter(step -> {
          var attributes = ((Operation) step.layer()).attributes();
          return (long) attributes.getOrDefault("keepdims", 1L) == 1;
        })
        .filter(step -> {
          Tensor axes = number(step);
          if (axes == null || axes.size() != 1) {
            return false;
          }
          int axis = axes.flatten().toIntArray()[0];
          int rank = draft.rank(step.from().getFirst()); // −1 if it is not known
          return axis == -1 || (rank > 0 && axis == rank - 1);
        })
        .map(step -> step.from().getFirst());
  }

  /** ε of {@code √(mean(d²) + ε)}, where d is of that x. */
  private Optional<Double> epsilon(String name, String x) {
    var sum = step(name, "Sqrt").flatMap(root -> step(root.from().getFirst(), "Add"));
    if (sum.isEmpty()) {
      return Optional.empty();
    }
    Tensor added = number(sum.get());
    boolean isOfX =
        mean(sum.get().from().getFirst())
            .flatMap(this::root)
            .flatMap(this::centred)
            .filter(x::equals)
            .isPresent();
    return added == null || added.size() != 1 || !isOfX
        ? Optional.empty()
        : Optional.of(decimal(added));
  }

  /** d of d². */
  private Optional<String> root(String square) {
    var power =
        step(square, "Pow")
            .filter(step -> {
              Tensor exponent = number(step);
              boolean isBase = operands(step).getFirst() instanceof Operand.Given;
              return exponent != null && isBase && exponent.size() == 1 && item(exponent) == 2;
            })
            .map(step -> step.from().getFirst());
    var product =
        step(square, "Mul")
            .filter(step -> step.from().size() == 2)
            .filter(step -> step.from().get(0).equals(step.from().get(1)))
            .map(step -> step.from().getFirst());
    return power.or(() -> product);
  }

  private static double item(Tensor number) {
    return number.flatten().cast(DType.F64).toDoubleArray()[0];
  }

  /** The number that was meant: 0.00001 rather than 0.0000099999997. */
  private static double decimal(Tensor number) {
    double value = item(number);
    return number.dtype() == DType.F32 ? Double.parseDouble(Float.toString((float) value)) : value;
  }
}
