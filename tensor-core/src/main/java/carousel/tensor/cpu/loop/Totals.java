package carousel.tensor.cpu.loop;

import carousel.tensor.host.Bytes;

/**
 * Sums of very many terms, one for each element of a matrix, that are joined from the sums of <em>runs</em>
 * of terms. A run is summed in one chain, or in a few, and rounds as often as it has terms; a total of a
 * hundred thousand runs that were added one after the other would round a hundred thousand times more. So what
 * each of these additions rounds away is kept beside the total (Knuth's TwoSum; Ogita, Rump and Oishi 2005),
 * and added at the end:
 *
 * <pre>|error| ≤ (length of a run) u Σ|terms| + u |sum| + (number of runs)² u² Σ|terms|</pre>
 *
 * <p>where u is half a unit in the last place of 1. It takes two numbers beside each element. Runs are long
 * enough for what joining costs to be nothing beside them, and whoever has only one run does not come here.
 */
public final class Totals {
  /** Elements that one task joins. */
  private static final int GRAIN = 16_384;

  private final int size;
  private final int rows;
  private final int columns;
  private final long sums;
  private final long lost;

  /**
   * Totals of zero.
   *
   * @param memory {@link #bytes} bytes, which this uses until it is dropped
   * @param size of an element, a float or a double
   */
  public Totals(long memory, int size, int rows, int columns) {
    this.size = size;
    this.rows = rows;
    this.columns = columns;
    this.sums = memory;
    this.lost = memory + (long) rows * columns * size;
    Bytes.clear(memory, bytes(size, rows, columns));
  }

  /** The memory that totals take. */
  public static long bytes(int size, int rows, int columns) {
    return 2L * rows * columns * size;
  }

  /** Adds the sums of a run; rows of contiguous elements, {@code partRow} bytes apart. */
  public void add(long part, long partRow) {
    long width = (long) columns * size;
    each(row -> add(size, part + row * partRow, sums + row * width, lost + row * width, columns));
  }

  /** Writes the totals. */
  public void end(long out, long outRow) {
    long width = (long) columns * size;
    each(row -> end(size, sums + row * width, lost + row * width, out + row * outRow, columns));
  }

  /** What is done with a row. */
  @FunctionalInterface
  private interface Row {
    void at(long row);
  }

  private void each(Row body) {
    int perTask = Math.max(1, GRAIN / Math.max(1, columns));
    Workers.parallel(
        Math.ceilDiv(rows, perTask),
        task -> {
          long end = Math.min(rows, (task + 1L) * perTask);
          for (long row = (long) task * perTask; row < end; row++) {
            body.at(row);
          }
        });
  }

  /** {@code sum + lost += part}, n contiguous elements of each. */
  public static void add(int size, long part, long sum, long lost, int n) {
    if (size == Float.BYTES) {
      for (long i = 0; i < 4L * n; i += 4) {
        float x = Bytes.f32(part + i);
        float before = Bytes.f32(sum + i);
        float after = before + x;
        float rest = after - before;
        float error = before - (after - rest) + (x - rest);
        Bytes.f32(sum + i, after);
        Bytes.f32(lost + i, Bytes.f32(lost + i) + error);
      }
    } else {
      for (long i = 0; i < 8L * n; i += 8) {
        double x = Bytes.f64(part + i);
        double before = Bytes.f64(sum + i);
        double after = before + x;
        Bytes.f64(sum + i, after);
        Bytes.f64(lost + i, Bytes.f64(lost + i) + roundedAway(before, x, after));
      }
    }
  }

  /** What {@code a + b = sum} rounded away; NaN beside an infinity. */
  public static double roundedAway(double a, double b, double sum) {
    double rest = sum - a;
    return a - (sum - rest) + (b - rest);
  }

  /** A sum and what it lost: beside an infinity, where that is NaN, the sum. */
  public static double joined(double sum, double lost) {
    return Double.isNaN(lost) ? sum : sum + lost;
  }

  /** {@code out = sum + lost}, n contiguous elements of each. */
  public static void end(int size, long sum, long lost, long out, int n) {
    if (size == Float.BYTES) {
      for (long i = 0; i < 4L * n; i += 4) {
        float total = Bytes.f32(sum + i);
        float rest = Bytes.f32(lost + i);
        Bytes.f32(out + i, Float.isNaN(rest) ? total : total + rest);
      }
    } else {
      for (long i = 0; i < 8L * n; i += 8) {
        Bytes.f64(out + i, joined(Bytes.f64(sum + i), Bytes.f64(lost + i)));
      }
    }
  }
}
