package carousel.tensor.cpu.row;

import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.row.RowProgram.Room;
import carousel.tensor.host.Bytes;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * One run of a program over rows. Tasks are cut by size: some rows each, or some columns of them. The
 * last vector of a row overlaps the one before, rather than being shorter: what it computes again
 * comes out the same. Only rows shorter than a vector are copied aside.
 *
 * <p>Sums over rows are taken in the order of the rows within a task, and then in the order of the
 * tasks, in double precision, with what that rounds away.
 */
final class RowRun implements IntConsumer {
  /** Work of a task, in columns times bytes of code; some microseconds. */
  private static final int WORK = 8_000_000;

  private static final int LEAST_COLUMNS = 2048;
  private static final int MOST_COLUMNS = 65_536;

  /** Rows of a task that sums: many, so that partial sums are few; not so many that digits are lost. */
  private static final int LEAST_SUMMED = 64;

  private static final int MOST_SUMMED = 256;

  private static final Object[] NO_ARRAYS = {};
  private static final int[] NO_OFFSETS = {};

  private final RowProgram program;
  private final int lanes;
  private final int size;

  /** Of each place, its first row, and from a row to the next. */
  private final long[] firsts;

  private final long[] steps;
  private final boolean[] written;
  private long rows;
  private long width;
  private long rowsPerTask = 1;
  private int columnTasks = 1;
  private long sums;

  /**
   * A run; places are given to it before {@link #cut}.
   *
   * @param width columns of a block
   * @param lanes elements of a vector
   * @param size bytes of an element
   */
  RowRun(RowProgram program, long rows, int width, int lanes, int size) {
    this.program = program;
    this.rows = rows;
    this.width = width;
    this.lanes = lanes;
    this.size = size;
    int count = program.places().size();
    this.firsts = new long[count];
    this.steps = new long[count];
    this.written = new boolean[count];
  }

  /** Gives a place that is read. */
  void read(int place, long first, long step) {
    firsts[place] = first;
    steps[place] = step;
  }

  /** Gives a place that is written; one that is not given is computed for nothing. */
  void write(int place, long first, long step) {
    read(place, first, step);
    written[place] = true;
  }

  /** Cuts the work into tasks. Returns the bytes of memory that its sums take. */
  long cut() {
    if (isOneRow()) {
      width *= rows;
      rows = 1;
    }
    long grain = Math.clamp(WORK / Math.max(1, program.bytes()), LEAST_COLUMNS, MOST_COLUMNS);
    rowsPerTask = Math.max(1, grain / width);
    if (program.sums() > 0) {
      rowsPerTask = Math.clamp(rowsPerTask, LEAST_SUMMED, MOST_SUMMED);
    }
    long columns = Math.min(rows, rowsPerTask) * width;
    long tasks = Math.clamp(Math.ceilDiv(columns, grain), 1, Math.max(1, vectors()));
    columnTasks = Math.toIntExact(tasks);
    return program.sums() * rowTasks() * sumColumns() * size;
  }

  /** Whether all rows lie one after the other, in all places; those of a sum are one row, and do not. */
  private boolean isOneRow() {
    for (int p = 0; p < steps.length; p++) {
      boolean own = program.places().get(p).room() == Room.TEMPORARY;
      if (!own && steps[p] != width * size) {
        return false;
      }
    }
    return true;
  }

  /** Whole vectors of a row. */
  private long vectors() {
    return width / lanes;
  }

  private long rowTasks() {
    return Math.ceilDiv(rows, rowsPerTask);
  }

  /** Columns of a partial sum: whole vectors, and the one that overlaps. */
  private long sumColumns() {
    return (vectors() + 1) * lanes;
  }

  /** Runs; {@code memory} is for the sums. */
  void run(long memory) {
    sums = memory;
    Bytes.clear(memory, program.sums() * rowTasks() * sumColumns() * size);
    Workers.parallel(Math.toIntExact(rowTasks() * columnTasks), this);
  }

  /** Where the sums of a task lie. */
  private long sum(long rowTask, int index) {
    return sums + (rowTask * program.sums() + index) * sumColumns() * size;
  }

  /** Adds the sums of all rows up, of every column. */
  void total(int index, double[] columns) {
    int whole = (int) (vectors() == 0 ? width : vectors() * lanes);
    long overlap = vectors() * lanes - (width - lanes); // of the last vector with the one before
    double[] lost = new double[columns.length];
    for (long task = 0; task < rowTasks(); task++) {
      long at = sum(task, index);
      add(at, columns, lost, 0, whole);
      add(at + overlap * size, columns, lost, whole, (int) width);
    }
    Arrays.setAll(columns, c -> Totals.joined(columns[c], lost[c]));
  }

  private void add(long at, double[] columns, double[] lost, int from, int to) {
    for (int c = from; c < to; c++) {
      double part = size == Float.BYTES ? Bytes.f32(at + 4L * c) : Bytes.f64(at + 8L * c);
      double sum = columns[c] + part;
      lost[c] += Totals.roundedAway(columns[c], part, sum);
      columns[c] = sum;
    }
  }

  @Override
  public void accept(int task) {
    long rowTask = task / columnTasks;
    long begin = rowTask * rowsPerTask;
    long end = Math.min(rows, begin + rowsPerTask);
    long[] at = new long[firsts.length];
    if (vectors() == 0) {
      narrow(rowTask, begin, end, at);
      return;
    }
    int part = task % columnTasks;
    long from = vectors() * part / columnTasks * lanes;
    long to = vectors() * (part + 1) / columnTasks * lanes;
    boolean tail = part == columnTasks - 1 && to < width;
    long[] bases = bases(rowTask, from, to + lanes);
    for (long row = begin; row < end; row++) {
      for (RowProgram.Pass loop : program.loops()) {
        int[] slots = loop.slots();
        for (int i = 0; i < slots.length; i++) {
          at[i] = bases[slots[i]] + row * steps[slots[i]] + from * size;
        }
        run(loop, at, (int) ((to - from) / lanes));
        if (tail) {
          for (int i = 0; i < slots.length; i++) {
            boolean summed = program.places().get(slots[i]).room() == Room.SUM;
            at[i] += ((summed ? to : width - lanes) - from) * size;
          }
          run(loop, at, 1);
        }
      }
    }
  }

  /** Where column 0 of each place would be; what is the task's own has columns {@code from} to {@code to}. */
  private long[] bases(long rowTask, long from, long to) {
    long own = (to - from) * size;
    long scratch = Scratch.ofThread().address((program.temporaries() + 1L) * own);
    long[] bases = firsts.clone();
    for (int p = 0; p < bases.length; p++) {
      RowProgram.Place place = program.places().get(p);
      if (place.room() == Room.SUM) {
        bases[p] = sum(rowTask, place.index());
      } else if (place.room() == Room.TEMPORARY) {
        bases[p] = scratch + (1 + place.index()) * own - from * size;
      } else if (bases[p] == 0) {
        bases[p] = scratch - from * size; // computed for nothing
      }
    }
    return bases;
  }

  /** Rows that do not fill a vector; what is computed in the rest of it, of whatever is there, is not read. */
  private void narrow(long rowTask, long begin, long end, long[] at) {
    int count = firsts.length;
    long scratch = Scratch.ofThread().address((long) count * Loop.SPLAT_BYTES);
    long[] own = new long[count];
    for (int p = 0; p < count; p++) {
      RowProgram.Place place = program.places().get(p);
      own[p] =
          place.room() == Room.SUM
              ? sum(rowTask, place.index())
              : scratch + (long) p * Loop.SPLAT_BYTES;
    }
    for (long row = begin; row < end; row++) {
      for (int p = 0; p < count; p++) {
        if (firsts[p] != 0 && !written[p]) {
          Bytes.copy(firsts[p] + row * steps[p], own[p], width * size);
        }
      }
      for (RowProgram.Pass loop : program.loops()) {
        for (int i = 0; i < loop.slots().length; i++) {
          at[i] = own[loop.slots()[i]];
        }
        run(loop, at, 1);
      }
      for (int p = 0; p < count; p++) {
        if (firsts[p] != 0 && written[p]) {
          Bytes.copy(own[p], firsts[p] + row * steps[p], width * size);
        }
      }
    }
  }

  private void run(RowProgram.Pass loop, long[] at, int n) {
    loop.code().run(at, (long) lanes * size, NO_ARRAYS, NO_OFFSETS, 0, n);
  }
}
