package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import java.util.function.IntUnaryOperator;

/**
 * Reads and adds at positions given by indices, each checked against its range. Additions to one
 * element come in the order of the indices, on any number of threads; where there are many, see {@link Crowds},
 * and for whole numbers {@link Carries}.
 */
final class IndexLoops {
  /** Elements per task. */
  private static final int GRAIN = 16_384;

  /** Columns per task where whole rows are added. */
  private static final int COLUMNS = 256;

  private IndexLoops() {}

  /** {@code y[.., i, ..] = x[.., index[.., i, ..], ..]}. */
  static void gather(Tensor x, int axis, Tensor index, Tensor y) {
    int range = x.dim(axis);
    new AlongAxis(index, axis)
        .run(
            y,
            x,
            (at, atStep, to, toStep, from, fromStep, n) -> {
              int size = x.dtype().bytes();
              for (int i = 0; i < n; i++) {
                int k = checked("gather", Bytes.i32(at + i * atStep), range);
                Element.move(size, from + k * fromStep, to + i * toStep);
              }
            });
  }

  /** {@code y[.., index[.., i, ..], ..] += source[.., i, ..]}. */
  static void scatterAdd(Tensor y, int axis, Tensor index, Tensor source) {
    int range = y.dim(axis);
    new AlongAxis(index, axis)
        .run(
            source,
            y,
            (at, atStep, from, fromStep, to, toStep, n) -> {
              IntUnaryOperator place =
                  i -> checked("scatterAdd", Bytes.i32(at + i * atStep), range);
              if (y.dtype() == DType.I32) {
                var carries = new Carries();
                for (int i = 0; i < n; i++) {
                  carries.add(to + place.applyAsInt(i) * toStep, from + i * fromStep);
                }
                carries.requireNone("scatterAdd");
                return;
              }
              if (n > Crowds.RUN) {
                addMany(y.dtype(), place, range, from, fromStep, to, toStep, n);
                return;
              }
              for (int i = 0; i < n; i++) {
                add(y.dtype(), to + place.applyAsInt(i) * toStep, from + i * fromStep);
              }
            });
  }

  private static void addMany(
      DType type,
      IntUnaryOperator place,
      int range,
      long from,
      long fromStep,
      long to,
      long toStep,
      int n) {
    var crowds = Crowds.of(range, n, place);
    int size = type.bytes();
    var totals = crowds.new CrowdTotals(size, 1, scratch(crowds.bytes(size, 1)));
    for (int i = 0; i < n; i++) {
      int k = place.applyAsInt(i);
      add(type, to + k * toStep, from + i * fromStep);
      totals.added(crowds.number(k), to + k * toStep);
    }
    totals.end(to, toStep);
  }

  private static long scratch(long bytes) {
    return Scratch.ofThread().address(bytes);
  }

  private static void add(DType type, long to, long from) {
    if (type == DType.F32) {
      Bytes.f32(to, Bytes.f32(to) + Bytes.f32(from));
    } else {
      Bytes.f64(to, Bytes.f64(to) + Bytes.f64(from));
    }
  }

  /** {@code y[o, i, :] = x[o, index[i], :]}; y is contiguous. */
  static void select(Tensor xTensor, Tensor index, Tensor yTensor) {
    var x = Strided.of(xTensor);
    var y = Strided.of(yTensor);
    int range = x.dims()[1];
    int m = y.dims()[1];
    int inner = y.dims()[2];
    long step = x.strides()[2];
    long rows = (long) y.dims()[0] * m;
    long perTask = Math.max(1, GRAIN / Math.max(1, inner));
    var at = Strided.of(index);
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(rows, perTask)),
        task -> {
          for (long row = task * perTask; row < Math.min(rows, (task + 1) * perTask); row++) {
            int k = checked("indexSelect", Bytes.i32(at.row(row % m, 1)), range);
            long from = x.address() + row / m * x.strides()[0] + k * x.strides()[1];
            long to = y.address() + row * inner * y.size();
            if (step == x.size()) {
              Bytes.copy(from, to, (long) inner * x.size());
            } else {
              CopyLoops.strided(from, step, to, y.size(), x.size(), inner);
            }
          }
        });
  }

  /** {@code y[o, index[i], :] += source[o, i, :]}; y is contiguous. */
  static void add(Loop add, Tensor yTensor, Tensor index, Tensor sourceTensor) {
    var y = Strided.of(yTensor);
    var source = Strided.of(sourceTensor);
    var at = Strided.of(index);
    int range = y.dims()[1];
    int m = source.dims()[1];
    int inner = source.dims()[2];
    int size = y.size();
    for (int i = 0; i < m; i++) {
      checked("indexAdd", Bytes.i32(at.row(i, 1)), range);
    }
    int counted = yTensor.dtype().isFloating() ? m : 0;
    var crowds = Crowds.of(range, counted, i -> Bytes.i32(at.row(i, 1)));
    long step = source.strides()[2];
    int width = (long) m * inner < GRAIN ? Math.max(1, inner) : COLUMNS;
    int pieces = Math.ceilDiv(inner, width);
    Workers.parallel(
        source.dims()[0] * pieces,
        task -> {
          int first = task % pieces * width;
          int n = Math.min(width, inner - first);
          long to = y.address() + task / pieces * y.strides()[0] + (long) first * size;
          long from = source.address() + task / pieces * source.strides()[0] + first * step;
          long memory = scratch(crowds.bytes(size, n) + (long) n * size);
          var totals = crowds.new CrowdTotals(size, n, memory);
          var carries = new Carries();
          long buffer = step == size ? 0 : memory + crowds.bytes(size, n);
          for (int i = 0; i < m; i++) {
            int k = Bytes.i32(at.row(i, 1));
            long row = to + k * y.strides()[1];
            long term = from + i * source.strides()[1];
            if (buffer != 0) {
              CopyLoops.strided(term, step, buffer, size, size, n);
              term = buffer;
            }
            if (yTensor.dtype() == DType.I32) {
              for (int c = 0; c < n; c++) {
                carries.add(row + (long) c * size, term + (long) c * size);
              }
              continue;
            }
            add.run(row, 1, term, 1, row, 1, row, n);
            totals.added(crowds.number(k), row);
          }
          carries.requireNone("indexAdd");
          totals.end(to, y.strides()[1]);
        });
  }

  private static int checked(String op, int index, int n) {
    if (index < 0 || index >= n) {
      throw new TensorException(op + ": index " + index + " is out of range [0," + n + ")");
    }
    return index;
  }

  /** What is done along one line: steps in bytes. */
  @FunctionalInterface
  private interface Line {
    void run(long at, long atStep, long near, long nearStep, long far, long farStep, int n);
  }

  /** The lines along an axis of an index tensor, in several operands at once. */
  private static final class AlongAxis {
    private final Strided index;
    private final int[] order;
    private final int outer;

    AlongAxis(Tensor index, int axis) {
      var x = Strided.of(index);
      this.outer = x.dims().length - 1;
      this.order = LineLoops.last(axis, outer + 1);
      this.index = x.permute(order);
    }

    /**
     * Visits every line.
     *
     * @param nearTensor an operand of the index's shape
     * @param farTensor an operand that is at least as large on every axis but the one
     */
    void run(Tensor nearTensor, Tensor farTensor, Line line) {
      Strided near = Strided.of(nearTensor).permute(order);
      Strided farther = Strided.of(farTensor).permute(order);
      var far = new Strided(farther.address(), index.dims(), farther.strides(), farther.size());
      int n = index.dims()[outer];
      if (index.count() == 0) {
        return;
      }
      long lines = index.count() / n;
      long perTask = Math.max(1, GRAIN / n);
      Workers.parallel(
          Math.toIntExact(Math.ceilDiv(lines, perTask)),
          task -> {
            for (long i = task * perTask; i < Math.min(lines, (task + 1) * perTask); i++) {
              line.run(
                  index.row(i, outer),
                  index.strides()[outer],
                  near.row(i, outer),
                  near.strides()[outer],
                  far.row(i, outer),
                  far.strides()[outer],
                  n);
            }
          });
    }
  }
}
