package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.host.Bytes;
import java.util.function.IntUnaryOperator;

/**
 * The places that get more terms than one chain should add up. What is added to any other is added at once; at
 * these it is {@link Totals} that take what came together of every {@link #RUN} terms. So no sum rounds more
 * often than one of so many terms, and where none has more there is nothing to do but to count.
 */
final class Crowds {
  /** The most terms of a chain. */
  static final int RUN = 1024;

  private static final Crowds NONE = new Crowds(new int[0], 0);

  /** Of each place: 0, or its number among the crowded, from 1 on. */
  private final int[] numbers;

  private final int count;

  private Crowds(int[] numbers, int count) {
    this.numbers = numbers;
    this.count = count;
  }

  /** The crowded among {@code range} places, of which the i-th of {@code n} terms goes to {@code place(i)}. */
  static Crowds of(int range, int n, IntUnaryOperator place) {
    if (n <= RUN) {
      return NONE;
    }
    int[] numbers = new int[range];
    int count = 0;
    for (int i = 0; i < n; i++) {
      if (++numbers[place.applyAsInt(i)] == RUN + 1) {
        count++;
      }
    }
    if (count == 0) {
      return NONE;
    }
    int next = 1;
    for (int k = 0; k < range; k++) {
      numbers[k] = numbers[k] > RUN ? next++ : 0;
    }
    return new Crowds(numbers, count);
  }

  /** The number of a place among the crowded, from 1 on; 0 if it is none of them. */
  int number(int place) {
    return count == 0 ? 0 : numbers[place];
  }

  /** Totals of contiguous elements at each of the crowded places. */
  final class CrowdTotals {
    private final int size;
    private final int columns;
    private final long memory;
    private final int[] terms = new int[count];

    /**
     * Totals of zero.
     *
     * @param size of an element
     * @param memory {@link #bytes} bytes
     */
    CrowdTotals(int size, int columns, long memory) {
      this.size = size;
      this.columns = columns;
      this.memory = memory;
      Bytes.clear(memory, bytes(size, columns));
    }

    /** A term was added to a row; after the last of a run it goes to the total, and begins again. */
    void added(int number, long row) {
      if (number > 0 && ++terms[number - 1] % RUN == 0) {
        Totals.add(size, row, sum(number), sum(number) + (long) columns * size, columns);
        Bytes.clear(row, (long) columns * size);
      }
    }

    /** Writes the totals; the rows of places are {@code step} bytes apart. */
    void end(long first, long step) {
      for (int place = 0; place < numbers.length; place++) {
        int number = numbers[place];
        if (number > 0) {
          long row = first + place * step;
          long lost = sum(number) + (long) columns * size;
          Totals.add(size, row, sum(number), lost, columns);
          Totals.end(size, sum(number), lost, row, columns);
        }
      }
    }

    private long sum(int number) {
      return memory + (number - 1) * 2L * columns * size;
    }
  }

  /** The memory that totals take. */
  long bytes(int size, int columns) {
    return 2L * count * columns * size;
  }
}
