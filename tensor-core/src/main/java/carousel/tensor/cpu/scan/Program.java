package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import java.util.List;

/**
 * An elementwise part of a stage: a {@link Pointwise} program, and which memory its slots and arrays
 * are. It runs once for every vector of its values' columns; beside them it may read values of a single
 * column.
 *
 * @param code what it computes
 * @param width columns of what it computes
 * @param slots the places of its slots
 * @param arrays which heap arrays, the left operands of products, it writes
 */
record Program(Pointwise code, int width, List<Slot> slots, List<Integer> arrays) {
  Program {
    slots = List.copyOf(slots);
    arrays = List.copyOf(arrays);
  }

  /** A program; which slots stay where they are follows from their blocks. */
  static Program of(
      List<Pointwise.Instruction> code, int width, List<Slot> slots, List<Integer> arrays) {
    List<Boolean> fixed =
        slots.stream().map(slot -> slot.block().rows() == Block.Rows.ONE).toList();
    return new Program(new Pointwise(code, fixed, arrays.size()), width, slots, arrays);
  }
}
