package carousel.cuda.driver;

/** NVIDIA's matrix products: cuBLAS, whoever calls it. The caller's thread has the device current. */
public interface Blas {
  /**
   * Starts a product, or a batch of them, on the device's stream.
   *
   * @param product what is multiplied
   */
  void gemm(BatchedGemm product);
}
