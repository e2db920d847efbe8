package carousel.cuda.driver;

import carousel.tensor.TensorException;
import java.util.Locale;

/** What cuBLAS answers: a {@code cublasStatus_t}, 0 for success. */
final class CublasStatus {
  private CublasStatus() {}

  /**
   * @throws TensorException if a call failed
   */
  static void check(String call, int status) {
    if (status != 0) {
      throw new TensorException(
          String.format(
              Locale.ROOT, "%s failed: %s (%d). %s", call, name(status), status, advice(status)));
    }
  }

  // The header's names, without CUBLAS_STATUS_.
  private static String name(int status) {
    return switch (status) {
      case 1 -> "NOT_INITIALIZED";
      case 3 -> "ALLOC_FAILED";
      case 7 -> "INVALID_VALUE";
      case 8 -> "ARCH_MISMATCH";
      case 11 -> "MAPPING_ERROR";
      case 13 -> "EXECUTION_FAILED";
      case 14 -> "INTERNAL_ERROR";
      case 15 -> "NOT_SUPPORTED";
      default -> "unknown status";
    };
  }

  private static String advice(int status) {
    return switch (status) {
      case 1, 3 ->
          "cuBLAS takes device memory of its own: leave it some, e.g. by -Dcarousel.cuda.memory=8g.";
      case 8, 15 ->
          "This cuBLAS does not know the device: install one of the driver's CUDA version.";
      case 13 ->
          "A kernel failed, perhaps an earlier one: run with -Dcarousel.cuda.blocking=true to see which.";
      default -> "See ./carousel doctor for the cuBLAS in use.";
    };
  }
}
