package carousel.cuda.driver;

import carousel.tensor.DType;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;

/** cuBLAS 12 through JCublas2. Its library must have been loaded by path before, or be where the loader looks. */
final class JCublas implements Blas {
  private static final Pointer ONE_32 = Pointer.to(new float[] {1});
  private static final Pointer ONE_64 = Pointer.to(new double[] {1});

  private final cublasHandle handle = new cublasHandle();

  /**
   * A handle for the device that is current.
   *
   * @param stream the device's stream
   * @param mathMode a {@code cublasMath_t}
   */
  JCublas(CUstream stream, int mathMode) {
    JCublas2.setExceptionsEnabled(false);
    CublasStatus.check("cublasCreate", JCublas2.cublasCreate(handle));
    CublasStatus.check(
        "cublasSetStream", JCublas2.cublasSetStream(handle, new cudaStream_t(stream)));
    CublasStatus.check("cublasSetMathMode", JCublas2.cublasSetMathMode(handle, mathMode));
  }

  /** One at a time: a handle is for one thread. */
  @Override
  public synchronized void gemm(Gemm product) {
    ColumnMajor as = ColumnMajor.of(product);
    Pointer a = new NativeAddress(product.a().address());
    Pointer b = new NativeAddress(product.b().address());
    Pointer y = new NativeAddress(product.y().address());
    if (product.type() == DType.F32) {
      CublasStatus.check(
          "cublasSgemmStridedBatched",
          JCublas2.cublasSgemmStridedBatched(
              handle,
              as.left(),
              as.right(),
              as.rows(),
              as.columns(),
              as.inner(),
              ONE_32,
              b,
              as.leftLead(),
              product.b().apart(),
              a,
              as.rightLead(),
              product.a().apart(),
              Pointer.to(new float[] {(float) product.beta()}),
              y,
              as.lead(),
              product.y().apart(),
              product.batch()));
    } else {
      CublasStatus.check(
          "cublasDgemmStridedBatched",
          JCublas2.cublasDgemmStridedBatched(
              handle,
              as.left(),
              as.right(),
              as.rows(),
              as.columns(),
              as.inner(),
              ONE_64,
              b,
              as.leftLead(),
              product.b().apart(),
              a,
              as.rightLead(),
              product.a().apart(),
              Pointer.to(new double[] {product.beta()}),
              y,
              as.lead(),
              product.y().apart(),
              product.batch()));
    }
  }
}
