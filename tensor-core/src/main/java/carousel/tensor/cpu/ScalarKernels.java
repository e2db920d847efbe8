package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Transpose;
import carousel.tensor.cpu.loop.Uniforms;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.op.WholeNumbers;
import java.nio.ByteOrder;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Loops over the rows' scalar definitions, for machines and rows without vector code. */
public final class ScalarKernels implements Kernels {
  private final Tiles f32 = new ScalarTiles(false);
  private final Tiles f64 = new ScalarTiles(true);

  /** The scalar loops. */
  public ScalarKernels() {}

  @Override
  public String description() {
    return "scalar loops";
  }

  @Override
  public Loop unary(Unary op, DType type) {
    if (type == DType.F32 && op.result(type) == DType.F32) {
      return (x, xStep, y, yStep, z, zStep, out, n) -> {
        for (int i = 0; i < n; i++) {
          Bytes.f32(out + 4L * i, (float) op.scalar(Bytes.f32(x + 4L * i * xStep)));
        }
      };
    }
    var to = Element.of(op.result(type));
    if (type == DType.I32) {
      return (x, xStep, y, yStep, z, zStep, out, n) -> {
        for (int i = 0; i < n; i++) {
          to.set(out + (long) i * to.size(), op.scalar(Bytes.i32(x + 4L * i * xStep)));
        }
      };
    }
    var from = Element.of(type);
    return (x, xStep, y, yStep, z, zStep, out, n) -> {
      for (int i = 0; i < n; i++) {
        double value = from.get(x + (long) i * xStep * from.size());
        to.set(out + (long) i * to.size(), op.scalar(value));
      }
    };
  }

  @Override
  public Loop binary(Binary op, DType type) {
    if (type == DType.F32 && op.result(type) == DType.F32) {
      return (x, xStep, y, yStep, z, zStep, out, n) -> {
        for (int i = 0; i < n; i++) {
          double value = op.scalar(Bytes.f32(x + 4L * i * xStep), Bytes.f32(y + 4L * i * yStep));
          Bytes.f32(out + 4L * i, (float) value);
        }
      };
    }
    var to = Element.of(op.result(type));
    if (type == DType.I32) {
      return (x, xStep, y, yStep, z, zStep, out, n) -> {
        for (int i = 0; i < n; i++) {
          int value = op.scalar(Bytes.i32(x + 4L * i * xStep), Bytes.i32(y + 4L * i * yStep));
          to.set(out + (long) i * to.size(), value);
        }
      };
    }
    var from = Element.of(type);
    return (x, xStep, y, yStep, z, zStep, out, n) -> {
      for (int i = 0; i < n; i++) {
        double a = from.get(x + (long) i * xStep * from.size());
        double b = from.get(y + (long) i * yStep * from.size());
        to.set(out + (long) i * to.size(), op.scalar(a, b));
      }
    };
  }

  @Override
  public Loop ternary(Ternary op, DType type) {
    if (type == DType.F32 && op != Ternary.WHERE) {
      return (x, xStep, y, yStep, z, zStep, out, n) -> {
        for (int i = 0; i < n; i++) {
          float a = Bytes.f32(x + 4L * i * xStep);
          float b = Bytes.f32(y + 4L * i * yStep);
          Bytes.f32(out + 4L * i, op.scalar(a, b, Bytes.f32(z + 4L * i * zStep)));
        }
      };
    }
    var first = Element.of(op == Ternary.WHERE ? DType.BOOL : type);
    var rest = Element.of(type);
    return (x, xStep, y, yStep, z, zStep, out, n) -> {
      for (int i = 0; i < n; i++) {
        double a = first.get(x + (long) i * xStep * first.size());
        double b = rest.get(y + (long) i * yStep * rest.size());
        double c = rest.get(z + (long) i * zStep * rest.size());
        rest.set(out + (long) i * rest.size(), op.scalar(a, b, c));
      }
    };
  }

  @Override
  public Loop cast(DType fromType, DType toType) {
    var from = Element.of(fromType);
    var to = Element.of(toType);
    if (fromType == toType) {
      return (x, xStep, y, yStep, z, zStep, out, n) -> {
        if (xStep == 1) {
          Bytes.copy(x, out, (long) n * from.size());
        } else {
          Bytes.splat(x, from.size(), out, n);
        }
      };
    }
    return (x, xStep, y, yStep, z, zStep, out, n) -> {
      for (int i = 0; i < n; i++) {
        to.set(out + (long) i * to.size(), from.get(x + (long) i * xStep * from.size()));
      }
    };
  }

  @Override
  public Loop accumulate() {
    return (x, xStep, y, yStep, z, zStep, out, n) -> {
      for (int i = 0; i < n; i++) {
        Bytes.f64(out + 8L * i, Bytes.f64(y + 8L * i * yStep) + Bytes.f32(x + 4L * i * xStep));
      }
    };
  }

  @Override
  public Fold sum(DType type) {
    if (type == DType.I32) {
      return (x, n) -> {
        long sum = 0;
        for (int i = 0; i < n; i++) {
          sum += Bytes.i32(x + 4L * i);
        }
        return sum;
      };
    }
    return compensated(type, value -> value);
  }

  /** Σ f(x) with Kahan's compensation: what the last addition rounded away goes into the next. */
  private static Fold compensated(DType type, DoubleUnaryOperator f) {
    var element = Element.of(type);
    return (x, n) -> {
      double sum = 0;
      double lost = 0;
      for (int i = 0; i < n; i++) {
        double term = f.applyAsDouble(element.get(x + (long) i * element.size())) - lost;
        double next = sum + term;
        lost = next - sum - term;
        sum = next;
        if (Double.isNaN(lost)) {
          // Beside an infinity there is nothing to compensate.
          lost = 0;
        }
      }
      return sum;
    };
  }

  @Override
  public Fold product(DType type) {
    if (type == DType.I32) {
      return (x, n) -> {
        long product = 1;
        for (int i = 0; i < n; i++) {
          product = WholeNumbers.product(product, Bytes.i32(x + 4L * i));
        }
        return product;
      };
    }
    return fold(type, 1, (a, b) -> a * b);
  }

  @Override
  public Fold squares(DType type) {
    return compensated(type, value -> value * value);
  }

  @Override
  public Fold max(DType type) {
    return fold(type, Double.NEGATIVE_INFINITY, Math::max);
  }

  @Override
  public Fold min(DType type) {
    return fold(type, Double.POSITIVE_INFINITY, Math::min);
  }

  private static Fold fold(DType type, double identity, DoubleBinaryOperator step) {
    var element = Element.of(type);
    return (x, n) -> {
      double folded = identity;
      for (int i = 0; i < n; i++) {
        folded = step.applyAsDouble(folded, element.get(x + (long) i * element.size()));
      }
      return folded;
    };
  }

  @Override
  public Exponentials exponentials(DType type) {
    var element = Element.of(type);
    return (x, n, max, factor, out) -> {
      double sum = 0;
      double lost = 0;
      for (int i = 0; i < n; i++) {
        double value = Math.exp(element.get(x + (long) i * element.size()) - max);
        double next = sum + value;
        lost += Totals.roundedAway(sum, value, next);
        sum = next;
        if (out != 0) {
          element.set(out + (long) i * element.size(), factor * value);
        }
      }
      return Totals.joined(sum, lost);
    };
  }

  @Override
  public Uniforms uniforms(Uniforms.Form form) {
    return (seed, block, blocks, out) -> {
      for (int i = 0; i < blocks; i++) {
        for (int half = 0; form == Uniforms.Form.UNIT && half < 2; half++) {
          Element.F64.set(out + 16L * i + 8L * half, Philox.unit(seed, block + i, half));
        }
        for (int index = 0; form != Uniforms.Form.UNIT && index < 4; index++) {
          int word = Philox.word(seed, block + i, index);
          Bytes.i32(
              out + 16L * i + 4L * index,
              form == Uniforms.Form.BITS ? word >>> 8 : word ^ Integer.MIN_VALUE);
        }
      }
    };
  }

  @Override
  public Tiles tiles(DType type) {
    return type == DType.F64 ? f64 : f32;
  }

  @Override
  public int size(Op op, DType type) {
    return 0; // there are no such loops
  }

  @Override
  public Pointwise.@Nullable Executable pointwise(Pointwise program, DType type) {
    return null; // C2 would not make vectors of it: the ops one by one are as fast
  }

  @Override
  public Transpose transpose(int elementSize) {
    return elementSize == 1 ? new ByteTranspose() : new ScalarTranspose(elementSize);
  }

  /**
   * Blocks of 8 × 8 bytes, a row in each of eight longs: in the round of distance d rows i and i + d exchange the
   * bytes that belong to the other (Warren, "Hacker's Delight", 7-3).
   */
  private static final class ByteTranspose implements Transpose {
    private static final long BY_4 = 0x0000_0000_FFFF_FFFFL;
    private static final long BY_2 = 0x0000_FFFF_0000_FFFFL;
    private static final long BY_1 = 0x00FF_00FF_00FF_00FFL;

    @Override
    public int side() {
      return 8;
    }

    /** What two rows exchange, as it lies in the second. */
    private static long exchanged(long x, long y, int bits, long mask) {
      return (x >>> bits ^ y) & mask;
    }

    @Override
    public void run(
        long from, long fromRow, long fromStep, long to, long toRow, long toStep, int blocks) {
      boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
      for (int block = 0; block < blocks; block++, from += fromStep, to += toStep) {
        if (!little) {
          new ScalarTranspose(1).run(from, fromRow, fromStep, to, toRow, toStep, 1);
          continue;
        }
        long a = Bytes.i64(from);
        long b = Bytes.i64(from + fromRow);
        long c = Bytes.i64(from + 2 * fromRow);
        long d = Bytes.i64(from + 3 * fromRow);
        long e = Bytes.i64(from + 4 * fromRow);
        long f = Bytes.i64(from + 5 * fromRow);
        long g = Bytes.i64(from + 6 * fromRow);
        long h = Bytes.i64(from + 7 * fromRow);
        long t = exchanged(a, e, 32, BY_4);
        e ^= t;
        a ^= t << 32;
        t = exchanged(b, f, 32, BY_4);
        f ^= t;
        b ^= t << 32;
        t = exchanged(c, g, 32, BY_4);
        g ^= t;
        c ^= t << 32;
        t = exchanged(d, h, 32, BY_4);
        h ^= t;
        d ^= t << 32;
        t = exchanged(a, c, 16, BY_2);
        c ^= t;
        a ^= t << 16;
        t = exchanged(b, d, 16, BY_2);
        d ^= t;
        b ^= t << 16;
        t = exchanged(e, g, 16, BY_2);
        g ^= t;
        e ^= t << 16;
        t = exchanged(f, h, 16, BY_2);
        h ^= t;
        f ^= t << 16;
        t = exchanged(a, b, 8, BY_1);
        b ^= t;
        a ^= t << 8;
        t = exchanged(c, d, 8, BY_1);
        d ^= t;
        c ^= t << 8;
        t = exchanged(e, f, 8, BY_1);
        f ^= t;
        e ^= t << 8;
        t = exchanged(g, h, 8, BY_1);
        h ^= t;
        g ^= t << 8;
        Bytes.i64(to, a);
        Bytes.i64(to + toRow, b);
        Bytes.i64(to + 2 * toRow, c);
        Bytes.i64(to + 3 * toRow, d);
        Bytes.i64(to + 4 * toRow, e);
        Bytes.i64(to + 5 * toRow, f);
        Bytes.i64(to + 6 * toRow, g);
        Bytes.i64(to + 7 * toRow, h);
      }
    }
  }

  /** Blocks of 8 × 8, element by element. */
  private record ScalarTranspose(int size) implements Transpose {
    @Override
    public int side() {
      return 8;
    }

    @Override
    public void run(
        long from, long fromRow, long fromStep, long to, long toRow, long toStep, int blocks) {
      for (int block = 0; block < blocks; block++, from += fromStep, to += toStep) {
        for (int i = 0; i < 8; i++) {
          for (int j = 0; j < 8; j++) {
            Element.move(
                size, from + i * fromRow + (long) j * size, to + j * toRow + (long) i * size);
          }
        }
      }
    }
  }
}
