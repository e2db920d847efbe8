package carousel.tensor.spi;

import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Distribution;
import carousel.tensor.op.Formula;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.trace.Traced;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A family of loops over op rows and layouts: all that a device must be able to do.
 *
 * <p>The rows have checked shapes and types and allocated the result before they call; a backend
 * only computes. Operands may have any strides, 0 and negative included, unless a method says
 * otherwise; results named {@code y} never overlap an input. Results do not depend on the number of
 * threads. {@link carousel.tensor.reference.ReferenceBackend} says what each method means.
 */
public interface Backend {
  /** {@return the memory that tensors of this backend live in} */
  Memory memory();

  /**
   * {@code y_i = op(x_i)}; x and y have one shape.
   *
   * @param op the row
   * @param x the input
   * @param y the result, of the row's result type
   */
  void unary(Unary op, Tensor x, Tensor y);

  /**
   * {@code y_i = op(a_i, b_i)}; a and b are expanded to y's shape (stride 0 where broadcast).
   *
   * @param op the row
   * @param a the left operand
   * @param b the right operand, of a's type
   * @param y the result, of the row's result type
   */
  void binary(Binary op, Tensor a, Tensor b, Tensor y);

  /**
   * {@code y_i = op(a_i, b_i, c_i)}; all expanded to y's shape.
   *
   * @param op the row; for {@link Ternary#WHERE} a is BOOL, b and c have y's type
   * @param a the first operand
   * @param b the second operand
   * @param c the third operand
   * @param y the result
   */
  void ternary(Ternary op, Tensor a, Tensor b, Tensor c, Tensor y);

  /**
   * Reduces axes of x.
   *
   * @param op the row
   * @param x the input
   * @param axes the axes reduced, ascending, each in {@code [0, rank)}; for the arg reductions
   *     exactly one
   * @param y the result, of x's rank with size 1 on the reduced axes
   */
  void reduce(Reduce op, Tensor x, int[] axes, Tensor y);

  /**
   * {@code y_i = Σ_{j ≤ i} x_j} along one axis.
   *
   * @param x the input
   * @param axis in {@code [0, rank)}
   * @param y the result, of x's shape
   */
  void cumsum(Tensor x, int axis, Tensor y);

  /**
   * {@code h_i = a_i h_{i−1} + b_i} along one axis, and {@code h_0 = b_0}; I32 wraps.
   *
   * @param a the factors, of which those at 0 are not read
   * @param b what is added, of h's type
   * @param axis in {@code [0, rank)}
   * @param h the result; all have its shape
   */
  void linearScan(Tensor a, Tensor b, int axis, Tensor h);

  /**
   * {@code y = exp(x − max) / Σ exp(x − max)} along one axis, or its logarithm.
   *
   * @param log whether to give {@code x − max − log Σ exp(x − max)} instead
   * @param x the input, floating
   * @param axis in {@code [0, rank)}
   * @param y the result, of x's shape
   */
  void softmax(boolean log, Tensor x, int axis, Tensor y);

  /**
   * {@code y [..,m,n] = a [..,m,k] · b [..,k,n]}, floating; the batch axes of a and b are expanded
   * to y's.
   *
   * @param a the left matrices
   * @param b the right matrices
   * @param y the products, contiguous
   */
  void matmul(Tensor a, Tensor b, Tensor y);

  /**
   * {@code y_i = x_i}, cast to y's type: to I32 truncates towards zero (out-of-range values
   * saturate and NaN gives 0, as in Java), to BOOL gives {@code x ≠ 0}.
   *
   * @param x the source, of any type, expanded to y's shape
   * @param y the target, of any layout that visits no element twice
   */
  void copy(Tensor x, Tensor y);

  /**
   * {@code y_i = value}, cast as in {@link #copy}.
   *
   * @param y the target, of any layout
   * @param value the value
   */
  void fill(Tensor y, double value);

  /**
   * {@code y[.., i, ..] = x[.., index[.., i, ..], ..]} along one axis.
   *
   * @param x the source
   * @param axis in {@code [0, rank)}
   * @param index I32, of y's shape
   * @param y the result; its sizes on other axes are at most x's
   * @throws carousel.tensor.TensorException if an index is outside {@code [0, x.dim(axis))}
   */
  void gather(Tensor x, int axis, Tensor index, Tensor y);

  /**
   * {@code y[.., index[.., i, ..], ..] += source[.., i, ..]} along one axis, in the order of i.
   *
   * @param y changed in place, contiguous
   * @param axis in {@code [0, rank)}
   * @param index I32, of the source's shape
   * @param source what is added, of y's type
   * @throws carousel.tensor.TensorException if an index is outside {@code [0, y.dim(axis))}
   */
  void scatterAdd(Tensor y, int axis, Tensor index, Tensor source);

  /**
   * {@code y[o, i, :] = x[o, index[i], :]}.
   *
   * @param x {@code [outer, n, inner]}
   * @param index I32 {@code [m]}
   * @param y {@code [outer, m, inner]}, contiguous
   * @throws carousel.tensor.TensorException if an index is outside {@code [0, n)}
   */
  void indexSelect(Tensor x, Tensor index, Tensor y);

  /**
   * {@code y[o, index[i], :] += source[o, i, :]}, in the order of i.
   *
   * @param y {@code [outer, n, inner]}, changed in place, contiguous
   * @param index I32 {@code [m]}
   * @param source {@code [outer, m, inner]}
   * @throws carousel.tensor.TensorException if an index is outside {@code [0, n)}
   */
  void indexAdd(Tensor y, Tensor index, Tensor source);

  /**
   * Sorts along one axis, stably; NaN counts as the greatest value.
   *
   * @param x the input
   * @param axis in {@code [0, rank)}
   * @param descending whether the greatest comes first
   * @param values the sorted values, of x's shape
   * @param indices I32, where each came from, of x's shape
   */
  void sort(Tensor x, int axis, boolean descending, Tensor values, Tensor indices);

  /**
   * Fills y with random numbers: element i is a function of (seed, counter, i) alone, the same on
   * every backend; see {@link Distribution}.
   *
   * @param distribution what is drawn
   * @param draw the key of the generator, and the first Philox block used
   * @param y the target, contiguous, of any floating type
   */
  void random(Distribution distribution, Philox.Draw draw, Tensor y);

  /**
   * {@code y_i} is true with a probability of p to within 2⁻⁶⁴: element i is a function of (p, seed,
   * counter, i) alone, the same on every backend; see {@link carousel.tensor.op.Chance}.
   *
   * @param probability p, in [0, 1]
   * @param draw the key of the generator, and the first Philox block used
   * @param y the target, contiguous, BOOL
   */
  void bernoulli(double probability, Philox.Draw draw, Tensor y);

  /**
   * Copies a contiguous tensor's bytes to the host.
   *
   * @param x the source, contiguous
   * @param host the target, of exactly its bytes, in native order
   */
  void read(Tensor x, MemorySegment host);

  /**
   * Copies bytes from the host into a contiguous tensor.
   *
   * @param host the source, in native order
   * @param y the target, contiguous, of exactly as many bytes
   */
  void write(MemorySegment host, Tensor y);

  /**
   * Runs formulas that write tensors in place, if this backend makes loops of formulas.
   *
   * @param calls the formulas with their operands, on this backend's device
   * @param again the same calls with the numbers of the next time, for a {@link Recorder}
   * @return whether it ran all of them; if not, nothing is changed
   */
  default boolean inPlace(List<Formula.Call> calls, Supplier<List<Formula.Call>> again) {
    return false;
  }

  /**
   * Tells whether calls return before their work is done, so that reading a value waits. Where they do,
   * code looks at no values to check them: what uses an index checks it on the device, and the next read
   * throws what was found.
   *
   * @return false unless a backend says so
   */
  default boolean isAsynchronous() {
    return false;
  }

  /**
   * What repeats work on this device without asking for it op by op.
   *
   * @return the recorder, or null if there is none: then a {@link carousel.tensor.Replay} runs its code
   *     each time
   */
  default @Nullable Recorder recorder() {
    return null;
  }

  /**
   * Tells whether kernels are made of composites at all; if not, nothing needs to be traced.
   *
   * @return false unless a backend says so
   */
  default boolean makesKernels() {
    return false;
  }

  /**
   * Says why there is no kernel for a recurrence, before anything is prepared for one. A backend may make it
   * now.
   *
   * @param step what a step computes
   * @param like of the type of all values, on this backend's device
   * @param affine whether input 0 of the steps is {@code x·wx + b}
   * @return the reason in a user's words; empty if there is a kernel
   */
  default String refusal(Traced step, Tensor like, boolean affine) {
    return "the device " + like.device() + " makes no kernels";
  }

  /**
   * Says what the kernel of a recurrence does.
   *
   * @param step what a step computes
   * @param like of the type of all values, on this backend's device
   * @param affine whether input 0 of the steps is {@code x·wx + b}
   * @return some lines; empty if there is nothing to be said, or no kernel
   */
  default String description(Traced step, Tensor like, boolean affine) {
    return "";
  }

  /**
   * The fast spelling of a composite, if this backend has one for these inputs.
   *
   * @param op the composite; a constant of {@link carousel.tensor.op.LayerComposites} or {@link
   *     carousel.tensor.op.GateComposites} is known by its identity, every other one by what its body
   *     computes, of which a {@link carousel.tensor.op.Scan} holds the trace; its label may be anybody's
   * @param inputs its inputs
   * @return the fused form, or null to run the body
   */
  default @Nullable Fused fused(Composite op, Tensor[] inputs) {
    return null;
  }
}
