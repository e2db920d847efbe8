package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.trace.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Writes the programs that combine all columns of a row into one: all vectors of it are loaded, and
 * combined two by two, as are the lanes of what remains. So there is one order whoever runs it, and
 * the result fills its vector. A row of many vectors is several programs, which leave what they have in
 * the place of the result.
 */
final class FoldProgram {
  /** Vectors that one program loads. */
  private static final int MOST_VECTORS = 32;

  private final Op op;
  private final Slot from;
  private final Slot to;
  private final int lanes;
  private final List<Pointwise.Instruction> code = new ArrayList<>();
  private final List<Slot> slots = new ArrayList<>();

  private FoldProgram(Op op, Slot from, Slot to, int lanes) {
    this.op = op;
    this.from = from;
    this.to = to;
    this.lanes = lanes;
  }

  /**
   * The programs of a fold.
   *
   * @param fold what is computed
   * @param from where its input lies
   * @param to where it is put
   * @param lanes L
   */
  static List<StageProgram> of(Value fold, Slot from, Slot to, int lanes) {
    int vectors = Math.ceilDiv(from.block().width(), lanes);
    int count = Math.ceilDiv(vectors, MOST_VECTORS);
    List<StageProgram> programs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      var program = new FoldProgram(Objects.requireNonNull(fold.op()), from, to, lanes);
      programs.add(program.write(vectors * i / count, vectors * (i + 1) / count, vectors));
    }
    return programs;
  }

  private StageProgram write(int first, int end, int vectors) {
    int result = combine(first, end);
    if (first > 0) {
      result = apply(add(new Pointwise.Load(slot(to))), result);
    }
    for (int distance = lanes / 2; end == vectors && distance > 0; distance /= 2) {
      result = apply(result, add(new Pointwise.Swap(result, distance)));
    }
    add(new Pointwise.Store(result, slot(to)));
    return StageProgram.of(code, 1, slots, List.of());
  }

  /** The vectors from one to another, two by two. */
  private int combine(int first, int end) {
    if (end - first > 1) {
      int middle = (first + end) >>> 1;
      return apply(combine(first, middle), combine(middle, end));
    }
    int vector = add(new Pointwise.Load(slot(from.at(first))));
    int filled = from.block().width() - first * lanes;
    return filled < lanes ? masked(vector, filled) : vector;
  }

  /** What is behind the last column changes nothing. */
  private int masked(int vector, int filled) {
    int lane = add(new Pointwise.Lane());
    int end = add(new Pointwise.Constant(filled));
    int inside = add(new Pointwise.Apply(Binary.LT, List.of(lane, end)));
    int neutral = add(new Pointwise.Constant(neutral()));
    return add(new Pointwise.Apply(Ternary.WHERE, List.of(inside, vector, neutral)));
  }

  private double neutral() {
    return op == Binary.MAX
        ? Double.NEGATIVE_INFINITY
        : op == Binary.MIN ? Double.POSITIVE_INFINITY : 0;
  }

  private int apply(int a, int b) {
    return add(new Pointwise.Apply(op, List.of(a, b)));
  }

  private int slot(Slot slot) {
    if (!slots.contains(slot)) {
      slots.add(slot);
    }
    return slots.indexOf(slot);
  }

  private int add(Pointwise.Instruction instruction) {
    code.add(instruction);
    return code.size() - 1;
  }
}
