package carousel.tensor.cpu.vector;

import carousel.tensor.DType;
import carousel.tensor.cpu.ScalarKernels;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Transpose;
import carousel.tensor.cpu.loop.Uniforms;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.lang.foreign.Arena;
import java.util.Objects;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Loops on the Vector API. A row's vector body is the method of its label in the body class of the
 * element type, or in {@link AnyBodies}; a row without one runs on its scalar definition.
 * A body whose name ends in {@code Within} serves arguments up to a limit.
 */
public final class VectorKernels implements Kernels {
  private final Kernels scalar = new ScalarKernels();
  private final VectorShape shape;

  /** Loops on the vectors that this machine prefers. */
  public VectorKernels() {
    this(VectorShape.preferredShape().vectorBitSize());
  }

  /**
   * Loops on vectors of a given size.
   *
   * @param bits 128, 256 or 512
   */
  public VectorKernels(int bits) {
    this.shape = VectorShape.forBitSize(bits);
  }

  @Override
  public String description() {
    return "Vector API, " + shape.vectorBitSize() + " bits";
  }

  @Override
  public Loop unary(Unary op, DType type) {
    Class<?> template =
        op.result(type) == DType.BOOL && type != DType.BOOL
            ? TestTemplate.class
            : UnaryTemplate.class;
    // The tests of floating-point numbers hold or fail for all others alike.
    if (op == Unary.SIN || op == Unary.COS || op == Unary.TAN) {
      return ranged(op, type);
    }
    boolean trivial = (op == Unary.IS_NAN || op == Unary.IS_FINITE) && !type.isFloating();
    Loop loop = trivial ? null : loop(template, type, op.label());
    return loop == null ? scalar.unary(op, type) : loop;
  }

  private Loop ranged(Unary op, DType type) {
    Loop within = loop(UnaryTemplate.class, type, op.label() + "Within");
    return new RangedLoop(
        Objects.requireNonNull(within),
        scalar.unary(op, type),
        F64Angles.LIMIT,
        max(type),
        min(type),
        type);
  }

  @Override
  public Loop binary(Binary op, DType type) {
    Class<?> template = op.isComparison() ? TestTemplate.class : BinaryTemplate.class;
    Loop loop = loop(template, type, op.label());
    return loop == null ? scalar.binary(op, type) : loop;
  }

  @Override
  public Loop ternary(Ternary op, DType type) {
    if (op == Ternary.WHERE) {
      return where(type);
    }
    Loop loop = loop(TernaryTemplate.class, type, op.label());
    return loop == null ? scalar.ternary(op, type) : loop;
  }

  private Loop where(DType type) {
    return Splicer.define(Loop.class, WhereTemplate.class, species(type));
  }

  @Override
  public Loop cast(DType from, DType to) {
    if (from != to && from == DType.BOOL) {
      return fromBool(to);
    }
    if (from != to && to == DType.BOOL) {
      return toBool(from);
    }
    if (from == DType.F32 && to == DType.I32) {
      return spliced(UnaryTemplate.class, BodySource.F32, "toI32", from);
    }
    if (from == DType.I32 && to == DType.F32) {
      return spliced(UnaryTemplate.class, BodySource.I32, "toF32", from);
    }
    return scalar.cast(from, to);
  }

  /** 1 where the mask holds, else 0. */
  private Loop fromBool(DType to) {
    Loop where = where(to);
    long one = constant(to, 1);
    long zero = constant(to, 0);
    return (x, xStep, y, yStep, z, zStep, out, n) -> where.run(x, xStep, one, 0, zero, 0, out, n);
  }

  private Loop toBool(DType from) {
    Loop notEqual = spliced(TestTemplate.class, BodySource.ANY, "ne", from);
    long zero = constant(from, 0);
    return (x, xStep, y, yStep, z, zStep, out, n) ->
        notEqual.run(x, xStep, zero, 0, zero, 0, out, n);
  }

  /** The address of a constant, spread over as many bytes as a loop wants. */
  private static long constant(DType type, int value) {
    long address = Arena.global().allocate(Loop.SPLAT_BYTES, Loop.SPLAT_BYTES).address();
    for (int i = 0; i < Loop.SPLAT_BYTES; i += type.bytes()) {
      switch (type) {
        case F32 -> Bytes.f32(address + i, value);
        case F64 -> Bytes.f64(address + i, value);
        case I32 -> Bytes.i32(address + i, value);
        case BOOL -> Bytes.i8(address + i, (byte) value);
      }
    }
    return address;
  }

  @Override
  public Loop accumulate() {
    return Splicer.define(Loop.class, AccumulateTemplate.class, species(DType.F64));
  }

  @Override
  public Fold sum(DType type) {
    return type.isFloating() ? wide(type, "add", 0) : scalar.sum(type);
  }

  @Override
  public Fold product(DType type) {
    return type.isFloating() ? wide(type, "mul", 1) : scalar.product(type);
  }

  @Override
  public Fold squares(DType type) {
    return wide(type, "addSquare", 0);
  }

  private Fold wide(DType type, String body, double start) {
    return Splicer.define(
        Fold.class, SumTemplate.class, BodySource.ANY, body, species(type), start);
  }

  @Override
  public Fold max(DType type) {
    return type.isFloating() ? new ExtremeLoop(Binary.MAX, species(type), type) : scalar.max(type);
  }

  @Override
  public Fold min(DType type) {
    return type.isFloating() ? new ExtremeLoop(Binary.MIN, species(type), type) : scalar.min(type);
  }

  @Override
  public Exponentials exponentials(DType type) {
    return new ExponentialsLoop(species(type), type);
  }

  @Override
  public Uniforms uniforms(Uniforms.Form form) {
    return PhiloxGenerator.define(VectorSpecies.of(long.class, shape), form);
  }

  @Override
  public Tiles tiles(DType type) {
    return new VectorTiles(species(type));
  }

  @Override
  public int size(Op op, DType type) {
    return PointwiseGenerator.size(op, type == DType.F32 ? BodySource.F32 : BodySource.F64);
  }

  @Override
  public Pointwise.@Nullable Executable pointwise(Pointwise program, DType type) {
    return PointwiseGenerator.define(program, species(type));
  }

  @Override
  public Transpose transpose(int elementSize) {
    if (elementSize == 1) {
      return scalar.transpose(1); // words hold eight of them already
    }
    return TransposeGenerator.define(
        elementSize == 8
            ? VectorSpecies.of(long.class, shape)
            : VectorSpecies.of(int.class, shape));
  }

  private @Nullable Loop loop(Class<?> template, DType type, String body) {
    BodySource own =
        switch (type) {
          case F32 -> BodySource.F32;
          case F64 -> BodySource.F64;
          case I32 -> BodySource.I32;
          case BOOL -> BodySource.ANY;
        };
    BodySource source = own.has(body) ? own : BodySource.ANY;
    return source.has(body) ? spliced(template, source, body, type) : null;
  }

  private Loop spliced(Class<?> template, BodySource source, String body, DType type) {
    return Splicer.define(Loop.class, template, source, body, species(type));
  }

  private VectorSpecies<?> species(DType type) {
    return switch (type) {
      case F32 -> VectorSpecies.of(float.class, shape);
      case F64 -> VectorSpecies.of(double.class, shape);
      case I32 -> VectorSpecies.of(int.class, shape);
      case BOOL -> VectorSpecies.of(byte.class, shape);
    };
  }
}
