package carousel.tensor.cpu.scan;

/**
 * Where values lie: some values of H columns, interleaved vector by vector, so that those of one unit
 * are neighbours. In memory it is cut into panels of two vectors, {@code [panel][row][2L]}, which is
 * what a tile writes, and also what a product reads as its right operand. Vector v of a row, which
 * stands for units {@code uL} to {@code uL + L − 1} of member j with {@code v = u·members + j}, is the
 * half {@code v mod 2} of panel {@code ⌊v/2⌋}.
 *
 * @param id its place in the list of blocks
 * @param members how many values
 * @param rows what a row is
 */
record Block(int id, int members, Rows rows) {
  enum Rows {
    /** A row of the batch at a step: {@code T·N}. */
    STEPS,
    /** A row of the batch before a step, and after the last: {@code (T+1)·N}. */
    STATES,
    /** A row of the batch, whatever the step: N. */
    BATCH,
    /** One for all. */
    ONE
  }

  /**
   * One value of a block.
   *
   * @param block where it lies
   * @param member which of the block's values
   * @param ahead 1 for the state after the step, else 0
   */
  record Slot(Block block, int member, int ahead) {}
}
