package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.WholeNumbers;
import carousel.tensor.spi.Memory;

/** Operations on every line along one axis: softmax, cumulative sums, sorting. */
final class LineLoops {
  private final Table table;
  private final ElementwiseLoops elementwise;
  private final Memory memory;

  LineLoops(Table table, ElementwiseLoops elementwise, Memory memory) {
    this.table = table;
    this.elementwise = elementwise;
    this.memory = memory;
  }

  /** The order of axes that brings one to the end. */
  static int[] last(int axis, int rank) {
    int[] order = new int[rank];
    for (int k = 0; k < rank - 1; k++) {
      order[k] = k < axis ? k : k + 1;
    }
    order[rank - 1] = axis;
    return order;
  }

  /** What is done with one line, or one line each of two operands. */
  @FunctionalInterface
  interface Line {
    void run(long x, long y);
  }

  /** Visits the lines along the last axis of two operands of one shape, several per task. */
  static void each(Strided x, Strided y, int grain, Line line) {
    if (x.count() == 0) {
      return;
    }
    int outer = x.dims().length - 1;
    int n = x.dims()[outer];
    long lines = x.count() / n;
    long perTask = Math.max(1, grain / n);
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(lines, perTask)),
        task -> {
          for (long i = task * perTask; i < Math.min(lines, (task + 1) * perTask); i++) {
            line.run(x.row(i, outer), y.row(i, outer));
          }
        });
  }

  /** {@code y = e^(x − max) / Σ e^(x − max)} along an axis, or its logarithm. */
  void softmax(boolean log, Tensor xTensor, int axis, Tensor yTensor) {
    if (xTensor.size() == 0) {
      return;
    }
    DType type = xTensor.dtype();
    int[] order = last(axis, xTensor.rank());
    Strided x = Strided.of(xTensor).permute(order);
    Strided y = Strided.of(yTensor).permute(order);
    int inner = x.dims().length - 1;
    int n = x.dims()[inner];
    var powers = new Powers(table, type);
    if (n == 1 || (x.strides()[inner] == x.size() && y.strides()[inner] == y.size())) {
      each(x, y, Table.COSTLY, (from, to) -> softmax(log, type, powers, from, to, n));
      return;
    }
    try (var copy = new TemporaryCopy(memory, "softmax", x)) {
      elementwise.copy(x, type, copy.strided(), type);
      Strided lines = copy.strided();
      each(lines, lines, Table.COSTLY, (from, to) -> softmax(log, type, powers, from, to, n));
      elementwise.copy(lines, type, y, type);
    }
  }

  private void softmax(boolean log, DType type, Powers powers, long x, long y, int n) {
    double max = powers.max(x, n);
    double sum = powers.run(x, n, max, 1, log ? 0 : y);
    if (log) {
      // In two steps: max + ln Σ would round away a small logarithm beside a large maximum.
      double logOfSum = powers.log(x, n, max, sum);
      scalar(Binary.SUB, type, x, max, y, n);
      scalar(Binary.SUB, type, y, logOfSum, y, n);
    } else {
      scalar(Binary.MUL, type, y, 1 / sum, y, n);
    }
  }

  /** {@code y = op(x, value)}. */
  private void scalar(Binary op, DType type, long x, double value, long y, int n) {
    long splat = Scratch.ofThread().address(Loop.SPLAT_BYTES);
    var element = Element.of(type);
    element.set(splat, value);
    Bytes.splat(splat, element.size(), splat, Loop.SPLAT_BYTES / element.size());
    table.binary(op, type).run(x, 1, splat, 0, x, 1, y, n);
  }

  /**
   * {@code y_i = Σ_{j ≤ i} x_j} along an axis, summed in double precision, what each addition rounds away
   * beside it: of F64, too, an element is off by little more than its own rounding, however many came before.
   */
  void cumsum(Tensor xTensor, int axis, Tensor yTensor) {
    int[] order = last(axis, xTensor.rank());
    Strided x = Strided.of(xTensor).permute(order);
    Strided y = Strided.of(yTensor).permute(order);
    int inner = x.dims().length - 1;
    int n = x.dims()[inner];
    long xStep = x.strides()[inner];
    long yStep = y.strides()[inner];
    if (xTensor.dtype() == DType.I32) {
      each(x, y, Table.COSTLY, (from, to) -> wholeSums(from, xStep, to, yStep, n));
    } else {
      var element = Element.of(xTensor.dtype());
      each(x, y, Table.COSTLY, (from, to) -> sums(element, from, xStep, to, yStep, n));
    }
  }

  private static void wholeSums(long x, long xStep, long y, long yStep, int n) {
    long sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Bytes.i32(x + i * xStep);
      Bytes.i32(y + i * yStep, WholeNumbers.fitting("cumsum", sum));
    }
  }

  private static void sums(Element element, long x, long xStep, long y, long yStep, int n) {
    double sum = 0;
    double lost = 0;
    for (int i = 0; i < n; i++) {
      double term = element.get(x + i * xStep);
      double next = sum + term;
      lost += Totals.roundedAway(sum, term, next);
      sum = next;
      element.set(y + i * yStep, Totals.joined(sum, lost));
    }
  }

  /** Sorts along an axis, stably; NaN is the greatest value. */
  void sort(Tensor xTensor, int axis, boolean descending, Tensor values, Tensor indices) {
    int[] order = last(axis, xTensor.rank());
    Strided x = Strided.of(xTensor).permute(order);
    Strided y = Strided.of(values).permute(order);
    Strided origins = Strided.of(indices).permute(order);
    if (x.count() == 0) {
      return;
    }
    int inner = x.dims().length - 1;
    int n = x.dims()[inner];
    var element = Element.of(xTensor.dtype());
    Workers.parallel(
        Math.toIntExact(x.count() / n),
        line -> {
          long from = x.row(line, inner);
          long to = y.row(line, inner);
          long into = origins.row(line, inner);
          long[] keys = new long[n];
          for (int i = 0; i < n; i++) {
            long key = StableSort.key(element.get(from + i * x.strides()[inner]));
            keys[i] = descending ? ~key : key;
          }
          int[] sorted = StableSort.of(keys);
          for (int i = 0; i < n; i++) {
            long source = from + sorted[i] * x.strides()[inner];
            Element.move(element.size(), source, to + i * y.strides()[inner]);
            Bytes.i32(into + i * origins.strides()[inner], sorted[i]);
          }
        });
  }
}
