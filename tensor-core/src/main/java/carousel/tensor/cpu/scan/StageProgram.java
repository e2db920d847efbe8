package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.RowKind;
import carousel.tensor.cpu.scan.Block.Slot;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
record StageProgram(Pointwise code, int width, List<Slot> slots, List<Integer> arrays) {
  StageProgram {
    slots = List.copyOf(slots);
    arrays = List.copyOf(arrays);
  }

  /**
   * A program, without what it computes and never stores; which slots stay where they are follows from
   * their blocks.
   */
  static StageProgram of(
      List<Pointwise.Instruction> code, int width, List<Slot> slots, List<Integer> arrays) {
    boolean[] isRead = new boolean[code.size()];
    for (int i = code.size() - 1; i >= 0; i--) {
      Pointwise.Instruction instruction = code.get(i);
      if (isRead[i] || instruction.isWrite()) {
        isRead[i] = true;
        instruction.operands().forEach(operand -> isRead[operand] = true);
      }
    }
    Set<Slot> used = new HashSet<>();
    for (int i = 0; i < code.size(); i++) {
      int slot = code.get(i).slot();
      if (isRead[i] && slot >= 0) {
        used.add(slots.get(slot));
      }
    }
    List<Slot> own = slots.stream().filter(used::contains).toList();
    List<Pointwise.Instruction> read = new ArrayList<>();
    int[] registers = new int[code.size()];
    for (int i = 0; i < code.size(); i++) {
      registers[i] = read.size();
      if (isRead[i]) {
        read.add(
            code.get(i)
                .with(register -> registers[register], slot -> own.indexOf(slots.get(slot))));
      }
    }
    List<Boolean> fixed = own.stream().map(slot -> slot.block().rows() == RowKind.ONE).toList();
    return new StageProgram(new Pointwise(read, fixed, arrays.size()), width, own, arrays);
  }
}
