package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A vector-Jacobian product: cotangents of an op's outputs in, cotangents of its inputs out.
 *
 * <p>Rules are written in tensor operations, so that they can be differentiated again; one that cannot be
 * is declared with {@link #once}. They never mention broadcasting: the caller sums each result to its
 * input's shape. What a rule reads tells a tape what it must save. A rule need not be the derivative of
 * its op, but it gives zeros for cotangents that are zeros.
 */
public abstract sealed class Vjp permits Vjp.Applied, RulePerInput, JointRule, OnceRule {

  /** For rules. */
  Vjp() {}

  /**
   * What a rule may look at. Reading an input or output that the rule did not declare fails.
   */
  public interface Context {
    /**
     * The name of the op that was applied, for messages.
     *
     * @return its label
     */
    String label();

    /**
     * The cotangent of output 0.
     *
     * @return the cotangent, of the output's shape
     */
    default Tensor g() {
      return g(0);
    }

    /**
     * The cotangent of an output.
     *
     * @param output which output
     * @return the cotangent; zeros if nothing flows into it
     */
    Tensor g(int output);

    /**
     * Tells whether anything flows into an output. A rule may spare itself work where nothing does, but
     * gives the same as for zeros: a kernel made of it cannot tell one from the other.
     *
     * @param output which
     * @return whether {@link #g(int)} is more than zeros
     */
    boolean reached(int output);

    /**
     * Tells whether the cotangent of an input is asked for. What a rule gives for the others is dropped.
     *
     * @param input which
     * @return whether to compute it
     */
    boolean wanted(int input);

    /**
     * The value of an input.
     *
     * @param input which
     * @return its value, as it was when the op was applied
     */
    Tensor in(int input);

    /**
     * The value of an output.
     *
     * @param output which
     * @return its value
     */
    Tensor out(int output);

    /** {@return the number of inputs} */
    int inputs();

    /** {@return the number of outputs} */
    int outputs();

    /**
     * The shape of an output; known without saving its value.
     *
     * @param output which
     * @return its shape
     */
    Shape outputShape(int output);

    /**
     * The shape of an input; known without saving its value.
     *
     * @param input which
     * @return its shape
     */
    Shape shape(int input);

    /**
     * The element type of an input; known without saving its value.
     *
     * @param input which
     * @return its type
     */
    DType dtype(int input);

    /**
     * The device of an input; known without saving its value.
     *
     * @param input which
     * @return where it lives
     */
    Device device(int input);
  }

  /** From the context to the cotangent of one input. */
  @FunctionalInterface
  public interface Pull {
    /**
     * Computes the cotangent.
     *
     * @param c what was saved, and the cotangents of the outputs
     * @return the cotangent, of the input's shape or of one it broadcasts to
     */
    Tensor apply(Context c);
  }

  /** From one tensor to another. */
  @FunctionalInterface
  public interface Pull1 {
    /**
     * Computes the cotangent.
     *
     * @param g the cotangent of the output
     * @return the cotangent of the input
     */
    Tensor apply(Tensor g);
  }

  /** From the cotangent and one saved value to a cotangent. */
  @FunctionalInterface
  public interface Pull2 {
    /**
     * Computes the cotangent.
     *
     * @param g the cotangent of the output
     * @param saved the value read
     * @return the cotangent of the input
     */
    Tensor apply(Tensor g, Tensor saved);
  }

  /** From the cotangent and two saved values to a cotangent. */
  @FunctionalInterface
  public interface Pull3 {
    /**
     * Computes the cotangent.
     *
     * @param g the cotangent of the output
     * @param first the first value read
     * @param second the second value read
     * @return the cotangent of the input
     */
    Tensor apply(Tensor g, Tensor first, Tensor second);
  }

  /**
   * Tells whether the gradients in {@code wanted} read the value of an input.
   *
   * @param input which input
   * @param wanted per input, whether its gradient is needed
   * @return whether a tape must save it
   */
  public abstract boolean readsInput(int input, boolean[] wanted);

  /**
   * Tells whether the gradients in {@code wanted} read the values of the outputs.
   *
   * @param wanted per input, whether its gradient is needed
   * @return whether a tape must save them
   */
  public abstract boolean readsOutput(boolean[] wanted);

  /**
   * Tells whether anything flows back to an input at all.
   *
   * @param input which
   * @return false where the op is not differentiable in it
   */
  public abstract boolean flows(int input);

  /**
   * Computes the cotangents of the inputs.
   *
   * @param c what was saved, and the cotangents of the outputs
   * @param wanted per input, whether its gradient is needed
   * @return one cotangent per input; null where not wanted or nothing flows
   */
  public abstract @Nullable Tensor[] pull(Context c, boolean[] wanted);

  /**
   * Nothing flows: the op is constant almost everywhere, or not differentiable.
   *
   * @return the empty rule
   */
  public static Vjp none() {
    return RulePerInput.NONE;
  }

  /**
   * One rule per input, in order; inputs beyond the last have none.
   *
   * @param rules the rules
   * @return the vjp
   */
  public static Vjp of(Rule... rules) {
    return new RulePerInput(rules);
  }

  /**
   * For an op that treats all its inputs alike and reads none of their values.
   *
   * @param all from the context to one cotangent per input
   * @return the vjp
   */
  public static Vjp linearAll(All all) {
    return new JointRule(c -> all.apply(c, c.inputs()), false);
  }

  /**
   * One rule for all inputs, that may read every input and output.
   *
   * <pre>{@code
   * Vjp.joint(c -> new Tensor[] {c.g(0).mul(c.in(1)), c.wanted(1) ? c.g(0).mul(c.in(0)).sum() : null});
   * }</pre>
   *
   * @param all from the context to one cotangent per input; null where nothing flows
   * @return the vjp
   */
  public static Vjp joint(Joint all) {
    return new JointRule(all, true);
  }

  /**
   * A rule that can be differentiated by nobody, as one that computes on the host or by numbers of its
   * own. It runs without being recorded. A gradient through it is what the rule says; a gradient of that
   * gradient that goes through the rule ends with an error that names the op.
   *
   * @param rule what is to be differentiated once
   * @return the vjp
   */
  public static Vjp once(Vjp rule) {
    return rule instanceof OnceRule ? rule : new OnceRule(rule);
  }

  /** From the context to the cotangents of all inputs at once. */
  @FunctionalInterface
  public interface All {
    /**
     * Computes the cotangents.
     *
     * @param c the cotangents of the outputs, and the shapes of the inputs
     * @param inputs how many inputs there are
     * @return one cotangent per input
     */
    Tensor[] apply(Context c, int inputs);
  }

  /** From the context to the cotangents of all inputs at once, some of which may be missing. */
  @FunctionalInterface
  public interface Joint {
    /**
     * Computes the cotangents.
     *
     * @param c what was saved, and the cotangents of the outputs
     * @return one cotangent per input, of its shape or of one that it broadcasts to; null where nothing
     *     flows
     */
    @Nullable Tensor[] apply(Context c);
  }

  /**
   * The rule of one input.
   *
   * @param reads the inputs whose values it reads
   * @param readsOutput whether it reads the value of the output
   * @param pull the rule; null if nothing flows
   */
  public record Rule(List<Integer> reads, boolean readsOutput, @Nullable Pull pull) {
    /** Copies the list. */
    public Rule {
      reads = List.copyOf(reads);
    }

    /**
     * A rule that reads nothing but the cotangent: the op is linear in this input.
     *
     * @param pull from g to the cotangent
     * @return the rule
     */
    public static Rule linear(Pull1 pull) {
      return new Rule(List.of(), false, c -> pull.apply(c.g()));
    }

    /**
     * A rule that needs shapes besides the cotangent.
     *
     * @param pull from the context to the cotangent
     * @return the rule
     */
    public static Rule shaped(Pull pull) {
      return new Rule(List.of(), false, pull);
    }

    /**
     * A rule that reads one input.
     *
     * @param input which
     * @param pull from (g, input) to the cotangent
     * @return the rule
     */
    public static Rule reading(int input, Pull2 pull) {
      return new Rule(List.of(input), false, c -> pull.apply(c.g(), c.in(input)));
    }

    /**
     * A rule that reads two inputs.
     *
     * @param first one of them
     * @param second the other
     * @param pull from (g, first, second) to the cotangent
     * @return the rule
     */
    public static Rule reading(int first, int second, Pull3 pull) {
      return new Rule(
          List.of(first, second), false, c -> pull.apply(c.g(), c.in(first), c.in(second)));
    }

    /**
     * A rule that reads inputs and the output as it likes.
     *
     * @param reads the inputs that it reads
     * @param output whether it reads the output
     * @param pull from the context to the cotangent
     * @return the rule
     */
    public static Rule from(List<Integer> reads, boolean output, Pull pull) {
      return new Rule(reads, output, pull);
    }

    /**
     * Nothing flows to this input.
     *
     * @return the empty rule
     */
    public static Rule none() {
      return new Rule(List.of(), false, null);
    }
  }

  /**
   * For an op of one input: reads the input.
   *
   * @param pull from (g, x) to the cotangent of x
   * @return the vjp
   */
  public static Vjp fromInput(Pull2 pull) {
    return of(Rule.reading(0, pull));
  }

  /**
   * For an op of one input: reads the output.
   *
   * @param pull from (g, y) to the cotangent of x
   * @return the vjp
   */
  public static Vjp fromOutput(Pull2 pull) {
    return of(new Rule(List.of(), true, c -> pull.apply(c.g(), c.out(0))));
  }

  /**
   * For a linear op of one input: reads nothing.
   *
   * @param pull from g to the cotangent of x
   * @return the vjp
   */
  public static Vjp linear(Pull1 pull) {
    return of(Rule.linear(pull));
  }

  /**
   * For a linear op of one input whose rule needs the input's shape or type.
   *
   * @param pull from the context to the cotangent of x
   * @return the vjp
   */
  public static Vjp shaped(Pull pull) {
    return of(Rule.shaped(pull));
  }

  /**
   * Lets go of what this rule itself holds; a tape calls it once, when it is done with the op.
   */
  public void release() {}

  /** The rule of one application of an op rather than of a row: see the autograd module. */
  public abstract static non-sealed class Applied extends Vjp {
    /** For subclasses. */
    protected Applied() {}

    @Override
    public boolean flows(int input) {
      return true;
    }
  }
}
