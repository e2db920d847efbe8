package carousel.testing;

import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a cell of a user's own owes, as one call from a test.
 *
 * <pre>{@code
 * @ExtendWith(ScopeExtension.class)
 * class MyCellTest {
 *   @Test
 *   void keepsTheContract() {
 *     var cell = GruResetBefore.of(3, 4, Init.uniform(0.5).as(DType.F64), Philox.of(1));
 *     CellContract.of(cell).withKernel().check();
 *   }
 * }
 * }</pre>
 *
 * <p><b>What it is</b>: {@code zero(N)} gives zeros for N rows, of the type and on the device of the
 * weights, each tensor one of its own; steps keep shapes and types; two runs give the same; a sequence
 * that is run in two pieces gives what it gives in one.
 *
 * <p><b>By its kernel and op by op</b> it gives the same outputs, final states, gradients by x, the initial state
 * and all parameters, and products with the Hessian: forward and reverse, from zeros, from a given and from a
 * learned state, over ragged rows, with resets, with skipped steps, for one row, one step, and none.
 *
 * <p><b>Its gradients</b> agree with differences to second order, by name ({@link
 * carousel.autograd.GradCheck}). A cell of F32 is run in F64 for that.
 *
 * <p>Parameters that are all zeros, as biases are at first, hold random numbers meanwhile, because zeros
 * hide mistakes; they are restored. Small cells are checked faster, and as well.
 *
 * @param cell the cell; its parameters belong to a scope that is open
 * @param order the highest order of gradient that is held to differences
 * @param isDerivative whether gradients are derivatives; not where an op in a step has a surrogate
 * @param wantsKernel whether a cell without a kernel breaks the contract
 * @param without names of parameters that are not held to differences; {@code *} for anything
 * @param <S> what the cell carries
 */
public record CellContract<S extends RecurrentState>(
    Cell<S> cell, int order, boolean isDerivative, boolean wantsKernel, List<String> without) {
  /** Checks the settings. */
  public CellContract {
    without = List.copyOf(without);
    if (order < 1) {
      throw new TensorException("cellContract: wants an order of 1 or more, got " + order);
    }
  }

  /**
   * The contract of a cell whose gradients are derivatives, to second order, with or without a kernel.
   *
   * @param cell the cell
   * @param <S> what it carries
   * @return the contract; {@link #check} it
   */
  public static <S extends RecurrentState> CellContract<S> of(Cell<S> cell) {
    return new CellContract<>(cell, 2, true, false, List.of());
  }

  /**
   * This contract with gradients held to differences to another order.
   *
   * @param highest 1 for gradients alone, also where a rule is {@code Vjp.once}
   * @return the contract
   */
  public CellContract<S> withOrder(int highest) {
    return new CellContract<>(cell, highest, isDerivative, wantsKernel, without);
  }

  /**
   * For a cell with an op whose rule is not its derivative, by design, as that of a spike: gradients are not
   * held to differences.
   *
   * @return the contract
   */
  public CellContract<S> surrogate() {
    return new CellContract<>(cell, order, false, wantsKernel, without);
  }

  /**
   * This contract, and that the cell has a kernel where the device makes any.
   *
   * @return the contract
   */
  public CellContract<S> withKernel() {
    return new CellContract<>(cell, order, isDerivative, true, without);
  }

  /**
   * This contract with parameters that are not held to differences.
   *
   * @param names of parameters, {@code x}, or {@code initial h}; {@code *} stands for anything
   * @return the contract
   */
  public CellContract<S> without(String... names) {
    List<String> all = new ArrayList<>(without);
    all.addAll(Arrays.asList(names));
    return new CellContract<>(cell, order, isDerivative, wantsKernel, all);
  }

  /**
   * Runs it all.
   *
   * @return what was looked at, with what {@code Recurrent.explain} says of the cell
   * @throws AssertionError if anything does not hold, naming the cell, the way it was run, the tensor and
   *     both values
   */
  public ContractReport check() {
    var findings = new Findings();
    try (var scope = TensorScope.openUnwatched()) {
      new CellChecks<>(this, findings).check();
    }
    return findings.report("cell " + name());
  }

  /** The class of the cell, which has no simple name if it is anonymous. */
  String name() {
    String simple = cell.getClass().getSimpleName();
    return simple.isEmpty() ? cell.getClass().getName() : simple;
  }
}
