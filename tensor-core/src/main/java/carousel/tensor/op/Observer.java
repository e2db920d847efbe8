package carousel.tensor.op;

import carousel.tensor.Tensor;
import java.util.function.Supplier;

/**
 * Sees what is computed on a thread, while it is computed: ops, kernels of composites there and back, updates in
 * place. It changes nothing of what runs; an {@link Interpreter} would, since what looks inside of composites cannot
 * have their kernels.
 */
@FunctionalInterface
public interface Observer {
  /**
   * Runs what is observed.
   *
   * @param label what it is, e.g. {@code matmul}
   * @param inputs what it reads
   * @param run runs it
   * @param <R> what it gives
   * @return what it gave
   */
  <R> R observe(String label, Tensor[] inputs, Supplier<R> run);

  /**
   * Runs a piece of code under this observer.
   *
   * @param body the code
   * @param <R> what it returns
   * @return its result
   */
  default <R> R during(Supplier<R> body) {
    return ScopedValue.where(Ambient.CURRENT, this).call(body::get);
  }

  /**
   * Runs something under the observer in force, if there is one.
   *
   * @param label what it is
   * @param inputs what it reads
   * @param run runs it
   * @param <R> what it gives
   * @return what it gave
   */
  static <R> R around(String label, Tensor[] inputs, Supplier<R> run) {
    return Ambient.CURRENT.isBound()
        ? Ambient.CURRENT.get().observe(label, inputs, run)
        : run.get();
  }

  /**
   * Computes an op at once, under the observer in force, if there is one.
   *
   * @param op the row
   * @param inputs its operands
   * @return its outputs
   */
  static Tensor[] evaluate(Op op, Tensor... inputs) {
    return Ambient.CURRENT.isBound()
        ? Ambient.CURRENT.get().observe(op.label(), inputs, () -> op.evaluate(inputs))
        : op.evaluate(inputs);
  }

  /** Holds the observer. */
  final class Ambient {
    private static final ScopedValue<Observer> CURRENT = ScopedValue.newInstance();

    private Ambient() {}
  }
}
