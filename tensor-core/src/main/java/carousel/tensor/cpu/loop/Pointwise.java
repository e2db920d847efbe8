package carousel.tensor.cpu.loop;

import carousel.tensor.op.Op;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * A straight-line program over vectors: several rows of the op table in one loop, so that what one
 * gives the next is handed on in registers.
 *
 * <p>Every instruction that gives a value writes the register of its own index. Slots are memory:
 * slot i of a vector is found at {@code at[i]}, and {@code step} bytes further for each repetition of
 * the loop, unless it is fixed. What a test gives, such as a comparison, is a mask: only {@code where}
 * and logical rows read it, and it cannot be stored.
 *
 * @param code the instructions, in order
 * @param fixed which slots stay where they are while the loop repeats
 * @param arrays how many heap arrays it stores to
 */
public record Pointwise(List<Instruction> code, List<Boolean> fixed, int arrays) {
  /**
   * Bytes of code in one loop: those of bodies, and {@link #SLOT} for every slot. C1 runs out of registers
   * from about 3,000 on, in some runs and not in others, and C2 is then never asked: the loop stays some
   * thirty times slower.
   */
  public static final int MOST_BYTES = 2_700;

  /** What a slot adds to the size of a loop, in bytes of bodies. */
  public static final int SLOT = 40;

  /** One instruction. */
  public sealed interface Instruction {
    /** Whether it writes to memory, and gives no register. */
    default boolean isWrite() {
      return false;
    }

    /** The registers it reads. */
    default List<Integer> operands() {
      return List.of();
    }

    /** The slot it reads or writes; −1 if there is none. */
    default int slot() {
      return -1;
    }

    /** The same with other numbers of registers and slots. */
    default Instruction with(IntUnaryOperator registers, IntUnaryOperator slots) {
      return this;
    }
  }

  /** Reads a slot. */
  public record Load(int slot) implements Instruction {
    @Override
    public Instruction with(IntUnaryOperator registers, IntUnaryOperator slots) {
      return new Load(slots.applyAsInt(slot));
    }
  }

  /** A number in every lane. */
  public record Constant(double value) implements Instruction {}

  /** The number of each lane, from 0. */
  public record Lane() implements Instruction {}

  /** A register, lane i in place of lane {@code i xor distance}; a power of two. */
  public record Swap(int register, int distance) implements Instruction {
    @Override
    public List<Integer> operands() {
      return List.of(register);
    }

    @Override
    public Instruction with(IntUnaryOperator registers, IntUnaryOperator slots) {
      return new Swap(registers.applyAsInt(register), distance);
    }
  }

  /** Applies an elementwise row to earlier registers. */
  public record Apply(Op op, List<Integer> operands) implements Instruction {
    @Override
    public Instruction with(IntUnaryOperator registers, IntUnaryOperator slots) {
      return new Apply(op, operands.stream().map(registers::applyAsInt).toList());
    }
  }

  /** Writes a register to a slot. */
  public record Store(int register, int slot) implements Instruction {
    @Override
    public boolean isWrite() {
      return true;
    }

    @Override
    public List<Integer> operands() {
      return List.of(register);
    }

    @Override
    public Instruction with(IntUnaryOperator registers, IntUnaryOperator slots) {
      return new Store(registers.applyAsInt(register), slots.applyAsInt(slot));
    }
  }

  /** Writes a register to heap array {@code array}. */
  public record Keep(int register, int array) implements Instruction {
    @Override
    public boolean isWrite() {
      return true;
    }

    @Override
    public List<Integer> operands() {
      return List.of(register);
    }

    @Override
    public Instruction with(IntUnaryOperator registers, IntUnaryOperator slots) {
      return new Keep(registers.applyAsInt(register), array);
    }
  }

  /** Copies the lists. */
  public Pointwise {
    code = List.copyOf(code);
    fixed = List.copyOf(fixed);
  }

  /** The compiled program. */
  @FunctionalInterface
  public interface Executable {
    /**
     * Runs the program on {@code n} vectors.
     *
     * @param at the address of each slot's first vector
     * @param step bytes from one vector of a slot to the next
     * @param arrays where {@link Keep} stores, {@code float[]} or {@code double[]}
     * @param offsets the first index in each array
     * @param keepStep indices from where one vector is kept to where the next is
     * @param n how many vectors
     */
    void run(long[] at, long step, Object[] arrays, int[] offsets, int keepStep, int n);
  }
}
