package carousel.benchmarks.peers;

import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Values;
import carousel.benchmarks.compare.Work;
import carousel.tensor.DType;
import java.util.function.DoubleSupplier;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** {@code C [m,n] = A [m,k]·B [k,n]}, all in rows, by {@code cblas_sgemm} or {@code cblas_dgemm}. */
final class Blas {
  /** Of cblas.h: in rows. */
  static final int ROW_MAJOR = 101;

  /** Of cblas.h: as it is. */
  static final int NO_TRANSPOSE = 111;

  private Blas() {}

  /** A call of {@code cblas_sgemm}. */
  @FunctionalInterface
  interface Single {
    void multiply(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c);
  }

  /** A call of {@code cblas_dgemm}. */
  @FunctionalInterface
  interface Twice {
    void multiply(int m, int n, int k, DoublePointer a, DoublePointer b, DoublePointer c);
  }

  /** A product by one of the two. */
  static Work product(Task task, Single single, Twice twice) {
    if (task.kind() != Task.Kind.GEMM) {
      throw new UnsupportedOperationException("a BLAS multiplies matrices and does not do " + task);
    }
    int m = task.size(0);
    int n = task.size(1);
    int k = task.size(2);
    double[] a = Values.of("a", 1, m * k);
    double[] b = Values.of("b", 1, k * n);
    if (task.dtype() == DType.F64) {
      var x = new DoublePointer(a);
      var y = new DoublePointer(b);
      var z = new DoublePointer((long) m * n);
      return new Product(() -> twice.multiply(m, n, k, x, y, z), () -> norm(z), x, y, z);
    }
    var x = new FloatPointer(floats(a));
    var y = new FloatPointer(floats(b));
    var z = new FloatPointer((long) m * n);
    return new Product(() -> single.multiply(m, n, k, x, y, z), () -> norm(z), x, y, z);
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static double norm(DoublePointer z) {
    double squares = 0;
    for (long i = 0; i < z.limit(); i++) {
      squares += z.get(i) * z.get(i);
    }
    return Math.sqrt(squares);
  }

  private static double norm(FloatPointer z) {
    double squares = 0;
    for (long i = 0; i < z.limit(); i++) {
      squares += (double) z.get(i) * z.get(i);
    }
    return Math.sqrt(squares);
  }

  private static final class Product implements Work {
    private final Runnable multiply;
    private final DoubleSupplier norm;
    private final Pointer[] memory;

    Product(Runnable multiply, DoubleSupplier norm, Pointer... memory) {
      this.multiply = multiply;
      this.norm = norm;
      this.memory = memory;
    }

    @Override
    public void run() {
      multiply.run();
    }

    @Override
    public double norm() {
      return norm.getAsDouble();
    }

    @Override
    public void close() {
      for (Pointer block : memory) {
        block.close();
      }
    }
  }
}
