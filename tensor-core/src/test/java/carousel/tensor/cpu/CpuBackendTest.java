package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Distribution;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Unary;
import carousel.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Everything but the elementwise rows, on every family of loops, against the reference. */
class CpuBackendTest {
  private static final int[][] SHAPES = {
    {1},
    {5},
    {300},
    {0},
    {3, 4},
    {50, 67},
    {300, 33},
    {4, 5, 6},
    {2, 33, 3},
    {3, 2, 80},
    {2, 0, 3},
    {1, 7, 1}
  };

  private final ReferenceBackend reference = new ReferenceBackend();

  @Test
  void reduce() {
    var operands = new Operands(1);
    var units = new Operands(1, 1);
    for (Reduce op : Reduce.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          // Products of greater whole numbers do not fit.
          Operands values = op == Reduce.PROD ? units : operands;
          each((dims, layout) -> reduce(values, op, type, dims, layout));
        }
      }
    }
  }

  private static void reduce(Operands operands, Reduce op, DType type, int[] dims, int layout) {
    boolean position = op == Reduce.ARG_MAX || op == Reduce.ARG_MIN;
    for (int subset = 1; subset < 1 << dims.length; subset++) {
      int chosen = subset;
      int[] axes = IntStream.range(0, dims.length).filter(k -> (chosen >> k & 1) == 1).toArray();
      var shape = Shape.of(dims);
      int n = 1;
      for (int axis : axes) {
        n *= dims[axis];
        shape = shape.with(axis, 1);
      }
      if ((position && axes.length > 1) || (n == 0 && !op.hasIdentity())) {
        continue;
      }
      // Beside huge terms the order decides about what is left of the small ones.
      boolean ordered = op == Reduce.SUM || op == Reduce.MEAN || op == Reduce.PROD;
      Tensor x = operands.tensor(type, layout, layout == 0 && !ordered, dims);
      boolean f32 = type == DType.F32;
      // A sum cancels: what counts is the size of its terms.
      double terms =
          switch (op) {
            case SUM -> 4.0 * n;
            case MEAN, LOG_SUM_EXP -> 4;
            default -> 0;
          };
      double unit = f32 ? 1.2e-7 : 1e-15;
      Operands.agree(
          (backend, y) -> backend.reduce(op, x, axes, y),
          Operands.empty(op.result(type), shape.toArray()),
          f32 ? 1e-6 + 1e-7 * n : 1e-13,
          unit * terms,
          op + " " + Engine.layout(x) + " over " + Arrays.toString(axes));
    }
  }

  @Test
  void softmaxAndCumsum() {
    var operands = new Operands(2);
    for (DType type : List.of(DType.F32, DType.F64, DType.I32)) {
      double tolerance = type == DType.F32 ? 2e-6 : 1e-13;
      each((dims, layout) -> {
        for (int axis = 0; axis < dims.length; axis++) {
          int along = axis;
          Tensor x = operands.tensor(type, layout, false, dims);
          Tensor y = Operands.empty(type, dims);
          if (type != DType.I32) {
            for (boolean log : new boolean[] {false, true}) {
              Operands.agree(
                  (backend, to) -> backend.softmax(log, x, along, to),
                  y,
                  tolerance,
                  tolerance,
                  "softmax " + log + " " + Engine.layout(x));
            }
          }
          Operands.agree(
              (backend, to) -> backend.cumsum(x, along, to),
              y,
              tolerance,
              0,
              "cumsum " + Engine.layout(x) + " along " + axis);
        }
      });
    }
  }

  @Test
  void sort() {
    var operands = new Operands(3);
    for (DType type : DType.values()) {
      each((dims, layout) -> {
        int axis = dims.length - 1 - layout % dims.length;
        Tensor x = operands.tensor(type, layout, true, dims);
        boolean descending = layout % 2 == 1;
        Tensor[] expected = {Operands.empty(type, dims), Operands.empty(DType.I32, dims)};
        reference.sort(x, axis, descending, expected[0], expected[1]);
        for (CpuBackend cpu : Operands.some(type + " " + Engine.layout(x))) {
          Tensor[] got = {Operands.empty(type, dims), Operands.empty(DType.I32, dims)};
          cpu.sort(x, axis, descending, got[0], got[1]);
          String what = cpu.description() + ", sorted " + Engine.layout(x);
          Operands.assertClose(got[0], expected[0], 0, 0, what);
          Operands.assertClose(got[1], expected[1], 0, 0, what);
        }
      });
    }
  }

  @Test
  void indexing() {
    var operands = new Operands(4);
    for (DType type : List.of(DType.F32, DType.F64, DType.I32)) {
      each((dims, layout) -> {
        for (int axis = 0; axis < dims.length; axis++) {
          if (dims[axis] > 0) {
            index(operands, type, dims, layout, axis);
          }
        }
      });
    }
  }

  private static void index(Operands operands, DType type, int[] dims, int layout, int axis) {
    int n = dims[axis];
    int[] picked = Shape.of(dims).with(axis, Math.min(9, 2 * n)).toArray();
    Tensor x = operands.tensor(type, layout, false, dims);
    Tensor index = operands.indices(n, picked);
    Operands.agree(
        (backend, y) -> backend.gather(x, axis, index, y),
        Operands.empty(type, picked),
        0,
        0,
        "gather " + Engine.layout(x));

    Tensor source = operands.tensor(type, layout, false, picked);
    Operands.agree(
        (backend, sums) -> backend.scatterAdd(sums, axis, index, source),
        operands.dense(type, false, dims),
        2e-6,
        2e-6,
        "scatterAdd " + Engine.layout(source));

    int[] flat = {3, n, n < 60 ? 1 + x.rank() * 100 : 2};
    int[] rows = {3, 40, flat[2]};
    Tensor table = operands.tensor(type, layout, false, flat);
    Tensor where = operands.indices(n, 40);
    Operands.agree(
        (backend, y) -> backend.indexSelect(table, where, y),
        Operands.empty(type, rows),
        0,
        0,
        "indexSelect " + Engine.layout(table));

    Tensor terms = operands.tensor(type, layout, false, rows);
    // Forty terms of up to 4, of which the reference loses nothing.
    Operands.agree(
        (backend, added) -> backend.indexAdd(added, where, terms),
        operands.dense(type, false, flat),
        3e-6,
        2e-5,
        "indexAdd " + Engine.layout(terms));
  }

  @Test
  void matmul() {
    var operands = new Operands(5);
    int[][] sizes = {{1, 1, 1}, {5, 1, 7}, {3, 4, 5}, {20, 33, 17}, {2, 3, 0}, {64, 70, 40}};
    int[][] batches = {{}, {1}, {3}, {2, 3}, {0}};
    for (DType type : List.of(DType.F32, DType.F64)) {
      for (int[] s : sizes) {
        for (int[] batch : batches) {
          for (int layout = 0; layout < 36; layout++) {
            try (var scope = TensorScope.open()) {
              Tensor a = operands.tensor(type, layout % 6, false, with(batch, s[0], s[2]));
              Tensor b = operands.tensor(type, layout / 6, false, with(batch, s[2], s[1]));
              // Terms are up to 16.
              double bound = 16 * (1 + s[2]) * (type == DType.F32 ? 1e-6 : 1e-14);
              Operands.agree(
                  (backend, y) -> backend.matmul(a, b, y),
                  Operands.empty(type, with(batch, s[0], s[1])),
                  0,
                  bound,
                  Engine.layout(a) + " · " + Engine.layout(b));
            }
          }
        }
      }
    }
  }

  private static int[] with(int[] batch, int rows, int columns) {
    return Shape.of(batch).insert(-1, rows).insert(-1, columns).toArray();
  }

  @Test
  void longRowsAreFoldedInBlocks() {
    var operands = new Operands(8);
    for (Reduce op : List.of(Reduce.SUM, Reduce.MAX, Reduce.NORM, Reduce.LOG_SUM_EXP)) {
      for (DType type : List.of(DType.F32, DType.F64)) {
        for (int rows : new int[] {1, 3}) {
          try (var scope = TensorScope.open()) {
            Tensor x = operands.dense(type, false, rows, 50_001);
            double unit = type == DType.F32 ? 1e-7 : 1e-15;
            Operands.agree(
                (backend, y) -> backend.reduce(op, x, new int[] {1}, y),
                Operands.empty(type, rows, 1),
                4 * unit,
                1000 * unit,
                op + " of a long row");
          }
        }
      }
    }
  }

  @Test
  void theNumberOfThreadsDoesNotChangeABit() {
    CpuBackend cpu = Operands.backend(new VectorKernels());
    int threads = Workers.threads();
    try (var scope = TensorScope.open()) {
      Tensor x = new Operands(9).dense(DType.F32, false, 300, 700);
      List<Tensor[]> results = new ArrayList<>();
      for (int count : new int[] {1, 2, 3}) {
        Workers.threads(count);
        Tensor[] y = {
          Operands.empty(DType.F32, 1, 1), Operands.empty(DType.F32, 1, 700),
          Operands.empty(DType.F32, 300, 1), Operands.empty(DType.F32, 300, 700),
          Operands.empty(DType.F32, 300, 700)
        };
        cpu.reduce(Reduce.SUM, x, new int[] {0, 1}, y[0]);
        cpu.reduce(Reduce.MEAN, x, new int[] {0}, y[1]);
        cpu.reduce(Reduce.NORM, x, new int[] {1}, y[2]);
        cpu.softmax(false, x, 0, y[3]);
        cpu.unary(Unary.TANH, x, y[4]);
        results.add(y);
      }
      for (Tensor[] y : results) {
        for (int i = 0; i < y.length; i++) {
          Operands.assertClose(y[i], results.getFirst()[i], 0, 0, "result " + i);
        }
      }
    } finally {
      Workers.threads(threads);
    }
  }

  @Test
  void randomNumbersAreTheDefinitionsAtAnyLength() {
    CpuBackend cpu = Operands.backend(new ScalarKernels());
    var draw = new Philox.Draw(-77, 1L << 33);
    for (Distribution distribution : Distribution.values()) {
      for (DType type : List.of(DType.F32, DType.F64)) {
        for (int n : new int[] {0, 1, 2, 3, 5, 1023, 20_001}) {
          try (var scope = TensorScope.open()) {
            Tensor got = Operands.empty(type, n);
            Tensor expected = Operands.empty(type, n);
            cpu.random(distribution, draw, got);
            reference.random(distribution, draw, expected);
            Operands.assertClose(got, expected, 0, 0, distribution + " " + n);
          }
        }
      }
    }
  }

  @Test
  void badIndicesAreNamedWithTheirRange() {
    CpuBackend cpu = Operands.backend(new ScalarKernels());
    var operands = new Operands(6);
    try (var scope = TensorScope.open()) {
      Tensor x = operands.dense(DType.F32, false, 2, 4, 3);
      for (int bad : new int[] {-1, 4}) {
        Tensor index = operands.indices(4, 5);
        Bytes.i32(Engine.address(index) + 8, bad);
        String range = "index " + bad + " is out of range [0,4)";
        assertThatThrownBy(() -> cpu.indexSelect(x, index, Operands.empty(DType.F32, 2, 5, 3)))
            .isInstanceOf(TensorException.class)
            .hasMessage("indexSelect: " + range);
        Tensor before = Operands.copy(x);
        assertThatThrownBy(() -> cpu.indexAdd(x, index, operands.dense(DType.F32, false, 2, 5, 3)))
            .isInstanceOf(TensorException.class)
            .hasMessage("indexAdd: " + range);
        Operands.assertClose(x, before, 0, 0, "unchanged");
        Tensor three = operands.indices(4, 2, 5, 3);
        Bytes.i32(Engine.address(three) + 16, bad);
        assertThatThrownBy(() -> cpu.gather(x, 1, three, Operands.empty(DType.F32, 2, 5, 3)))
            .isInstanceOf(TensorException.class)
            .hasMessage("gather: " + range);
        assertThatThrownBy(
                () -> cpu.scatterAdd(x, 1, three, operands.dense(DType.F32, false, 2, 5, 3)))
            .isInstanceOf(TensorException.class)
            .hasMessage("scatterAdd: " + range);
      }
    }
  }

  @Test
  void temporaryCopiesAreGivenBack() {
    CpuBackend cpu = Operands.backend(new ScalarKernels());
    var operands = new Operands(7);
    try (var scope = TensorScope.open()) {
      Tensor x = operands.tensor(DType.F32, 1, false, 90, 80);
      Tensor y = Operands.empty(DType.F32, 90, 80);
      cpu.softmax(true, x, 0, y);
      cpu.unary(Unary.NEG, x, y);
      cpu.reduce(Reduce.NORM, x, new int[] {1}, Operands.empty(DType.F32, 90, 1));
      assertThat(cpu.memory().inUse()).isZero();
      assertThat(cpu.memory().peak()).isPositive();
    }
  }

  @FunctionalInterface
  private interface Case {
    void run(int[] dims, int layout);
  }

  private static void each(Case test) {
    for (int[] dims : SHAPES) {
      for (int layout = 0; layout < Operands.LAYOUTS; layout++) {
        try (var scope = TensorScope.open()) {
          test.run(dims, layout);
        }
      }
    }
  }

  /** As many lines as threads take side by side, one less, one more, and a few times that; whole numbers, which are exact. */
  @Test
  void linearScansReachTheLastLine() {
    int n = 3;
    for (DType type : new DType[] {DType.F32, DType.F64, DType.I32}) {
      for (int lines : new int[] {1, 63, 64, 65, 127, 129, 193}) {
        try (var scope = TensorScope.open()) {
          double[] a = new double[n * lines];
          double[] b = new double[n * lines];
          double[] h = new double[n * lines];
          for (int i = 0; i < n * lines; i++) {
            a[i] = i % 7 - 3;
            b[i] = i % 11 - 5;
            h[i] = i < lines ? b[i] : a[i] * h[i - lines] + b[i];
          }
          Tensor x = Tensor.of(type, Shape.of(n, lines), a);
          Tensor y = Tensor.of(type, Shape.of(n, lines), b);
          assertThat(x.linearScan(y, 0).toDoubleArray())
              .as("%s, %d lines", type, lines)
              .isEqualTo(h);
          Tensor along = x.transpose(0, 1).copy().linearScan(y.transpose(0, 1).copy(), 1);
          assertThat(along.transpose(0, 1).toDoubleArray()).as("%d lines", lines).isEqualTo(h);
        }
      }
    }
  }
}
