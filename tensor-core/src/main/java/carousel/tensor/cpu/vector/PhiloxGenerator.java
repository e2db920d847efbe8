package carousel.tensor.cpu.vector;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import carousel.tensor.cpu.loop.Uniforms;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Writes the loop of Philox4x32-10, a block in every lane of 64 bits, with its ten rounds unrolled:
 *
 * <pre>{@literal
 * for (int i = 0; i < blocks; i += LANES) {
 *   b = broadcast(block + i).addIndex(1);  c0 = b;  c1 = b >>> 32;  c2 = 0;  c3 = 0;
 *   p0 = (c0 & LOW) * M0;  p1 = (c2 & LOW) * M1;                       // ten times
 *   c0 = p1 >>> 32 ^ c1 ^ k0;  c1 = p1;  c2 = p0 >>> 32 ^ c3 ^ k1;  c3 = p0;
 *   ...
 *   store(interleave(c0 & LOW | c1 << 32, c2 & LOW | c3 << 32) >>> 8);
 * }
 * }</pre>
 *
 * A counter's upper half is left as it comes, and masked where it matters. The rounds are written out
 * because a vector that goes around a loop in Java may become an object.
 */
final class PhiloxGenerator {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final int ROUNDS = 10;
  private static final long LOW = 0xFFFFFFFFL;

  private static final ClassDesc LONGS = Generated.describe(LongVector.class);
  private static final ClassDesc INTS = Generated.describe(IntVector.class);
  private static final ClassDesc VECTOR = Generated.describe(Vector.class);
  private static final ClassDesc SHUFFLE = Generated.describe(VectorShuffle.class);
  private static final ClassDesc OPERATORS = Generated.describe(VectorOperators.class);
  private static final ClassDesc BINARY = Generated.describe(VectorOperators.Binary.class);
  private static final ClassDesc ASSOCIATIVE =
      Generated.describe(VectorOperators.Associative.class);

  // Slots of run's parameters; 0 is `this`. Then the generated method's own.
  private static final int SEED = 1;
  private static final int BLOCK = 3;
  private static final int BLOCKS = 5;
  private static final int OUT = 6;
  private static final int I = 8;
  private static final int KEY = 9;
  private static final int C = 13;
  private static final int P0 = 17;
  private static final int P1 = 18;
  private static final int FACTOR = 19;

  private final VectorSpecies<Long> species;

  private PhiloxGenerator(VectorSpecies<Long> species) {
    this.species = species;
  }

  /** The loop for a vector of longs. */
  static Uniforms define(VectorSpecies<Long> species) {
    int lanes = species.length();
    // Lane i of a pair comes from the first vector, or, told by a negative index, from the second.
    VectorShuffle<Long> low = species.shuffleFromOp(i -> i / 2 - (i % 2) * lanes);
    VectorShuffle<Long> high = species.shuffleFromOp(i -> (lanes + i) / 2 - (i % 2) * lanes);
    PhiloxGenerator generator = new PhiloxGenerator(species);
    return Generated.define(
        Uniforms.class,
        "GeneratedPhilox",
        List.of(species, Lanes.ALL, Lanes.ORDER, low, high),
        builder ->
            builder.withMethodBody(
                "run",
                MethodTypeDesc.of(CD_void, CD_long, CD_long, CD_int, CD_long),
                ClassFile.ACC_PUBLIC,
                generator::run));
  }

  private void run(CodeBuilder code) {
    keys(code);
    factor(code, M0, FACTOR);
    factor(code, M1, FACTOR + 1);
    Label test = code.newLabel();
    Label body = code.newLabel();
    code.loadConstant(0).istore(I).goto_(test).labelBinding(body);
    counters(code);
    for (int round = 0; round < ROUNDS; round++) {
      round(code, round);
    }
    pair(code, C, P0);
    pair(code, C + 2, P1);
    store(code, 3, 0);
    store(code, 4, species.vectorByteSize());
    code.lload(OUT).loadConstant(2L * species.vectorByteSize()).ladd().lstore(OUT);
    code.iinc(I, species.length()).labelBinding(test);
    code.iload(I).iload(BLOCKS).if_icmplt(body).return_();
  }

  /** The two halves of the seed. */
  private static void keys(CodeBuilder code) {
    code.lload(SEED).lstore(KEY);
    code.lload(SEED).loadConstant(32).lushr().lstore(KEY + 2);
  }

  /** A factor in every lane, masked so that C2 sees 32-bit operands and multiplies them as such. */
  private static void factor(CodeBuilder code, int factor, int local) {
    Generated.push(code, 0, Generated.SPECIES).loadConstant(factor & LOW);
    broadcast(code);
    low(code);
    code.astore(local);
  }

  private static void counters(CodeBuilder code) {
    Generated.push(code, 0, Generated.SPECIES);
    code.lload(BLOCK).iload(I).i2l().ladd();
    broadcast(code);
    code.loadConstant(1)
        .invokevirtual(LONGS, "addIndex", MethodTypeDesc.of(LONGS, CD_int))
        .astore(P0);
    code.aload(P0).astore(C);
    shifted(code, P0, "LSHR", 32);
    code.astore(C + 1);
    for (int k = 2; k < 4; k++) {
      Generated.push(code, 0, Generated.SPECIES).loadConstant(0L);
      broadcast(code);
      code.astore(C + k);
    }
  }

  private static void round(CodeBuilder code, int round) {
    product(code, C, FACTOR, P0);
    product(code, C + 2, FACTOR + 1, P1);
    mixed(code, P1, C + 1, KEY, round * W0, C);
    code.aload(P1).astore(C + 1);
    mixed(code, P0, C + 3, KEY + 2, round * W1, C + 2);
    code.aload(P0).astore(C + 3);
  }

  private static void product(CodeBuilder code, int c, int factor, int into) {
    code.aload(c);
    low(code);
    code.aload(factor).invokevirtual(LONGS, "mul", MethodTypeDesc.of(LONGS, VECTOR)).astore(into);
  }

  /** {@code into = p >>> 32 ^ c ^ (key + weyl) & LOW}. */
  private static void mixed(CodeBuilder code, int p, int c, int key, int weyl, int into) {
    shifted(code, p, "LSHR", 32);
    operator(code, "XOR", ASSOCIATIVE).aload(c);
    lanewise(code, VECTOR);
    operator(code, "XOR", ASSOCIATIVE);
    code.lload(key).loadConstant((long) weyl).ladd().loadConstant(LOW).land();
    lanewise(code, CD_long);
    code.astore(into);
  }

  /** {@code into = c & LOW | next << 32}, the words of two counters as they lie in memory. */
  private static void pair(CodeBuilder code, int c, int into) {
    code.aload(c);
    low(code);
    shifted(code, c + 1, "LSHL", 32);
    code.invokevirtual(LONGS, "or", MethodTypeDesc.of(LONGS, VECTOR)).astore(into);
  }

  private static void store(CodeBuilder code, int shuffle, int offset) {
    code.aload(P0);
    Generated.push(code, shuffle, SHUFFLE).aload(P1);
    code.invokevirtual(LONGS, "rearrange", MethodTypeDesc.of(LONGS, SHUFFLE, VECTOR))
        .invokevirtual(LONGS, "reinterpretAsInts", MethodTypeDesc.of(INTS));
    operator(code, "LSHR", BINARY)
        .loadConstant(8)
        .invokevirtual(INTS, "lanewise", MethodTypeDesc.of(INTS, BINARY, CD_int));
    Generated.push(code, 1, Generated.SEGMENT).lload(OUT).loadConstant((long) offset).ladd();
    Generated.push(code, 2, Generated.ORDER)
        .invokevirtual(
            INTS,
            "intoMemorySegment",
            MethodTypeDesc.of(CD_void, Generated.SEGMENT, CD_long, Generated.ORDER));
  }

  private static void shifted(CodeBuilder code, int vector, String direction, int by) {
    code.aload(vector);
    operator(code, direction, BINARY).loadConstant((long) by);
    lanewise(code, CD_long);
  }

  private static void low(CodeBuilder code) {
    code.loadConstant(LOW).invokevirtual(LONGS, "and", MethodTypeDesc.of(LONGS, CD_long));
  }

  private static void broadcast(CodeBuilder code) {
    code.invokestatic(LONGS, "broadcast", MethodTypeDesc.of(LONGS, Generated.SPECIES, CD_long));
  }

  private static CodeBuilder operator(CodeBuilder code, String name, ClassDesc type) {
    return code.getstatic(OPERATORS, name, type);
  }

  private static void lanewise(CodeBuilder code, ClassDesc operand) {
    code.invokevirtual(LONGS, "lanewise", MethodTypeDesc.of(LONGS, BINARY, operand));
  }
}
