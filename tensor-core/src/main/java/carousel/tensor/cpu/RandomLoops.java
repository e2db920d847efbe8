package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Uniforms;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Chance;
import carousel.tensor.op.Distribution;
import java.util.function.IntConsumer;

/** Fills with random numbers: element i is {@link Distribution#sample} of i, whoever computes it. */
final class RandomLoops {
  /** Elements per task; a multiple of what {@link Uniforms#BLOCKS} Philox blocks give. */
  private static final int GRAIN = 8192;

  private static final int PER_BLOCK = 4;
  private static final double UNIT = 0x1p-24;
  private static final long ROOM = GRAIN + Loop.SPLAT_BYTES;

  private final Table table;

  RandomLoops(Table table) {
    this.table = table;
  }

  void fill(Distribution distribution, long seed, long counter, Tensor y) {
    DType type = y.dtype();
    var element = Element.of(type);
    if (distribution == Distribution.NORMAL) {
      each(
          y,
          (first, n, at) -> {
            for (int i = 0; i < n; i++) {
              element.set(
                  at + (long) i * element.size(),
                  distribution.sample(type, seed, counter, first + i));
            }
          });
    } else if (type == DType.F64) {
      each(
          y,
          (first, n, at) -> {
            long units = blocks(Uniforms.Form.UNIT, 2, seed, counter, first, n);
            Bytes.copy(units, at, 8L * n);
          });
    } else {
      Loop toType = table.cast(DType.I32, type);
      Loop mul = table.binary(Binary.MUL, type);
      each(
          y,
          (first, n, at) -> {
            long bits = blocks(Uniforms.Form.BITS, PER_BLOCK, seed, counter, first, n);
            toType.run(bits, 1, bits, 1, bits, 1, at, n);
            long unit = splat(element, UNIT);
            mul.run(at, 1, unit, 0, at, 1, at, n);
          });
    }
  }

  /** {@code y_i = 1} where a {@link Chance} hits, else 0. */
  void below(double probability, long seed, long counter, Tensor y) {
    var chance = Chance.of(probability);
    if (chance.isCertain()) {
      each(y, (first, n, at) -> Bytes.ALL.asSlice(at, n).fill((byte) 1));
      return;
    }
    var whole = Element.of(DType.I32);
    int upper = (int) chance.upper() ^ Integer.MIN_VALUE;
    Loop less = table.binary(Binary.LT, DType.I32);
    Loop same = table.binary(Binary.EQ, DType.I32);
    each(
        y,
        (first, n, at) -> {
          long words = blocks(Uniforms.Form.ORDERED, PER_BLOCK, seed, counter, first, n);
          long bound = splat(whole, upper);
          less.run(words, 1, bound, 0, words, 1, at, n);
          if (chance.lower() > 0) {
            // One in 2³² has the upper bits of the probability, and needs more than 32.
            long ties = words - Loop.SPLAT_BYTES - GRAIN;
            same.run(words, 1, bound, 0, words, 1, ties, n);
            for (int i = nextSet(ties, 0, n); i < n; i = nextSet(ties, i + 1, n)) {
              Bytes.i8(at + i, (byte) (chance.hits(seed, counter, first + i) ? 1 : 0));
            }
          }
        });
  }

  /** The first position from one on whose byte is not 0, else n. */
  private static int nextSet(long bytes, int from, int n) {
    int i = from;
    while (i < n && Bytes.i8(bytes + i) == 0) {
      i += i % 8 == 0 && i + 8 <= n && Bytes.i64(bytes + i) == 0 ? 8 : 1;
    }
    return i;
  }

  /** What is done with n elements from the first on, which lie at an address. */
  @FunctionalInterface
  private interface Piece {
    void run(long first, int n, long at);
  }

  private static void each(Tensor y, Piece piece) {
    long size = y.size();
    long address = Engine.address(y);
    int bytes = y.dtype().bytes();
    IntConsumer task =
        k -> {
          long first = (long) k * GRAIN;
          piece.run(first, (int) Math.min(size - first, GRAIN), address + first * bytes);
        };
    Workers.parallel(Math.toIntExact(Math.ceilDiv(size, GRAIN)), task);
  }

  /** The blocks of n elements, in this thread's buffer behind room for a byte each and a splat. */
  private long blocks(
      Uniforms.Form form, int perBlock, long seed, long counter, long first, int n) {
    int blocks = Math.ceilDiv(n, perBlock * Uniforms.BLOCKS) * Uniforms.BLOCKS;
    long buffer = Scratch.ofThread().address(ROOM + 16L * blocks) + ROOM;
    table.uniforms(form).run(seed, counter + first / perBlock, blocks, buffer);
    return buffer;
  }

  private static long splat(Element element, double value) {
    long at = Scratch.ofThread().address(ROOM) + GRAIN;
    element.set(at, value);
    Bytes.splat(at, element.size(), at, Loop.SPLAT_BYTES / element.size());
    return at;
  }
}
