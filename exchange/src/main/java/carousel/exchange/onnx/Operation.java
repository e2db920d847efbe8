package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.layer.Activation;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An operator of ONNX that is no layer: an activation, a sum, a cut, arithmetic with shapes. It computes
 * what the standard (opset 17) says, on tensors, with gradients.
 *
 * <pre>{@code
 * Chain classifier =
 *     Chain.of(model.embed(), model.stack(), Operation.last(), model.head(), Operation.softmax());
 * }</pre>
 *
 * <p>{@link #operators} lists which there are. Whole numbers of 64 bits are I32 here; a value that does
 * not fit is refused where the file is read.
 *
 * @param operator e.g. {@code Softmax}
 * @param attributes by name: Long, Double, String or a list of Long
 * @param operands what the operator reads, in its order
 */
public record Operation(String operator, Map<String, Object> attributes, List<Operand> operands)
    implements Layer {
  /** What an operator reads. */
  public sealed interface Operand {
    /**
     * What is given when it runs.
     *
     * @param index the place among what is given
     */
    record Given(int index) implements Operand {}

    /**
     * A weight.
     *
     * @param value its value
     */
    record Weight(Parameter value) implements Operand {}

    /**
     * A constant that is not trained: an axis, a shape, an ε.
     *
     * @param type its type in a file
     * @param value its value
     */
    record Constant(DataType type, Tensor value) implements Operand {}

    /** An operand that is left out. */
    record Missing() implements Operand {}
  }

  /** Checks the operator, its attributes and how many operands it reads. */
  public Operation {
    attributes = Map.copyOf(attributes);
    operands = List.copyOf(operands);
    String problem = Semantics.problem(operator, attributes.keySet(), operands.size());
    if (!problem.isEmpty()) {
      throw new TensorException("operation " + operator + ": " + problem);
    }
  }

  /**
   * The operators that there are.
   *
   * @return their names, sorted
   */
  public static List<String> operators() {
    return Semantics.names();
  }

  /**
   * An operator that reads all that it is given, in order.
   *
   * @param operator e.g. {@code Add}
   * @param inputs how many
   * @param attributes by name
   * @return the operation
   * @throws TensorException if there is no such operator, or it has no such attribute
   */
  public static Operation of(String operator, int inputs, Map<String, Object> attributes) {
    return new Operation(operator, attributes, given(inputs));
  }

  private static List<Operand> given(int inputs) {
    return IntStream.range(0, inputs).<Operand>mapToObj(Operand.Given::new).toList();
  }

  /**
   * {@code e^x / Σ e^x} over the last axis.
   *
   * @return the operation
   */
  public static Operation softmax() {
    return of("Softmax", 1, Map.of("axis", -1L));
  }

  /**
   * {@code x − log Σ e^x} over the last axis.
   *
   * @return the operation
   */
  public static Operation logSoftmax() {
    return of("LogSoftmax", 1, Map.of("axis", -1L));
  }

  /**
   * {@code 1 / (1 + e^−x)}.
   *
   * @return the operation
   */
  public static Operation sigmoid() {
    return of("Sigmoid", 1, Map.of());
  }

  /**
   * {@code tanh x}.
   *
   * @return the operation
   */
  public static Operation tanh() {
    return of("Tanh", 1, Map.of());
  }

  /**
   * {@code max(x, 0)}.
   *
   * @return the operation
   */
  public static Operation relu() {
    return of("Relu", 1, Map.of());
  }

  /** What computes an activation. */
  static Operation of(Activation activation) {
    return switch (activation) {
      case TANH -> tanh();
      case RELU -> relu();
      case SIGMOID -> sigmoid();
      case IDENTITY -> of("Identity", 1, Map.of());
    };
  }

  /**
   * The last step, {@code x [T,N,H] → [N,H]}.
   *
   * @return the operation
   */
  public static Operation last() {
    return last(0);
  }

  /**
   * The last position of an axis, which disappears: axis 0 of what has its time first, or of final
   * states; 1 of what has its batch first.
   *
   * @param axis which
   * @return the operation
   */
  public static Operation last(int axis) {
    Tensor index = kept(() -> Tensor.of(Shape.SCALAR, -1));
    return new Operation(
        "Gather",
        Map.of("axis", (long) axis),
        List.of(new Operand.Given(0), new Operand.Constant(DataType.INT64, index)));
  }

  private static Tensor kept(Supplier<Tensor> make) {
    try (var making = TensorScope.openUnwatched()) {
      return making.keep(make.get());
    }
  }

  /**
   * {@code a + b}, broadcast: what goes around a layer, a residual.
   *
   * @return the operation, of two inputs
   */
  public static Operation add() {
    return of("Add", 2, Map.of());
  }

  /**
   * One beside the other.
   *
   * @param inputs how many
   * @param axis along which axis
   * @return the operation
   */
  public static Operation concat(int inputs, int axis) {
    return of("Concat", inputs, Map.of("axis", (long) axis));
  }

  /** How many tensors it is given. */
  int inputs() {
    return (int) operands.stream().filter(Operand.Given.class::isInstance).count();
  }

  /** Whether y has the shape of x, its one input. */
  boolean keepsShape() {
    return inputs() == 1 && Semantics.KEEP_SHAPE.contains(operator);
  }

  /**
   * Computes the first output.
   *
   * @param in what is given
   * @return the output
   * @throws TensorException if shapes or types do not fit; the message names the operator
   */
  public Tensor apply(Tensor... in) {
    return run(Arrays.asList(in), 1).getFirst();
  }

  /** All outputs. */
  List<Tensor> run(List<Tensor> in, int outputs) {
    if (in.size() != inputs()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "operation %s: reads %d tensors, got %d",
              operator,
              inputs(),
              in.size()));
    }
    var all = new ArrayList<@Nullable Tensor>();
    for (var operand : operands) {
      all.add(
          switch (operand) {
            case Operand.Given given -> in.get(given.index());
            case Operand.Weight weight -> weight.value().value();
            case Operand.Constant number -> number.value();
            case Operand.Missing _ -> null;
          });
    }
    try {
      return Semantics.of(operator).run(new Call(attributes, all, outputs));
    } catch (TensorException e) {
      throw new TensorException("operation " + operator + ": " + e.getMessage());
    }
  }
}
