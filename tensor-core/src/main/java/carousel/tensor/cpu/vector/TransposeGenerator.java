package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Generated.ORDER;
import static carousel.tensor.cpu.vector.Generated.SEGMENT;
import static carousel.tensor.cpu.vector.Generated.SPECIES;
import static carousel.tensor.cpu.vector.Generated.push;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import carousel.tensor.cpu.loop.Transpose;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Writes the transposition of a block of L rows of L lanes in registers: log₂ L rounds; in the round
 * of distance d, rows i and i + d (where bit d of i is clear) exchange the lanes that belong to the
 * other:
 *
 * <pre>{@literal
 * x' = lane j: bit d of j clear ? x[j]     : y[j - d]
 * y' = lane j: bit d of j clear ? x[j + d] : y[j]
 * }</pre>
 */
final class TransposeGenerator {
  // Slots of run's parameters; 0 is `this`.
  private static final int FROM = 1;
  private static final int FROM_ROW = 3;
  private static final int FROM_STEP = 5;
  private static final int TO = 7;
  private static final int TO_ROW = 9;
  private static final int TO_STEP = 11;
  private static final int BLOCKS = 13;

  // Locals of the generated method.
  private static final int ADDRESS = 14;
  private static final int SPARE = 16;
  private static final int FIRST_ROW = 17;

  private static final int CONSTANTS = 3;

  private final int lanes;
  private final boolean ints;
  private final ClassDesc vector;
  private final ClassDesc array;
  private final int firstSelection;

  private TransposeGenerator(VectorSpecies<?> species) {
    this.lanes = species.length();
    this.ints = species.elementType() == int.class;
    this.vector = Generated.describe(ints ? IntVector.class : LongVector.class);
    this.array = (ints ? CD_int : CD_long).arrayType();
    this.firstSelection = FIRST_ROW + lanes;
  }

  /** The transposition of blocks of as many rows as {@code species} (int or long) has lanes. */
  static Transpose define(VectorSpecies<?> species) {
    var generator = new TransposeGenerator(species);
    List<Object> data = new ArrayList<>(List.of(species, Lanes.ALL, Lanes.ORDER));
    int lanes = species.length();
    for (int d = 1; d < lanes; d *= 2) {
      int distance = d;
      data.add(generator.selection(j -> (j & distance) == 0 ? j : lanes + j - distance));
      data.add(generator.selection(j -> (j & distance) == 0 ? j + distance : lanes + j));
    }
    return Generated.define(Transpose.class, "GeneratedTranspose", data, generator::methods);
  }

  private Object selection(IntUnaryOperator lane) {
    int[] chosen = IntStream.range(0, lanes).map(lane).toArray();
    return ints ? chosen : IntStream.of(chosen).asLongStream().toArray();
  }

  private void methods(ClassBuilder builder) {
    Generated.intMethod(builder, "side", lanes);
    builder.withMethodBody(
        "run",
        MethodTypeDesc.of(CD_void, CD_long, CD_long, CD_long, CD_long, CD_long, CD_long, CD_int),
        ClassFile.ACC_PUBLIC,
        this::run);
  }

  private void run(CodeBuilder code) {
    int rounds = Integer.numberOfTrailingZeros(lanes);
    for (int s = 0; s < 2 * rounds; s++) {
      push(code, 0, SPECIES);
      push(code, CONSTANTS + s, array).loadConstant(0);
      code.invokestatic(vector, "fromArray", MethodTypeDesc.of(vector, SPECIES, array, CD_int))
          .astore(firstSelection + s);
    }
    Label test = code.newLabel();
    Label body = code.newLabel();
    code.goto_(test).labelBinding(body);
    code.lload(FROM).lstore(ADDRESS);
    for (int row = 0; row < lanes; row++) {
      push(code, 0, SPECIES);
      push(code, 1, SEGMENT).lload(ADDRESS);
      push(code, 2, ORDER)
          .invokestatic(
              vector,
              "fromMemorySegment",
              MethodTypeDesc.of(vector, SPECIES, SEGMENT, CD_long, ORDER))
          .astore(FIRST_ROW + row);
      Generated.advance(code, ADDRESS, FROM_ROW);
    }
    for (int round = 0; round < rounds; round++) {
      for (int row = 0; row < lanes; row++) {
        if ((row >> round & 1) == 0) {
          exchange(code, FIRST_ROW + row, FIRST_ROW + row + (1 << round), round);
        }
      }
    }
    code.lload(TO).lstore(ADDRESS);
    for (int row = 0; row < lanes; row++) {
      code.aload(FIRST_ROW + row);
      push(code, 1, SEGMENT).lload(ADDRESS);
      push(code, 2, ORDER)
          .invokevirtual(
              vector, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
      Generated.advance(code, ADDRESS, TO_ROW);
    }
    Generated.advance(code, FROM, FROM_STEP);
    Generated.advance(code, TO, TO_STEP);
    code.iinc(BLOCKS, -1).labelBinding(test).iload(BLOCKS).ifgt(body).return_();
  }

  private void exchange(CodeBuilder code, int x, int y, int round) {
    select(code, firstSelection + 2 * round, x, y).astore(SPARE);
    select(code, firstSelection + 2 * round + 1, x, y).astore(y);
    code.aload(SPARE).astore(x);
  }

  private CodeBuilder select(CodeBuilder code, int selection, int x, int y) {
    ClassDesc operand = Generated.describe(Vector.class);
    return code.aload(selection)
        .aload(x)
        .aload(y)
        .invokevirtual(vector, "selectFrom", MethodTypeDesc.of(vector, operand, operand));
  }
}
