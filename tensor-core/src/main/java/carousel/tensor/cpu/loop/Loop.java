package carousel.tensor.cpu.loop;

/**
 * One elementwise operation over contiguous memory: {@code out[i] = f(x[i], y[i], z[i])} for {@code
 * 0 ≤ i < n}.
 *
 * <p>Addresses are raw and in bytes. A step is 1 for a contiguous operand and 0 for one value that
 * stands for all {@code n}; at the address of the latter lie {@link #SPLAT_BYTES} bytes filled with
 * copies of the value, so that a vector loop reads it like any other operand. Operands that the
 * operation does not take repeat the first. The output may be the very memory of an operand of the same
 * element size, but must not overlap one partially.
 */
@FunctionalInterface
public interface Loop {
  /** Bytes filled with copies of a value that is passed with step 0: the widest vector. */
  int SPLAT_BYTES = 64;

  /** Runs the operation on {@code n} elements. */
  void run(long x, int xStep, long y, int yStep, long z, int zStep, long out, int n);
}
