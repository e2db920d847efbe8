package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.cpu.Table.FoldKind;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.WholeNumbers;
import org.jspecify.annotations.Nullable;

/**
 * Reductions of contiguous rows. A row is folded in blocks of fixed length whose results are joined
 * in order, so that it makes no difference which thread folds which block.
 */
final class RowFolds {
  private static final int BLOCK = 8_192;

  private final Table table;

  RowFolds(Table table) {
    this.table = table;
  }

  /**
   * Reduces every row of n elements.
   *
   * @param x rows: the first {@code kept} axes say where they begin
   * @param y the results, dense
   */
  void run(Reduce op, DType type, Strided x, int kept, int n, long y) {
    long rows = 1;
    for (int k = 0; k < kept; k++) {
      rows *= x.dims()[k];
    }
    var result = Element.of(op.result(type));
    FoldKind kind = kind(op);
    if (rows == 1 && n > BLOCK && kind != null) {
      result.set(y, joinedInParallel(op, type, kind, x.address(), n));
      return;
    }
    long count = rows;
    long perTask = Math.max(1, BLOCK / n);
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(rows, perTask)),
        task -> {
          for (long row = task * perTask; row < Math.min(count, (task + 1) * perTask); row++) {
            double value = row(op, type, x.row(row, kept), n);
            result.set(y + row * result.size(), value);
          }
        });
  }

  private double row(Reduce op, DType type, long x, int n) {
    FoldKind kind = kind(op);
    if (kind != null) {
      int blocks = Math.ceilDiv(n, BLOCK);
      if (blocks == 1) {
        return finish(op, type, table.fold(kind, type).run(x, n), x, n);
      }
      double[] parts = new double[blocks];
      for (int block = 0; block < blocks; block++) {
        parts[block] = part(kind, type, x, n, block);
      }
      return finish(op, type, join(kind, type, parts), x, n);
    }
    return switch (op) {
      case LOG_SUM_EXP -> logSumExp(type, x, n);
      case ARG_MAX -> position(type, table.fold(FoldKind.MAX, type).run(x, n), x, n);
      case ARG_MIN -> position(type, table.fold(FoldKind.MIN, type).run(x, n), x, n);
      case ANY -> contains(x, n, 1) ? 1 : 0;
      case ALL -> contains(x, n, 0) ? 0 : 1;
      case SUM, MEAN, MAX, MIN, PROD, NORM, WIDE_NORM ->
          throw new AssertionError(op + " is a fold of blocks");
    };
  }

  /** As {@link #row}, to the last bit, but with the blocks shared among threads. */
  private double joinedInParallel(Reduce op, DType type, FoldKind kind, long x, int n) {
    double[] parts = new double[Math.ceilDiv(n, BLOCK)];
    Workers.parallel(parts.length, block -> parts[block] = part(kind, type, x, n, block));
    return finish(op, type, join(kind, type, parts), x, n);
  }

  private double part(FoldKind kind, DType type, long x, int n, int block) {
    int first = block * BLOCK;
    long at = x + (long) first * type.bytes();
    return table.fold(kind, type).run(at, Math.min(BLOCK, n - first));
  }

  /** The fold whose blocks can be joined, if the reduction is one. */
  private static @Nullable FoldKind kind(Reduce op) {
    return switch (op) {
      case SUM, MEAN -> FoldKind.SUM;
      case PROD -> FoldKind.PRODUCT;
      case NORM, WIDE_NORM -> FoldKind.SQUARES;
      case MAX -> FoldKind.MAX;
      case MIN -> FoldKind.MIN;
      case LOG_SUM_EXP, ARG_MAX, ARG_MIN, ANY, ALL -> null;
    };
  }

  private static double join(FoldKind kind, DType type, double[] parts) {
    double joined = parts[0];
    double lost = 0;
    for (int i = 1; i < parts.length; i++) {
      double part = parts[i];
      switch (kind) {
        case MAX -> joined = Math.max(joined, part);
        case MIN -> joined = Math.min(joined, part);
        case PRODUCT ->
            joined =
                type == DType.I32
                    ? WholeNumbers.product((long) joined, (long) part)
                    : joined * part;
        case SUM, SQUARES -> {
          double sum = joined + part;
          lost += Totals.roundedAway(joined, part, sum);
          joined = sum;
        }
      }
    }
    return Totals.joined(joined, lost);
  }

  private double finish(Reduce op, DType type, double folded, long x, int n) {
    return switch (op) {
      case MEAN -> folded / n;
      case NORM, WIDE_NORM -> norm(type, folded, x, n);
      case SUM, PROD ->
          type == DType.I32 ? WholeNumbers.fitting(op.label(), (long) folded) : folded;
      default -> folded;
    };
  }

  /** √Σx²; where the squares of F64 leave the range of numbers, scaled by the greatest. */
  private double norm(DType type, double squares, long x, int n) {
    if (Double.isNaN(squares) || (squares > 1e-280 && squares < Double.POSITIVE_INFINITY)) {
      return Math.sqrt(squares);
    }
    double max =
        Math.max(
            table.fold(FoldKind.MAX, type).run(x, n), -table.fold(FoldKind.MIN, type).run(x, n));
    if (max == 0 || Double.isInfinite(max)) {
      return max;
    }
    var element = Element.of(type);
    double sum = 0;
    double lost = 0;
    for (int i = 0; i < n; i++) {
      double scaled = element.get(x + (long) i * element.size()) / max;
      double next = sum + scaled * scaled;
      lost += Totals.roundedAway(sum, scaled * scaled, next);
      sum = next;
    }
    return max * Math.sqrt(sum + lost);
  }

  private double logSumExp(DType type, long x, int n) {
    var powers = new Powers(table, type);
    double max = powers.max(x, n);
    if (Double.isInfinite(max) || Double.isNaN(max)) {
      return max;
    }
    return max + powers.log(x, n, max, powers.run(x, n, max, 1, 0));
  }

  /** The first position of a value; that of the first NaN if it is NaN. */
  private static double position(DType type, double value, long x, int n) {
    var element = Element.of(type);
    boolean nan = Double.isNaN(value);
    for (int i = 0; i < n; i++) {
      double candidate = element.get(x + (long) i * element.size());
      if (nan ? Double.isNaN(candidate) : candidate == value) {
        return i;
      }
    }
    throw new AssertionError("the extreme " + value + " is not among its elements");
  }

  private static boolean contains(long x, int n, int value) {
    int i = 0;
    long none = value == 1 ? 0 : 0x0101_0101_0101_0101L;
    while (i + 8 <= n && Bytes.i64(x + i) == none) {
      i += 8;
    }
    for (; i < n; i++) {
      if (Bytes.i8(x + i) == value) {
        return true;
      }
    }
    return false;
  }
}
