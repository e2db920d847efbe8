package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * An op of a user's own: a function of tensors, and how gradients flow back through it, which need not be
 * its derivative. A small record whose components are the op's attributes; this one is a spike, with the
 * gradient of a fast sigmoid in place of its own, which is 0:
 *
 * <pre>{@code
 * record Spike(double slope) implements CustomOp {
 *   public Tensor[] forward(Tensor... in) {
 *     return new Tensor[] {in[0].gt(0).cast(in[0].dtype())};
 *   }
 *
 *   public Vjp vjp() {
 *     return Vjp.fromInput((g, v) -> g.div(v.abs().mul(slope).add(1).square()));
 *   }
 * }
 *
 * Tensor s = new Spike(10).apply(x);
 * }</pre>
 *
 * <p>Inputs and outputs are as many as the op wants, of any shape and type, on any device. Nothing flows to
 * integers and masks, nor where the rule gives nothing.
 *
 * <p><em>The rule is the gradient, at every order.</em> {@link #forward} computes by tensor ops, or on the
 * host, unrecorded; a gradient of a gradient differentiates {@link #vjp}, never the forward. A rule that
 * cannot be differentiated is declared with {@link Vjp#once}. Tensors that the op holds besides its inputs
 * are constants to it: what needs a gradient is an input.
 *
 * <p>In a cell's step, or a composite, such an op is part of the kernel if forward and rule are made of what
 * kernels understand; {@code Recurrent.explain} says why not. The op is applied to stand-ins then, without
 * values; its numbers may change from call to call. For that its forward and its rule compute the same of
 * the same inputs, and change nothing outside of themselves.
 */
public non-sealed interface CustomOp extends Op {
  /**
   * Computes the outputs.
   *
   * @param in the inputs, which stay as they are
   * @return the outputs, at least one; an input, or a tensor that is held elsewhere, may be among them
   */
  Tensor[] forward(Tensor... in);

  /**
   * {@return the name for messages and graphs: the simple name of the class, in lower camel case}
   */
  @Override
  default String label() {
    String name = getClass().getSimpleName();
    int capitals = 0;
    while (capitals < name.length() && Character.isUpperCase(name.charAt(capitals))) {
      capitals++;
    }
    // LIFSpike is lifSpike.
    int lower = capitals > 1 && capitals < name.length() ? capitals - 1 : capitals;
    return name.isEmpty()
        ? "custom"
        : name.substring(0, lower).toLowerCase(Locale.ROOT) + name.substring(lower);
  }

  /**
   * Applies this op, which has one output.
   *
   * @param in its inputs
   * @return its first output
   * @throws TensorException if forward fails
   */
  default Tensor apply(Tensor... in) {
    return Op.apply(this, in);
  }

  /**
   * Applies this op.
   *
   * @param in its inputs
   * @return its outputs
   * @throws TensorException if forward fails
   */
  default Tensor[] applyAll(Tensor... in) {
    return Op.applyAll(this, in);
  }

  /**
   * Computes the outputs, unrecorded; for interpreters. What forward makes on the way is freed. An output
   * that is an input, or another output, or is held elsewhere, comes as a view of it: outputs are tensors
   * that nobody else has.
   *
   * @param inputs the inputs
   * @return the outputs, in the current scope
   * @throws TensorException if there are none, if one is missing, or if an input was written to
   */
  @Override
  default Tensor[] evaluate(Tensor... inputs) {
    int[] versions = new int[inputs.length];
    for (int i = 0; i < versions.length; i++) {
      versions[i] = Engine.storage(inputs[i]).version();
    }
    try (var scope = TensorScope.openUnwatched()) {
      Tensor[] outputs = Interpreter.EAGER.run(() -> forward(inputs));
      requireOutputs(this, outputs);
      for (int i = 0; i < versions.length; i++) {
        if (Engine.storage(inputs[i]).version() != versions[i]) {
          throw new TensorException(
              label()
                  + ": forward wrote to its input "
                  + i
                  + " "
                  + inputs[i].shape()
                  + " in place; write to a copy()");
        }
      }
      Set<Tensor> handed = new HashSet<>();
      Tensor[] results = new Tensor[outputs.length];
      for (int k = 0; k < results.length; k++) {
        Tensor y = outputs[k];
        boolean isNew = scope.owns(y) && handed.add(y);
        results[k] = scope.keep(isNew ? y : Engine.over(y, Engine.layout(y)));
      }
      return results;
    }
  }

  private static void requireOutputs(CustomOp op, Tensor... outputs) {
    if (outputs == null || outputs.length == 0) {
      throw new TensorException(
          op.label() + ": forward gives no outputs; return at least one tensor");
    }
    for (int k = 0; k < outputs.length; k++) {
      if (outputs[k] == null) {
        throw new TensorException(
            op.label() + ": forward gives null as output " + k + "; return a tensor");
      }
    }
  }

  /**
   * An op of one input and one output.
   *
   * @param label its name, for messages
   * @param forward from the input to the output
   * @param vjp its rule
   * @return the op
   */
  static CustomOp of(String label, UnaryOperator<Tensor> forward, Vjp vjp) {
    return ofAll(label, in -> new Tensor[] {forward.apply(in[0])}, vjp);
  }

  /**
   * An op of two inputs and one output.
   *
   * @param label its name, for messages
   * @param forward from the inputs to the output
   * @param vjp its rule
   * @return the op
   */
  static CustomOp of(String label, BinaryOperator<Tensor> forward, Vjp vjp) {
    return ofAll(label, in -> new Tensor[] {forward.apply(in[0], in[1])}, vjp);
  }

  /**
   * An op of any number of inputs and outputs.
   *
   * @param label its name, for messages
   * @param forward from the inputs to the outputs
   * @param vjp its rule
   * @return the op
   */
  static CustomOp ofAll(String label, Composite.Body forward, Vjp vjp) {
    return new FunctionOp(label, forward, vjp);
  }
}
