package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.Generated.ORDER;
import static carousel.tensor.cpu.vector.Generated.SEGMENT;
import static carousel.tensor.cpu.vector.Generated.SPECIES;
import static carousel.tensor.cpu.vector.Generated.push;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.op.Masks;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Writes the loop of a {@link Pointwise} program: every row's vector body is spliced in, one after the
 * other, and what they hand on stays in local variables. Tests give masks.
 */
final class PointwiseGenerator {
  private static final ClassDesc VECTOR = Generated.describe(Vector.class);
  private static final ClassDesc MASK = Generated.describe(VectorMask.class);
  private static final ClassDesc SHUFFLE = Generated.describe(VectorShuffle.class);

  /** Where shuffles begin in the class data. */
  private static final int SHUFFLES = 3;

  // Slots of run's parameters; 0 is `this`.
  private static final int AT = 1;
  private static final int STEP = 2;
  private static final int ARRAYS = 4;
  private static final int OFFSETS = 5;
  private static final int KEEP_STEP = 6;
  private static final int N = 7;

  private final Pointwise program;
  private final ClassDesc vector;
  private final ClassDesc element;
  private final BodySource source;

  /** How lanes are swapped; they follow the other constants in the class data. */
  private final List<Integer> distances;

  private PointwiseGenerator(Pointwise program, VectorSpecies<?> species) {
    this.program = program;
    boolean f32 = species.elementType() == float.class;
    this.vector = Generated.describe(f32 ? FloatVector.class : DoubleVector.class);
    this.element = f32 ? CD_float : CD_double;
    this.source = f32 ? BodySource.F32 : BodySource.F64;
    this.distances =
        program.code().stream()
            .filter(Pointwise.Swap.class::isInstance)
            .map(swap -> ((Pointwise.Swap) swap).distance())
            .distinct()
            .toList();
  }

  /** The loop; null if one of the rows has no vector body. */
  static Pointwise.@Nullable Executable define(Pointwise program, VectorSpecies<?> species) {
    var generator = new PointwiseGenerator(program, species);
    for (var instruction : program.code()) {
      if (instruction instanceof Pointwise.Apply apply && !generator.knows(apply.op())) {
        return null;
      }
    }
    return Generated.define(
        Pointwise.Executable.class,
        "GeneratedPointwise",
        generator.classData(species),
        builder ->
            builder.withMethodBody(
                "run",
                MethodTypeDesc.of(
                    CD_void,
                    CD_long.arrayType(),
                    CD_long,
                    CD_Object.arrayType(),
                    CD_int.arrayType(),
                    CD_int,
                    CD_int),
                ClassFile.ACC_PUBLIC,
                generator::run));
  }

  private List<Object> classData(VectorSpecies<?> species) {
    List<Object> data = new ArrayList<>(List.of(species, Lanes.ALL, Lanes.ORDER));
    distances.forEach(distance -> data.add(species.shuffleFromOp(lane -> lane ^ distance)));
    return data;
  }

  /** Bytes of a row's body. */
  static int size(Op op, BodySource source) {
    BodySource own = source.has(op.label()) ? source : BodySource.ANY;
    return own.has(op.label()) ? Splicer.size(own, op.label()) : 0;
  }

  private boolean knows(Op op) {
    return op == Ternary.WHERE
        || Masks.isLogical(op)
        || source.has(op.label())
        || BodySource.ANY.has(op.label());
  }

  private void run(CodeBuilder code) {
    int slots = program.fixed().size();
    int[] at = new int[slots];
    for (int i = 0; i < slots; i++) {
      at[i] = code.allocateLocal(TypeKind.LONG);
      code.aload(AT).loadConstant(i).laload().lstore(at[i]);
    }
    int[] array = new int[program.arrays()];
    int[] offset = new int[program.arrays()];
    for (int i = 0; i < array.length; i++) {
      array[i] = code.allocateLocal(TypeKind.REFERENCE);
      offset[i] = code.allocateLocal(TypeKind.INT);
      code.aload(ARRAYS).loadConstant(i).aaload().checkcast(element.arrayType()).astore(array[i]);
      code.aload(OFFSETS).loadConstant(i).iaload().istore(offset[i]);
    }
    int index = code.allocateLocal(TypeKind.INT);
    int moved = code.allocateLocal(TypeKind.LONG);
    int[] registers = new int[program.code().size()];
    Arrays.setAll(registers, i -> code.allocateLocal(TypeKind.REFERENCE));

    Label test = code.newLabel();
    Label body = code.newLabel();
    code.loadConstant(0).istore(index).loadConstant(0L).lstore(moved);
    code.goto_(test).labelBinding(body);
    for (int i = 0; i < registers.length; i++) {
      switch (program.code().get(i)) {
        case Pointwise.Load load -> {
          push(code, 0, SPECIES);
          push(code, 1, SEGMENT);
          address(code, at, moved, load.slot());
          push(code, 2, ORDER)
              .invokestatic(
                  vector,
                  "fromMemorySegment",
                  MethodTypeDesc.of(vector, SPECIES, SEGMENT, CD_long, ORDER))
              .astore(registers[i]);
        }
        case Pointwise.Constant constant -> {
          push(code, 0, SPECIES);
          if (element == CD_float) {
            code.loadConstant((float) constant.value());
          } else {
            code.loadConstant(constant.value());
          }
          code.invokestatic(vector, "broadcast", MethodTypeDesc.of(vector, SPECIES, element))
              .astore(registers[i]);
        }
        case Pointwise.Lane _ -> {
          push(code, 0, SPECIES)
              .invokestatic(vector, "zero", MethodTypeDesc.of(vector, SPECIES))
              .loadConstant(1)
              .invokevirtual(vector, "addIndex", MethodTypeDesc.of(vector, CD_int))
              .astore(registers[i]);
        }
        case Pointwise.Swap swap -> {
          code.aload(registers[swap.register()]);
          push(code, SHUFFLES + distances.indexOf(swap.distance()), SHUFFLE)
              .invokevirtual(vector, "rearrange", MethodTypeDesc.of(vector, SHUFFLE))
              .astore(registers[i]);
        }
        case Pointwise.Apply apply -> {
          apply(code, apply, registers);
          code.astore(registers[i]);
        }
        case Pointwise.Store store -> {
          code.aload(registers[store.register()]);
          push(code, 1, SEGMENT);
          address(code, at, moved, store.slot());
          push(code, 2, ORDER)
              .invokevirtual(
                  vector, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
        }
        case Pointwise.Keep keep -> {
          int a = keep.array();
          code.aload(registers[keep.register()]).aload(array[a]).iload(offset[a]);
          code.invokevirtual(
              vector, "intoArray", MethodTypeDesc.of(CD_void, element.arrayType(), CD_int));
          code.iload(offset[a]).iload(KEEP_STEP).iadd().istore(offset[a]);
        }
      }
    }
    code.lload(moved).lload(STEP).ladd().lstore(moved);
    code.iinc(index, 1).labelBinding(test).iload(index).iload(N).if_icmplt(body);
    code.return_();
  }

  private void apply(CodeBuilder code, Pointwise.Apply apply, int[] registers) {
    List<Integer> operands = apply.operands();
    if (apply.op() == Ternary.WHERE) {
      code.aload(registers[operands.get(2)]).aload(registers[operands.get(1)]);
      code.aload(registers[operands.get(0)])
          .invokevirtual(vector, "blend", MethodTypeDesc.of(vector, VECTOR, MASK));
      return;
    }
    for (int operand : operands) {
      code.aload(registers[operand]);
    }
    String body = apply.op().label();
    if (Masks.isLogical(apply.op())) {
      ClassDesc[] others = operands.size() == 1 ? new ClassDesc[0] : new ClassDesc[] {MASK};
      code.invokevirtual(MASK, body, MethodTypeDesc.of(MASK, others));
      return;
    }
    boolean mask = Masks.gives(apply.op());
    if (mask && operands.size() == 1) {
      code.aload(registers[operands.getFirst()]); // bodies of tests take two operands
    }
    ClassDesc[] types = new ClassDesc[mask ? 2 : operands.size()];
    Arrays.fill(types, vector);
    Splicer.splice(
        code,
        source.has(body) ? source : BodySource.ANY,
        body,
        MethodTypeDesc.of(mask ? MASK : VECTOR, types));
    if (!mask) {
      code.checkcast(vector);
    }
  }

  private void address(CodeBuilder code, int[] at, int moved, int slot) {
    code.lload(at[slot]);
    if (!program.fixed().get(slot)) {
      code.lload(moved).ladd();
    }
  }
}
