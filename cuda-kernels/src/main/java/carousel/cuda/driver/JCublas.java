package carousel.cuda.driver;

import carousel.tensor.DType;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;

/** cuBLAS 12 through JCublas2. Its library must have been loaded by path before, or be where the loader looks. */
final class JCublas implements Blas {
  private static final Pointer ONE_32 = Pointer.to(new float[] {1});
  private static final Pointer ONE_64 = Pointer.to(new double[] {1});

  private final cublasHandle handle = new cublasHandle();
  private final boolean rounds;

  /**
   * A handle for the device that is current.
   *
   * @param stream the device's stream
   * @param precision how products of F32 round
   */
  JCublas(CUstream stream, Precision precision) {
    this.rounds = precision == Precision.BF16;
    JCublas2.setExceptionsEnabled(false);
    CublasStatus.check("cublasCreate", JCublas2.cublasCreate(handle));
    CublasStatus.check(
        "cublasSetStream", JCublas2.cublasSetStream(handle, new cudaStream_t(stream)));
    CublasStatus.check(
        "cublasSetMathMode", JCublas2.cublasSetMathMode(handle, precision.mathMode()));
  }

  /** One at a time: a handle is for one thread. */
  @Override
  public synchronized void gemm(Gemm product) {
    ColumnMajor as = ColumnMajor.of(product);
    Pointer a = new NativeAddress(product.a().address());
    Pointer b = new NativeAddress(product.b().address());
    Pointer y = new NativeAddress(product.y().address());
    if (product.type() == DType.F64) {
      CublasStatus.check("cublasDgemmStridedBatched", twice(product, as, b, a, y));
    } else if (rounds) {
      CublasStatus.check("cublasGemmStridedBatchedEx", rounded(product, as, b, a, y));
    } else {
      CublasStatus.check("cublasSgemmStridedBatched", single(product, as, b, a, y));
    }
  }

  private int single(Gemm product, ColumnMajor as, Pointer left, Pointer right, Pointer y) {
    return JCublas2.cublasSgemmStridedBatched(
        handle,
        as.left(),
        as.right(),
        as.rows(),
        as.columns(),
        as.inner(),
        ONE_32,
        left,
        as.leftLead(),
        product.b().apart(),
        right,
        as.rightLead(),
        product.a().apart(),
        Pointer.to(new float[] {(float) product.beta()}),
        y,
        as.lead(),
        product.y().apart(),
        product.batch());
  }

  private int twice(Gemm product, ColumnMajor as, Pointer left, Pointer right, Pointer y) {
    return JCublas2.cublasDgemmStridedBatched(
        handle,
        as.left(),
        as.right(),
        as.rows(),
        as.columns(),
        as.inner(),
        ONE_64,
        left,
        as.leftLead(),
        product.b().apart(),
        right,
        as.rightLead(),
        product.a().apart(),
        Pointer.to(new double[] {product.beta()}),
        y,
        as.lead(),
        product.y().apart(),
        product.batch());
  }

  /** The function without "_new" takes a type of cuBLAS 10 where this takes a way to compute. */
  private int rounded(Gemm product, ColumnMajor as, Pointer left, Pointer right, Pointer y) {
    return JCublas2.cublasGemmStridedBatchedEx_new(
        handle,
        as.left(),
        as.right(),
        as.rows(),
        as.columns(),
        as.inner(),
        ONE_32,
        left,
        cudaDataType.CUDA_R_32F,
        as.leftLead(),
        product.b().apart(),
        right,
        cudaDataType.CUDA_R_32F,
        as.rightLead(),
        product.a().apart(),
        Pointer.to(new float[] {(float) product.beta()}),
        y,
        cudaDataType.CUDA_R_32F,
        as.lead(),
        product.y().apart(),
        product.batch(),
        cublasComputeType.CUBLAS_COMPUTE_32F_FAST_16BF,
        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
  }
}
