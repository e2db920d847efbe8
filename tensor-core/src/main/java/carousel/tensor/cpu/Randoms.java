package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Uniforms;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Distribution;
import java.util.function.IntConsumer;

/** Fills with random numbers: element i is {@link Distribution#sample} of i, whoever computes it. */
final class Randoms {
  /** Elements per task; a multiple of what {@link Uniforms#BLOCKS} Philox blocks give. */
  private static final int GRAIN = 8192;

  private static final int PER_BLOCK = 4;
  private static final double UNIT = 0x1p-24;

  private final Table table;

  Randoms(Table table) {
    this.table = table;
  }

  void fill(Distribution distribution, long seed, long counter, Tensor y) {
    DType type = y.dtype();
    Element element = Element.of(type);
    if (distribution == Distribution.UNIFORM) {
      Loop toType = table.cast(DType.I32, type);
      Loop mul = table.binary(Binary.MUL, type);
      each(
          y,
          (first, n, at) -> {
            long bits = bits(seed, counter, first, n);
            toType.run(bits, 1, bits, 1, bits, 1, at, n);
            long unit = splat(element, UNIT);
            mul.run(at, 1, unit, 0, at, 1, at, n);
          });
    } else {
      each(
          y,
          (first, n, at) -> {
            for (int i = 0; i < n; i++) {
              element.set(
                  at + (long) i * element.size(), distribution.sample(seed, counter, first + i));
            }
          });
    }
  }

  /** {@code y_i = 1} where the uniform number of i is below a probability, else 0. */
  void below(double probability, long seed, long counter, Tensor y) {
    Element whole = Element.of(DType.I32);
    // Of the numbers k/2²⁴ just those with k below this; the comparison is of F32 numbers.
    double limit = Math.ceil((float) probability / UNIT);
    Loop less = table.binary(Binary.LT, DType.I32);
    each(
        y,
        (first, n, at) -> {
          long bits = bits(seed, counter, first, n);
          long bound = splat(whole, limit);
          less.run(bits, 1, bound, 0, bits, 1, at, n);
        });
  }

  /** What is done with n elements from the first on, which lie at an address. */
  @FunctionalInterface
  private interface Piece {
    void run(long first, int n, long at);
  }

  private static void each(Tensor y, Piece piece) {
    long size = y.size();
    long address = y.address();
    int bytes = y.dtype().bytes();
    IntConsumer task =
        k -> {
          long first = (long) k * GRAIN;
          piece.run(first, (int) Math.min(size - first, GRAIN), address + first * bytes);
        };
    Workers.parallel(Math.toIntExact(Math.ceilDiv(size, GRAIN)), task);
  }

  /** The 24 bits of n elements, in this thread's buffer behind room for a splat. */
  private long bits(long seed, long counter, long first, int n) {
    int blocks = Math.ceilDiv(n, PER_BLOCK * Uniforms.BLOCKS) * Uniforms.BLOCKS;
    long buffer =
        Scratch.ofThread().address(Loop.SPLAT_BYTES + 4L * PER_BLOCK * blocks) + Loop.SPLAT_BYTES;
    table.uniforms().run(seed, counter + first / PER_BLOCK, blocks, buffer);
    return buffer;
  }

  private static long splat(Element element, double value) {
    long at = Scratch.ofThread().address(Loop.SPLAT_BYTES);
    element.set(at, value);
    Bytes.splat(at, element.size(), at, Loop.SPLAT_BYTES / element.size());
    return at;
  }
}
