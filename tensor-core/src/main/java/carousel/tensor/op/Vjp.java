package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A vector-Jacobian product: cotangents of an op's outputs in, cotangents of its inputs out.
 *
 * <p>Rules are written in tensor operations, so that they can be differentiated again. They never
 * mention broadcasting: the caller sums each result to its input's shape. What a rule reads tells a
 * tape what it must save.
 */
public abstract sealed class Vjp {

  private Vjp() {}

  /**
   * What a rule may look at. Reading an input or output that the rule did not declare fails.
   */
  public interface Context {
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
     * Tells whether anything flows into an output.
     *
     * @param output which
     * @return whether {@link #g(int)} is more than zeros
     */
    boolean reached(int output);

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

  private static final Vjp NONE = new PerInput();

  /**
   * Nothing flows: the op is constant almost everywhere, or not differentiable.
   *
   * @return the empty rule
   */
  public static Vjp none() {
    return NONE;
  }

  /**
   * One rule per input, in order; inputs beyond the last have none.
   *
   * @param rules the rules
   * @return the vjp
   */
  public static Vjp of(Rule... rules) {
    return new PerInput(rules);
  }

  /**
   * For an op that treats all its inputs alike and reads none of their values.
   *
   * @param all from the context to one cotangent per input
   * @return the vjp
   */
  public static Vjp linearAll(All all) {
    return new Jointly(all);
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

  /**
   * The rule of one input.
   *
   * @param reads bit i: reads the value of input i
   * @param readsOutput whether it reads the value of the output
   * @param pull the rule; null if nothing flows
   */
  public record Rule(int reads, boolean readsOutput, @Nullable Pull pull) {
    /**
     * A rule that reads nothing but the cotangent: the op is linear in this input.
     *
     * @param pull from g to the cotangent
     * @return the rule
     */
    public static Rule linear(Pull1 pull) {
      return new Rule(0, false, c -> pull.apply(c.g()));
    }

    /**
     * A rule that needs shapes besides the cotangent.
     *
     * @param pull from the context to the cotangent
     * @return the rule
     */
    public static Rule shaped(Pull pull) {
      return new Rule(0, false, pull);
    }

    /**
     * A rule that reads one input.
     *
     * @param input which
     * @param pull from (g, input) to the cotangent
     * @return the rule
     */
    public static Rule reading(int input, Pull2 pull) {
      return new Rule(1 << input, false, c -> pull.apply(c.g(), c.in(input)));
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
          1 << first | 1 << second, false, c -> pull.apply(c.g(), c.in(first), c.in(second)));
    }

    /**
     * A rule that reads inputs and the output as it likes.
     *
     * @param reads bit i: reads input i
     * @param output whether it reads the output
     * @param pull from the context to the cotangent
     * @return the rule
     */
    public static Rule from(int reads, boolean output, Pull pull) {
      return new Rule(reads, output, pull);
    }

    /**
     * Nothing flows to this input.
     *
     * @return the empty rule
     */
    public static Rule none() {
      return new Rule(0, false, null);
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
    return of(new Rule(0, true, c -> pull.apply(c.g(), c.out(0))));
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

  /** For rules that belong to one application of an op rather than to a row: see the autograd module. */
  public abstract static non-sealed class Custom extends Vjp {
    /** For subclasses. */
    protected Custom() {}

    @Override
    public boolean flows(int input) {
      return true;
    }
  }

  private static final class PerInput extends Vjp {
    private final Rule[] rules;

    PerInput(Rule... rules) {
      this.rules = rules;
    }

    @Override
    public boolean readsInput(int input, boolean[] wanted) {
      for (int i = 0; i < rules.length; i++) {
        if (wanted[i] && (rules[i].reads & 1 << input) != 0) {
          return true;
        }
      }
      return false;
    }

    @Override
    public boolean readsOutput(boolean[] wanted) {
      for (int i = 0; i < rules.length; i++) {
        if (wanted[i] && rules[i].readsOutput) {
          return true;
        }
      }
      return false;
    }

    @Override
    public boolean flows(int input) {
      return input < rules.length && rules[input].pull != null;
    }

    @Override
    public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
      @Nullable Tensor[] out = new Tensor[wanted.length];
      for (int i = 0; i < rules.length; i++) {
        Pull pull = rules[i].pull;
        if (wanted[i] && pull != null) {
          out[i] = pull.apply(c);
        }
      }
      return out;
    }
  }

  private static final class Jointly extends Vjp {
    private final All all;

    Jointly(All all) {
      this.all = all;
    }

    @Override
    public boolean readsInput(int input, boolean[] wanted) {
      return false;
    }

    @Override
    public boolean readsOutput(boolean[] wanted) {
      return false;
    }

    @Override
    public boolean flows(int input) {
      return true;
    }

    @Override
    public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
      return all.apply(c, wanted.length);
    }
  }
}
