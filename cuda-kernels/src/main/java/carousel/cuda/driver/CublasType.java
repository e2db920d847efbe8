package carousel.cuda.driver;

import carousel.tensor.DType;

/**
 * What {@code cublasGemmStridedBatchedEx} is told of the numbers it multiplies: cuBLAS library reference,
 * sections 2.2 and 2.8.
 *
 * @param data the {@code cudaDataType} of all three matrices
 * @param compute the {@code cublasComputeType_t}: how products are rounded and added up
 */
record CublasType(int data, int compute) {
  /** The {@code cublasGemmAlgo_t} that leaves the choice to the library. */
  static final int DEFAULT_ALGORITHM = -1;

  private static final int R_32F = 0;
  private static final int R_64F = 1;
  private static final int COMPUTE_32F = 68;
  private static final int COMPUTE_64F = 70;
  private static final int COMPUTE_32F_FAST_16BF = 75;
  private static final int COMPUTE_32F_FAST_TF32 = 77;

  static CublasType of(DType type, Precision precision) {
    if (type == DType.F64) {
      return new CublasType(R_64F, COMPUTE_64F);
    }
    return new CublasType(
        R_32F,
        switch (precision) {
          case F32 -> COMPUTE_32F;
          case TF32 -> COMPUTE_32F_FAST_TF32;
          case BF16 -> COMPUTE_32F_FAST_16BF;
        });
  }
}
