package carousel.nn.kernels;

import carousel.nn.kernels.Mutant.Wrong;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Masks;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program of F64, computed number by number from the definitions of its rows; one of its instructions
 * may be broken.
 */
final class BrokenProgram implements Pointwise.Executable {
  private final Pointwise program;
  private final Pointwise.Instruction[] code;

  /** The registers that each instruction reads, if it applies an op: as lists they would be most of the work. */
  private final int[][] operands;

  private final boolean[] fixed;
  private final int lanes;
  private final List<Mutant> mutants = new ArrayList<>();
  private @Nullable Mutant mutant;
  private boolean changed;

  /**
   * A program, unbroken.
   *
   * @param name in words
   * @param program its instructions
   * @param lanes elements of a vector
   */
  BrokenProgram(String name, Pointwise program, int lanes) {
    this.program = program;
    this.code = program.code().toArray(new Pointwise.Instruction[0]);
    this.operands = new int[code.length][];
    for (int k = 0; k < code.length; k++) {
      operands[k] =
          code[k] instanceof Pointwise.Apply(Op _, List<Integer> registers)
              ? registers.stream().mapToInt(Integer::intValue).toArray()
              : new int[0];
    }
    this.fixed = new boolean[program.fixed().size()];
    for (int slot = 0; slot < fixed.length; slot++) {
      fixed[slot] = program.fixed().get(slot);
    }
    this.lanes = lanes;
    for (int i = 0; i < program.code().size(); i++) {
      int site = i;
      Pointwise.Instruction instruction = program.code().get(i);
      String where = name + ", " + i + " " + words(instruction);
      ways(instruction, (way, wrong) -> mutants.add(new Mutant(where, way, site, wrong)));
    }
  }

  private static String words(Pointwise.Instruction instruction) {
    return switch (instruction) {
      case Pointwise.Load load -> "load " + load.slot();
      case Pointwise.Constant constant -> "constant " + constant.value();
      case Pointwise.Lane _ -> "lane";
      case Pointwise.Swap swap -> "swap " + swap.register() + " by " + swap.distance();
      case Pointwise.Apply apply -> apply.op().label() + " " + apply.operands();
      case Pointwise.Store store -> "store " + store.register() + " at " + store.slot();
      case Pointwise.Keep keep -> "keep " + keep.register() + " in " + keep.array();
    };
  }

  private interface Ways {
    void add(String way, Wrong wrong);
  }

  private void ways(Pointwise.Instruction instruction, Ways ways) {
    if (instruction instanceof Pointwise.Apply(Op op, List<Integer> operands)) {
      applied(op, operands.size(), ways);
      return;
    }
    ways.add("negated", (right, other) -> -right);
    ways.add("doubled", (right, other) -> 2 * right);
    ways.add("missing", (right, other) -> 0);
    if (instruction instanceof Pointwise.Load && program.fixed().size() > 1) {
      ways.add("its neighbour", (right, other) -> other[0]);
    }
  }

  private static void applied(Op op, int arity, Ways ways) {
    if (Masks.gives(op)) {
      ways.add("not", (right, other) -> 1 - right);
      ways.add("never", (right, other) -> 0);
      ways.add("always", (right, other) -> 1);
      return;
    }
    ways.add("negated", (right, other) -> -right);
    ways.add("doubled", (right, other) -> 2 * right);
    ways.add("missing", (right, other) -> 0);
    for (int i = op == Ternary.WHERE ? 1 : 0; i < arity; i++) {
      int alone = i;
      ways.add("operand " + i + " alone", (right, other) -> other[alone]);
    }
    switch (op) {
      case Ternary.WHERE -> ways.add("swapped", (_, x) -> x[0] == 0 ? x[1] : x[2]);
      case Ternary.FMA -> ways.add("minus", (_, x) -> x[0] * x[1] - x[2]);
      case Binary.ADD -> ways.add("minus", (_, x) -> x[0] - x[1]);
      case Binary.SUB -> ways.add("plus", (_, x) -> x[0] + x[1]);
      case Binary.MUL -> ways.add("divided", (_, x) -> x[0] / x[1]);
      case Binary row -> ways.add("swapped", (_, x) -> row.scalar(x[1], x[0]));
      default -> {
        // one operand: nothing to swap
      }
    }
  }

  List<Mutant> mutants() {
    return mutants;
  }

  /** Breaks one instruction; none for null. */
  void choose(@Nullable Mutant broken) {
    mutant = broken;
    changed = false;
  }

  /** Whether the broken instruction has given another number than the right one. */
  boolean isChanged() {
    return changed;
  }

  @Override
  public void run(long[] at, long step, Object[] arrays, int[] offsets, int keepStep, int n) {
    for (int i = 0; i < n; i++) {
      // Vectors are read whole before any is written: a slot may be read and written.
      double[][] registers = new double[code.length][lanes];
      for (int k = 0; k < registers.length; k++) {
        for (int l = 0; l < lanes; l++) {
          registers[k][l] = compute(at, i * step, k, l, registers);
        }
      }
      for (int l = 0; l < lanes; l++) {
        store(registers, at, i * step, arrays, offsets, i * keepStep, l);
      }
    }
  }

  private long address(long[] at, int slot, long shift, int lane) {
    return at[slot] + (fixed[slot] ? 0 : shift) + 8L * lane;
  }

  private double compute(long[] at, long shift, int k, int lane, double[][] registers) {
    return switch (code[k]) {
      case Pointwise.Load(int slot) -> {
        int neighbour = (slot + 1) % fixed.length;
        yield given(
            k,
            Bytes.f64(address(at, slot, shift, lane)),
            Bytes.f64(address(at, neighbour, shift, lane)));
      }
      case Pointwise.Constant(double value) -> given(k, value);
      case Pointwise.Lane _ -> given(k, lane);
      case Pointwise.Swap(int register, int distance) ->
          given(k, registers[register][lane ^ distance]);
      case Pointwise.Apply(Op op, List<Integer> _) -> {
        double[] x = new double[operands[k].length];
        for (int i = 0; i < x.length; i++) {
          x[i] = registers[operands[k][i]][lane];
        }
        yield given(k, apply(op, x), x);
      }
      case Pointwise.Store(int register, int _) -> given(k, registers[register][lane]);
      case Pointwise.Keep(int register, int _) -> given(k, registers[register][lane]);
    };
  }

  private void store(
      double[][] registers,
      long[] at,
      long shift,
      Object[] arrays,
      int[] offsets,
      int keepShift,
      int lane) {
    for (int k = 0; k < registers.length; k++) {
      switch (code[k]) {
        case Pointwise.Store(int _, int slot) ->
            Bytes.f64(address(at, slot, shift, lane), registers[k][lane]);
        case Pointwise.Keep(int _, int array) ->
            ((double[]) arrays[array])[offsets[array] + keepShift + lane] = registers[k][lane];
        default -> {
          // stays in its register
        }
      }
    }
  }

  private static double apply(Op op, double... x) {
    return switch (op) {
      case Unary row -> row.scalar(x[0]);
      case Binary row -> row.scalar(x[0], x[1]);
      case Ternary row -> row.scalar(x[0], x[1], x[2]);
      default -> throw new IllegalArgumentException("not a row of a program: " + op.label());
    };
  }

  private double given(int k, double right, double... other) {
    if (mutant == null || mutant.site() != k) {
      return right;
    }
    double wrong = mutant.wrong().of(right, other);
    changed |= Mutant.differ(wrong, right);
    return wrong;
  }
}
