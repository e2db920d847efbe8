package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.spi.Memory;

/** Products of matrices and of batches of them. */
final class MatrixLoops {
  /** Floating-point operations from which on threads share one product rather than the batch. */
  private static final long LARGE = 4_000_000;

  private static final long PER_TASK = 1_000_000;

  private final ThreadLocal<Gemm> f32;
  private final ThreadLocal<Gemm> f64;

  MatrixLoops(Table table, Memory memory) {
    this.f32 = ThreadLocal.withInitial(() -> new Gemm(table.tiles(DType.F32), memory));
    this.f64 = ThreadLocal.withInitial(() -> new Gemm(table.tiles(DType.F64), memory));
  }

  /** {@code y [..,m,n] = a [..,m,k] · b [..,k,n]}; y is contiguous. */
  void multiply(Tensor aTensor, Tensor bTensor, Tensor yTensor) {
    if (yTensor.size() == 0) {
      return;
    }
    var a = Strided.of(aTensor);
    var b = Strided.of(bTensor);
    var y = Strided.of(yTensor);
    ThreadLocal<Gemm> gemm = y.size() == 8 ? f64 : f32;
    int axes = y.dims().length - 2;
    int m = y.dims()[axes];
    int n = y.dims()[axes + 1];
    long batch = y.count() / ((long) m * n);
    if (batch > 1 && repeats(b, axes)) {
      // One b for the whole batch: if all rows of a are evenly apart, this is one tall product.
      long stride = evenRows(a, axes + 1);
      if (stride != 0 && batch * m <= Integer.MAX_VALUE) {
        one(gemm.get(), (int) (batch * m), n, a, stride, b, a.address(), b.address(), y.address());
        return;
      }
    }
    long work = 2L * m * n * Math.max(1, a.dims()[axes + 1]);
    long perTask = work >= LARGE ? batch : Math.clamp(PER_TASK / work, 1, batch);
    Batch each =
        i ->
            one(
                gemm.get(),
                m,
                n,
                a,
                a.strides()[axes],
                b,
                a.row(i, axes),
                b.row(i, axes),
                y.row(i, axes));
    if (perTask == batch) {
      each.from(0, batch);
    } else {
      Workers.parallel(
          Math.toIntExact(Math.ceilDiv(batch, perTask)),
          task -> each.from(task * perTask, Math.min(batch, (task + 1) * perTask)));
    }
  }

  /** What is done for each product of a batch. */
  @FunctionalInterface
  private interface Batch {
    void product(long i);

    default void from(long first, long end) {
      for (long i = first; i < end; i++) {
        product(i);
      }
    }
  }

  private static void one(
      Gemm gemm, int m, int n, Strided a, long aRow, Strided b, long aAt, long bAt, long yAt) {
    int size = a.size();
    int inner = a.dims().length - 1;
    int k = a.dims()[inner];
    long aRows = aRow / size;
    long aColumns = a.strides()[inner] / size;
    long bRows = b.strides()[inner - 1] / size;
    long bColumns = b.strides()[inner] / size;
    if (n == 1) {
      // A column is its own transpose in memory: yᵀ [1,m] = bᵀ · aᵀ fills whole tiles.
      gemm.multiply(1, m, k, bAt, bColumns, bRows, aAt, aColumns, aRows, yAt, m, false);
    } else {
      gemm.multiply(m, n, k, aAt, aRows, aColumns, bAt, bRows, bColumns, yAt, n, false);
    }
  }

  /** Whether the first axes all repeat one matrix. */
  private static boolean repeats(Strided x, int axes) {
    for (int k = 0; k < axes; k++) {
      if (x.dims()[k] != 1 && x.strides()[k] != 0) {
        return false;
      }
    }
    return true;
  }

  /** The stride by which the first axes step as if they were one; 0 if they do not. */
  private static long evenRows(Strided x, int axes) {
    boolean found = false;
    long stride = 0;
    long next = 0;
    for (int k = axes - 1; k >= 0; k--) {
      if (x.dims()[k] != 1) {
        if (found && x.strides()[k] != next) {
          return 0;
        }
        if (!found) {
          stride = x.strides()[k];
          found = true;
        }
        next = x.strides()[k] * x.dims()[k];
      }
    }
    return stride;
  }
}
