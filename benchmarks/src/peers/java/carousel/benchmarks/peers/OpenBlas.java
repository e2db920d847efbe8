package carousel.benchmarks.peers;

import static carousel.benchmarks.peers.Blas.NO_TRANSPOSE;
import static carousel.benchmarks.peers.Blas.ROW_MAJOR;
import static org.bytedeco.openblas.global.openblas.cblas_dgemm;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import carousel.benchmarks.compare.Server;
import java.io.IOException;
import org.bytedeco.openblas.global.openblas;

/** OpenBLAS by itself. */
public final class OpenBlas {
  private OpenBlas() {}

  /**
   * Serves products to a coordinator; the system property {@code compare.threads} is the number of
   * threads.
   *
   * @param args none
   * @throws IOException if standard input cannot be read
   */
  public static void main(String[] args) throws IOException {
    openblas.blas_set_num_threads(Integer.getInteger("compare.threads", 1));
    int rows = ROW_MAJOR;
    int as = NO_TRANSPOSE;
    Server.serve(task ->
        Blas.product(
            task,
            (m, n, k, a, b, c) -> cblas_sgemm(rows, as, as, m, n, k, 1, a, k, b, n, 0, c, n),
            (m, n, k, a, b, c) -> cblas_dgemm(rows, as, as, m, n, k, 1, a, k, b, n, 0, c, n)));
  }
}
