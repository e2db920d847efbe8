package carousel.tensor.cpu.scan;

/**
 * Where values lie: some values of one width, interleaved vector by vector, so that those of the same
 * columns are neighbours. In memory it is cut into panels of two vectors, {@code [panel][row][2L]},
 * which is what a tile writes, and also what a product reads as its right operand. Vector v of a row,
 * which stands for columns {@code uL} to {@code uL + L − 1} of member j with {@code v = u·members + j},
 * is the half {@code v mod 2} of panel {@code ⌊v/2⌋}.
 *
 * <p>What is behind a value's last column in its last vector is anything. A value of a single column,
 * though, fills its vector: beside wider values it is read as it is, whichever columns they are at.
 *
 * @param id its place in the list of blocks
 * @param members how many values
 * @param width columns of a value
 * @param rows what a row is
 */
record Block(int id, int members, int width, RowKind rows) {
  enum RowKind {
    /** A row of the batch at a step: {@code T·N}. */
    STEPS,
    /** A row of the batch before a step, and after the last: {@code (T+1)·N}. */
    STATES,
    /** A row of the batch, whatever the step: N. */
    BATCH,
    /** One for all. */
    ONE
  }

  /** Whether its values have a single column. */
  boolean isNarrow() {
    return width == 1;
  }

  /**
   * One value of a block.
   *
   * @param block where it lies
   * @param member which of the block's values
   * @param ahead 1 for the state after the step, else 0
   * @param vector which of the value's vectors; {@link #EACH} for the one at hand
   */
  record Slot(Block block, int member, int ahead, int vector) {
    /** Of a program that runs on every vector of its values: the one it runs on. */
    static final int EACH = -1;

    Slot(Block block, int member, int ahead) {
      this(block, member, ahead, EACH);
    }

    /** The only value of a block. */
    static Slot of(Block block) {
      return new Slot(block, 0, 0);
    }

    /** One vector of it. */
    Slot at(int u) {
      return new Slot(block, member, ahead, u);
    }
  }
}
