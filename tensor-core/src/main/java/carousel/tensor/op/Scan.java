package carousel.tensor.op;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.trace.Traced;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The body of a composite that is a recurrence over time: {@code (y_t, s_t) = step(z_t, s_{t−1})}. A
 * backend that knows what a step does may run the whole sequence by one kernel. It knows by the trace of
 * the step, taken for this call; nothing else tells it what the kernel has to compute.
 *
 * <p>{@link Inputs} says which input of the composite is what. Its outputs are {@code y [T,N,C]} and the
 * tensors of the final state.
 *
 * @param step what one step computes
 * @param loop all steps, by other ops; its inputs and outputs are those of the composite
 * @param inputs what the inputs of the composite are
 * @param steps T
 * @param rows N
 * @param reverse whether the last step comes first; y stands where x does all the same
 */
public record Scan(
    Traced step, Composite.Body loop, Inputs inputs, int steps, int rows, boolean reverse)
    implements Composite.Body {

  /** One step. */
  @FunctionalInterface
  public interface Step {
    /**
     * Computes one step.
     *
     * @param inputs those of the step, {@code [N,C]} each
     * @param states the tensors of the state before it
     * @return the output, and the tensors of the state after it
     */
    Tensor[] apply(Tensor[] inputs, Tensor[] states);
  }

  /** An input of all steps. */
  public sealed interface Input {
    /**
     * Tells whether there is a value for each step and row.
     *
     * @param steps T
     * @param rows N
     * @return whether shapes and types go together
     */
    boolean fits(int steps, int rows);

    /** {@return the columns, C} */
    int columns();

    /**
     * Some columns at all steps.
     *
     * @param from the first
     * @param width how many
     * @return {@code [T,N,width]}
     */
    Tensor narrow(int from, int width);
  }

  /**
   * An input that is there.
   *
   * @param z {@code [T,N,C]}
   */
  public record Sequence(Tensor z) implements Input {
    @Override
    public boolean fits(int steps, int rows) {
      return z.rank() == 3 && z.dim(0) == steps && z.dim(1) == rows;
    }

    @Override
    public int columns() {
      return z.dim(2);
    }

    @Override
    public Tensor narrow(int from, int width) {
      return z.narrow(2, from, width);
    }
  }

  /**
   * An input {@code x·wx + b}, by one product for all steps.
   *
   * @param x {@code [T,N,D]}
   * @param wx {@code [D,C]}
   * @param b {@code [C]}
   */
  public record Affine(Tensor x, Tensor wx, Tensor b) implements Input {
    @Override
    public boolean fits(int steps, int rows) {
      return new Sequence(x).fits(steps, rows)
          && wx.rank() == 2
          && b.rank() == 1
          && wx.dim(0) == x.dim(2)
          && b.dim(0) == wx.dim(1)
          && wx.dtype() == x.dtype()
          && b.dtype() == x.dtype();
    }

    @Override
    public int columns() {
      return wx.dim(1);
    }

    @Override
    public Tensor narrow(int from, int width) {
      return x.matmul(wx.narrow(1, from, width)).add(b.narrow(0, from, width));
    }
  }

  /**
   * What a step is given.
   *
   * @param inputs at every step; only the first may be {@link Affine}
   * @param states the initial state, {@code [N,C]} each, at least one
   * @param lengths of the rows, I32 {@code [N]}, null if all are as long as the sequence. Past its length a row's outputs
   *     are 0, its state stays, and inputs, which hold finite numbers there, get no gradient
   * @param steps T
   * @param rows N
   */
  public record Given(
      List<Input> inputs, List<Tensor> states, @Nullable Tensor lengths, int steps, int rows) {
    /** Copies the lists. */
    public Given {
      inputs = List.copyOf(inputs);
      states = List.copyOf(states);
    }

    /** {@return a tensor of the type and device of all} */
    public Tensor like() {
      return states.getFirst();
    }

    /**
     * Tells whether a kernel computes the first input as {@code x·wx + b}.
     *
     * @param step what a step computes
     * @return whether the input is {@link Affine}, and the step reads it
     */
    public boolean isAffine(Traced step) {
      return inputs.getFirst() instanceof Affine
          && live(step).stream().anyMatch(v -> v.kind() == Kind.INPUT && v.index() == 0);
    }
  }

  /**
   * Which input of the composite is what; −1 for what no kernel reads and is none.
   *
   * @param affine whether input 0 of the steps is {@code x·wx + b}, the composite's first three
   * @param sequences the place of each input of the steps
   * @param states the place of the first tensor of the state
   * @param captured the place of each tensor that the step captures
   * @param lengths the place of the lengths
   */
  public record Inputs(
      boolean affine, List<Integer> sequences, int states, List<Integer> captured, int lengths) {
    /** The place of x, of an affine input. */
    public static final int X = 0;

    /** The place of wx, of an affine input. */
    public static final int WX = 1;

    /** The place of b, of an affine input. */
    public static final int B = 2;

    /**
     * Tells whether rows have lengths.
     *
     * @return whether lengths are given
     */
    public boolean ragged() {
      return lengths >= 0;
    }
  }

  /**
   * A step that was traced, and the inputs of its composite.
   *
   * @param step the step
   * @param places which is what
   * @param inputs the tensors
   * @param roots the tensors that the step reads beside what it is given, from which those it captures are
   *     computed
   */
  public record Call(Traced step, Inputs places, List<Tensor> inputs, List<Tensor> roots) {
    /**
     * The inputs that a step's kernel reads.
     *
     * @param given what the step is given
     * @param step what it computes
     * @param products further inputs of the steps, {@code [T,N,C]}
     * @param captured what it captures
     * @param roots what that is computed from
     * @return the call
     */
    public static Call of(
        Given given,
        Traced step,
        List<Tensor> products,
        List<Tensor> captured,
        List<Tensor> roots) {
      boolean[] readInput = new boolean[given.inputs().size() + products.size()];
      boolean[] readCaptured = new boolean[captured.size()];
      for (Value value : live(step)) {
        if (value.kind() == Kind.INPUT) {
          readInput[value.index()] = true;
        } else if (value.kind() == Kind.VECTOR || value.kind() == Kind.ROWS) {
          readCaptured[value.index()] = true;
        }
        value.terms().forEach(term -> readCaptured[term.weight()] = true);
      }
      List<Tensor> all = new ArrayList<>();
      boolean affine = false;
      Integer[] sequences = new Integer[readInput.length];
      Arrays.fill(sequences, -1);
      for (int i = 0; i < sequences.length; i++) {
        if (!readInput[i]) {
          continue;
        }
        sequences[i] = all.size();
        if (i >= given.inputs().size()) {
          all.add(products.get(i - given.inputs().size()));
          continue;
        }
        switch (given.inputs().get(i)) {
          case Affine(Tensor x, Tensor wx, Tensor b) -> {
            affine = true;
            all.addAll(List.of(x, wx, b));
          }
          case Sequence(Tensor z) -> all.add(z);
        }
      }
      int states = all.size();
      all.addAll(given.states());
      Integer[] held = new Integer[captured.size()];
      for (int i = 0; i < held.length; i++) {
        held[i] = readCaptured[i] ? all.size() : -1;
        if (readCaptured[i]) {
          all.add(captured.get(i));
        }
      }
      Tensor lengths = given.lengths();
      int last = lengths == null ? -1 : all.size();
      if (lengths != null) {
        all.add(lengths);
      }
      return new Call(
          step, new Inputs(affine, List.of(sequences), states, List.of(held), last), all, roots);
    }
  }

  /**
   * {@return what two recurrences share whose kernels compute the same, but for numbers, compared
   * by equals}
   *
   * @param like of the type and device of the inputs
   */
  public String identity(Tensor like) {
    return like.device()
        + " "
        + like.dtype()
        + (inputs.affine() ? " affine\n" : "\n")
        + step.signature();
  }

  /** What a step and its gradient read. */
  private static Set<Value> live(Traced step) {
    List<Value> outputs = new ArrayList<>(step.y());
    step.next().forEach(outputs::addAll);
    return step.graph().read(outputs);
  }

  @Override
  public Tensor[] apply(Tensor... inputs) {
    return loop.apply(inputs);
  }

  /**
   * This recurrence as a gradient sees it that arrives at some of the outputs.
   *
   * @param cotangents one per output; null where nothing flows
   * @return a recurrence from whose other outputs nothing flows; this one, if that makes no difference
   */
  public Scan reached(@Nullable Tensor... cotangents) {
    List<Boolean> ofStates = ofStates(cotangents);
    if (cotangents[0] != null && !ofStates.contains(false)) {
      return this;
    }
    Traced reached = step.reached(cotangents[0] != null, ofStates, steps == 1);
    return reached == step ? this : new Scan(reached, loop, inputs, steps, rows, reverse);
  }

  /**
   * Tells whether what arrives at some of the outputs reaches the same of every step, so that the gradient of one is
   * that of all.
   *
   * @param cotangents one per output; null where nothing flows
   * @return whether a kernel of {@link #reached} lets nothing flow where the loop does not
   */
  public boolean isSteady(@Nullable Tensor... cotangents) {
    return step.isSteady(cotangents[0] != null, ofStates(cotangents), steps, inputs.ragged());
  }

  static List<Boolean> ofStates(@Nullable Tensor... cotangents) {
    List<Boolean> ofStates = new ArrayList<>();
    for (int k = 1; k < cotangents.length; k++) {
      ofStates.add(cotangents[k] != null);
    }
    return ofStates;
  }

  /** The same over fewer steps. */
  Scan over(int count) {
    return new Scan(step, loop, inputs, count, rows, reverse);
  }

  /** {@return the columns of the outputs: the sum of the parts of y} */
  public int columns() {
    return step.y().stream().mapToInt(Value::width).sum();
  }

  /** {@return the shape of y, {@code [T,N,C]}} */
  public Shape shape() {
    return Shape.of(steps, rows, columns());
  }
}
