package carousel.tensor.cpu.vector;

import static java.lang.constant.ConstantDescs.CD_double;
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
import jdk.incubator.vector.DoubleVector;
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
 *   store(form(interleave(c0 & LOW | c1 << 32, c2 & LOW | c3 << 32)));
 * }
 * }</pre>
 *
 * The form of {@link Uniforms.Form#UNIT} puts the upper and the lower half of the 53 bits below exponents of
 * their own, so that a difference and a sum of doubles, all exact, make a number of both: few machines
 * convert longs.
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

  /** 2⁸⁴ and 2⁵², whose last places are 2³² and 1. */
  private static final double UPPER = 0x1p84;

  private static final double LOWER = 0x1p52;

  private static final ClassDesc LONGS = Generated.describe(LongVector.class);
  private static final ClassDesc DOUBLES = Generated.describe(DoubleVector.class);
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
  private static final int UNITS = 21;

  private final VectorSpecies<Long> species;
  private final Uniforms.Form form;

  private PhiloxGenerator(VectorSpecies<Long> species, Uniforms.Form form) {
    this.species = species;
    this.form = form;
  }

  /** The loop for a vector of longs. */
  static Uniforms define(VectorSpecies<Long> species, Uniforms.Form form) {
    int lanes = species.length();
    // Lane i of a pair comes from the first vector, or, told by a negative index, from the second.
    VectorShuffle<Long> low = species.shuffleFromOp(i -> i / 2 - (i % 2) * lanes);
    VectorShuffle<Long> high = species.shuffleFromOp(i -> (lanes + i) / 2 - (i % 2) * lanes);
    var generator = new PhiloxGenerator(species, form);
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

  private void store(CodeBuilder code, int shuffle, int offset) {
    code.aload(P0);
    Generated.push(code, shuffle, SHUFFLE).aload(P1);
    code.invokevirtual(LONGS, "rearrange", MethodTypeDesc.of(LONGS, SHUFFLE, VECTOR));
    ClassDesc type = form == Uniforms.Form.UNIT ? DOUBLES : INTS;
    switch (form) {
      case BITS -> words(code, "LSHR", BINARY, 8);
      case ORDERED -> words(code, "XOR", ASSOCIATIVE, Integer.MIN_VALUE);
      case UNIT -> units(code);
    }
    Generated.push(code, 1, Generated.SEGMENT).lload(OUT).loadConstant((long) offset).ladd();
    Generated.push(code, 2, Generated.ORDER)
        .invokevirtual(
            type,
            "intoMemorySegment",
            MethodTypeDesc.of(CD_void, Generated.SEGMENT, CD_long, Generated.ORDER));
  }

  private static void words(CodeBuilder code, String name, ClassDesc kind, int operand) {
    code.invokevirtual(LONGS, "reinterpretAsInts", MethodTypeDesc.of(INTS));
    operator(code, name, kind)
        .loadConstant(operand)
        .invokevirtual(INTS, "lanewise", MethodTypeDesc.of(INTS, BINARY, CD_int));
  }

  /** {@code ((v >>> 43 | UPPER) − (UPPER + LOWER) + (v >>> 11 & LOW | LOWER)) · 2⁻⁵³}, of doubles. */
  private static void units(CodeBuilder code) {
    code.astore(UNITS);
    shifted(code, UNITS, "LSHR", 43);
    below(code, UPPER);
    code.loadConstant(UPPER + LOWER)
        .invokevirtual(DOUBLES, "sub", MethodTypeDesc.of(DOUBLES, CD_double));
    shifted(code, UNITS, "LSHR", 11);
    low(code);
    below(code, LOWER);
    code.invokevirtual(DOUBLES, "add", MethodTypeDesc.of(DOUBLES, VECTOR))
        .loadConstant(0x1p-53)
        .invokevirtual(DOUBLES, "mul", MethodTypeDesc.of(DOUBLES, CD_double));
  }

  /** Bits below an exponent, as a double. */
  private static void below(CodeBuilder code, double exponent) {
    operator(code, "OR", ASSOCIATIVE).loadConstant(Double.doubleToLongBits(exponent));
    lanewise(code, CD_long);
    code.invokevirtual(LONGS, "reinterpretAsDoubles", MethodTypeDesc.of(DOUBLES));
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
