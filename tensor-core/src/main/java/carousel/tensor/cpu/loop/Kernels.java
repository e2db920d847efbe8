package carousel.tensor.cpu.loop;

import carousel.tensor.DType;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import org.jspecify.annotations.Nullable;

/**
 * The inner loops of the CPU, all of them over contiguous memory. There are two families: loops on
 * the Vector API, and scalar ones made from the rows' definitions.
 */
public interface Kernels {
  /** What computes, e.g. {@code Vector API, 512 bits}. */
  String description();

  /** {@code out = op(x)}; the element types are those of the row. */
  Loop unary(Unary op, DType type);

  /** {@code out = op(x, y)}. */
  Loop binary(Binary op, DType type);

  /** {@code out = op(x, y, z)}; {@code type} is that of y and z. */
  Loop ternary(Ternary op, DType type);

  /** {@code out = x}, converted as {@link carousel.tensor.spi.Backend#copy} says. */
  Loop cast(DType from, DType to);

  /** {@code out = y + x} with x in F32, y and out in F64: the column sums of F32. */
  Loop accumulate();

  /** Σ x, in double precision, of I32 exact for so few that a double holds it. */
  Fold sum(DType type);

  /** Π x, in double precision; of I32 {@link carousel.tensor.op.WholeNumbers#product}. */
  Fold product(DType type);

  /** Σ x², in double precision. */
  Fold squares(DType type);

  /** The greatest element, NaN if there is one. */
  Fold max(DType type);

  /** The smallest element, NaN if there is one. */
  Fold min(DType type);

  /** {@code factor · e^(x − max)}, and the sum of the powers; F32 and F64. */
  Exponentials exponentials(DType type);

  /** The random bits of uniform numbers. */
  Uniforms uniforms(Uniforms.Form form);

  /** Tiles of the matrix product; F32 and F64. */
  Tiles tiles(DType type);

  /** Bytes of code that a row takes in a {@link #pointwise} loop of F32 or F64. */
  int size(Op op, DType type);

  /** The loop of a program of F32 or F64; null if it has a row that these kernels cannot splice. */
  Pointwise.@Nullable Executable pointwise(Pointwise program, DType type);

  /** Transposition of square blocks of elements of 4 or 8 bytes. */
  Transpose transpose(int elementSize);
}
