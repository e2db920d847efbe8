package carousel.cuda.driver;

import carousel.tensor.DType;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;

/** cuBLAS 12 through JCublas2. Its library must have been loaded by path before, or be where the loader looks. */
final class JCublas implements Blas {
  private final cublasHandle handle = new cublasHandle();
  private final Precision precision;

  /**
   * A handle for the device that is current.
   *
   * @param stream the device's stream
   * @param precision how products of F32 round
   */
  JCublas(CUstream stream, Precision precision) {
    this.precision = precision;
    JCublas2.setExceptionsEnabled(false);
    CublasStatus.check("cublasCreate", JCublas2.cublasCreate(handle));
    CublasStatus.check(
        "cublasSetStream", JCublas2.cublasSetStream(handle, new cudaStream_t(stream)));
  }

  private static Pointer factor(DType type, double value) {
    return type == DType.F64
        ? Pointer.to(new double[] {value})
        : Pointer.to(new float[] {(float) value});
  }

  /**
   * One at a time: a handle is for one thread. The function without "_new" takes a type of cuBLAS 10 where
   * this takes a way to compute.
   */
  @Override
  public synchronized void gemm(BatchedGemm product) {
    var type = CublasType.of(product.type(), precision);
    var as = ColumnMajor.of(product);
    CublasStatus.check(
        "cublasGemmStridedBatchedEx",
        JCublas2.cublasGemmStridedBatchedEx_new(
            handle,
            as.left(),
            as.right(),
            as.rows(),
            as.columns(),
            as.inner(),
            factor(product.type(), 1),
            new NativeAddress(product.b().address()),
            type.data(),
            as.leftLead(),
            product.b().apart(),
            new NativeAddress(product.a().address()),
            type.data(),
            as.rightLead(),
            product.a().apart(),
            factor(product.type(), product.beta()),
            new NativeAddress(product.y().address()),
            type.data(),
            as.lead(),
            product.y().apart(),
            product.batch(),
            type.compute(),
            CublasType.DEFAULT_ALGORITHM));
  }
}
