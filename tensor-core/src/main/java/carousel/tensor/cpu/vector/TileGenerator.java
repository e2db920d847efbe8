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

import carousel.tensor.cpu.loop.Tile;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Writes the microkernel of the matrix product for any number of rows and of vectors per row, fully
 * unrolled: what stands in the loop over {@code k} is
 *
 * <pre>{@literal
 * for (int p = 0; p < k; p++) {
 *   b0 = load(b);  b1 = load(b + WIDTH);  b += bRow;
 *   at = aOffset + p * rows;                            // or aOffset + p / L * aBlock + p % L
 *   x = broadcast(a[at]);      c00 = x.fma(b0, c00);  c01 = x.fma(b1, c01);
 *   x = broadcast(a[at + 1]);  c10 = x.fma(b0, c10);  c11 = x.fma(b1, c11);   // or a[at + L]
 *   ...
 * }
 * }</pre>
 *
 * with every accumulator in a local variable, hence in a register, as long as {@code rows · vectors +
 * vectors + 1} does not exceed the machine's vector registers.
 */
final class TileGenerator {
  private static final ClassDesc VECTOR = Generated.describe(Vector.class);

  // Slots of run's parameters; 0 is `this`.
  private static final int A = 1;
  private static final int A_OFFSET = 2;
  private static final int A_BLOCK = 3;
  private static final int K = 4;
  private static final int B = 5;
  private static final int B_ROW = 7;
  private static final int INIT = 9;
  private static final int INIT_ROW = 11;
  private static final int INIT_NEXT = 13;
  private static final int OUT = 15;
  private static final int OUT_ROW = 17;
  private static final int OUT_NEXT = 19;
  private static final int LOCALS = 21;

  private final int rows;
  private final int vectors;
  private final Tile.Packing packing;
  private final VectorSpecies<?> species;
  private final ClassDesc vector;
  private final ClassDesc element;
  private final TypeKind kind;

  // Locals of the generated method.
  private final int p = LOCALS;
  private final int x = LOCALS + 1;
  private final int array = LOCALS + 2;
  private final int at = LOCALS + 3;
  private final int firstB = LOCALS + 4;
  private final int firstC;

  private TileGenerator(int rows, int vectors, VectorSpecies<?> species, Tile.Packing packing) {
    this.rows = rows;
    this.vectors = vectors;
    this.species = species;
    this.packing = packing;
    boolean f32 = species.elementType() == float.class;
    this.vector = Generated.describe(f32 ? FloatVector.class : DoubleVector.class);
    this.element = f32 ? CD_float : CD_double;
    this.kind = f32 ? TypeKind.FLOAT : TypeKind.DOUBLE;
    this.firstC = firstB + vectors;
  }

  /** The tile of {@code rows} rows and {@code vectors} vectors per row. */
  static Tile define(int rows, int vectors, VectorSpecies<?> species, Tile.Packing packing) {
    var generator = new TileGenerator(rows, vectors, species, packing);
    return Generated.define(
        Tile.class, "GeneratedTile", List.of(species, Lanes.ALL, Lanes.ORDER), generator::methods);
  }

  private void methods(ClassBuilder builder) {
    Generated.intMethod(builder, "rows", rows);
    Generated.intMethod(builder, "width", vectors * species.length());
    builder.withMethodBody(
        "run",
        MethodTypeDesc.of(
            CD_void, CD_Object, CD_int, CD_int, CD_int, CD_long, CD_long, CD_long, CD_long, CD_long,
            CD_long, CD_long, CD_long),
        ClassFile.ACC_PUBLIC,
        this::run);
  }

  private void run(CodeBuilder code) {
    code.aload(A).checkcast(element.arrayType()).astore(array);
    for (int row = 0; row < rows; row++) {
      for (int v = 0; v < vectors; v++) {
        load(code, INIT, INIT_NEXT, v, c(row, v));
      }
      Generated.advance(code, INIT, INIT_ROW);
    }
    Label test = code.newLabel();
    Label body = code.newLabel();
    code.loadConstant(0).istore(p).goto_(test).labelBinding(body);
    for (int v = 0; v < vectors; v++) {
      load(code, B, 0, v, firstB + v);
    }
    Generated.advance(code, B, B_ROW);
    boolean columns = packing == Tile.Packing.COLUMNS;
    if (columns) {
      code.iload(A_OFFSET).iload(p).loadConstant(rows).imul().iadd();
    } else {
      int bits = Integer.numberOfTrailingZeros(species.length());
      code.iload(A_OFFSET).iload(p).loadConstant(bits).iushr().iload(A_BLOCK).imul().iadd();
      code.iload(p).loadConstant(species.length() - 1).iand().iadd();
    }
    code.istore(at);
    for (int row = 0; row < rows; row++) {
      push(code, 0, SPECIES).aload(array).iload(at);
      code.loadConstant(columns ? row : row * species.length()).iadd();
      code.arrayLoad(kind)
          .invokestatic(vector, "broadcast", MethodTypeDesc.of(vector, SPECIES, element))
          .astore(x);
      for (int v = 0; v < vectors; v++) {
        code.aload(x)
            .aload(firstB + v)
            .aload(c(row, v))
            .invokevirtual(vector, "fma", MethodTypeDesc.of(vector, VECTOR, VECTOR))
            .astore(c(row, v));
      }
    }
    code.iinc(p, 1).labelBinding(test).iload(p).iload(K).if_icmplt(body);
    for (int row = 0; row < rows; row++) {
      for (int v = 0; v < vectors; v++) {
        code.aload(c(row, v));
        push(code, 1, SEGMENT);
        address(code, OUT, OUT_NEXT, v);
        push(code, 2, ORDER)
            .invokevirtual(
                vector, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
      }
      Generated.advance(code, OUT, OUT_ROW);
    }
    code.return_();
  }

  /** The local that accumulates vector {@code v} of row {@code row}. */
  private int c(int row, int v) {
    return firstC + row * vectors + v;
  }

  private void load(CodeBuilder code, int base, int next, int v, int into) {
    push(code, 0, SPECIES);
    push(code, 1, SEGMENT);
    address(code, base, next, v);
    push(code, 2, ORDER)
        .invokestatic(
            vector,
            "fromMemorySegment",
            MethodTypeDesc.of(vector, SPECIES, SEGMENT, CD_long, ORDER))
        .astore(into);
  }

  /** {@code base + v · next}, where next is a local, or 0 for vectors side by side. */
  private void address(CodeBuilder code, int base, int next, int v) {
    code.lload(base);
    if (v > 0 && next == 0) {
      code.loadConstant((long) v * species.vectorByteSize()).ladd();
    } else if (v > 0) {
      code.lload(next).loadConstant((long) v).lmul().ladd();
    }
  }
}
