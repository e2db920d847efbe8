package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.Rows;
import carousel.tensor.cpu.scan.Block.Slot;
import java.util.List;

/**
 * The blocks of a plan in memory, for given sizes.
 *
 * @param steps T
 * @param batch N
 * @param units H
 * @param lanes L, the elements of a vector
 * @param size bytes of an element
 * @param bases where each block begins; 0 if it is not there
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Frame(int steps, int batch, int units, int lanes, int size, long[] bases) {
  /** Panels begin this much further apart than their rows need, or all would fall into one cache set. */
  private static final int STAGGER = 192;

  static Frame of(int steps, int batch, int units, int lanes, int size, int blocks) {
    return new Frame(steps, batch, units, lanes, size, new long[blocks]);
  }

  /** U, the vectors that hold the units of one value. */
  int vectors() {
    return Math.ceilDiv(units, lanes);
  }

  /** Bytes from a row of a panel to the next. */
  long rowBytes() {
    return 2L * lanes * size;
  }

  long rows(Block block) {
    return switch (block.rows()) {
      case STEPS -> (long) steps * batch;
      case STATES -> (steps + 1L) * batch;
      case BATCH -> batch;
      case ONE -> 1;
    };
  }

  int panels(Block block) {
    return Math.ceilDiv(vectors() * block.members(), 2);
  }

  long panelBytes(Block block) {
    return rows(block) * rowBytes() + STAGGER;
  }

  long bytes(Block block) {
    return panels(block) * panelBytes(block);
  }

  /** Bytes for all these blocks. */
  long bytes(List<Block> blocks) {
    return blocks.stream().mapToLong(this::bytes).sum();
  }

  /** Puts blocks one after the other from an address on. */
  void place(List<Block> blocks, long address) {
    for (Block block : blocks) {
      bases[block.id()] = address;
      address += bytes(block);
    }
  }

  /** The address of row 0 of a panel. */
  long panel(Block block, int panel) {
    return bases[block.id()] + panel * panelBytes(block);
  }

  /** The address of vector u of a member, row 0. */
  long vector(Block block, int member, int u) {
    int v = u * block.members() + member;
    return panel(block, v >> 1) + (long) (v & 1) * lanes * size;
  }

  /** The row of a slot that belongs to a row of the batch at a step. */
  long row(Slot slot, int step, int n) {
    Rows rows = slot.block().rows();
    return switch (rows) {
      case STEPS, STATES -> (long) (step + slot.ahead()) * batch + n;
      case BATCH -> n;
      case ONE -> 0;
    };
  }

  /** Elements of vector u that stand for units. */
  int filled(int u) {
    return Math.min(lanes, units - u * lanes);
  }
}
