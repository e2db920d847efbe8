package carousel.tensor.cpu.loop;

/** Transposes square blocks of elements as wide as a vector. */
public interface Transpose {
  /** Elements along a side of a block. */
  int side();

  /**
   * Transposes {@code blocks} blocks in a row: {@code to[j,i] = from[i,j]} for {@code 0 ≤ i, j <
   * side}, where {@code from[i,j]} lies at {@code from + i·fromRow + j·size} and {@code to[j,i]} at
   * {@code to + j·toRow + i·size}. Each further block begins {@code fromStep} and {@code toStep}
   * after the one before. All in bytes.
   */
  void run(long from, long fromRow, long fromStep, long to, long toRow, long toStep, int blocks);
}
