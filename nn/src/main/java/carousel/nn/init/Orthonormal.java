package carousel.nn.init;

/**
 * Orthonormal columns by Householder reflections (Golub and Van Loan, "Matrix Computations", 4th
 * ed., algorithms 5.1.1 and 5.2.1).
 */
final class Orthonormal {
  private Orthonormal() {}

  /**
   * The factor Q of {@code A = Q R} with a positive diagonal of R, which makes it unique: of a
   * standard normal A it is uniformly distributed (Mezzadri 2007).
   *
   * @param rows at least as many as columns
   * @param columns the number of columns
   * @param a the columns of A one after the other; overwritten
   * @return the columns of Q one after the other
   */
  static double[] columns(int rows, int columns, double[] a) {
    var beta = new double[columns];
    var sign = new double[columns];
    for (int k = 0; k < columns; k++) {
      // v = x + sign(x₀)‖x‖ e₀ takes x to −sign(x₀)‖x‖ e₀ without cancellation.
      int at = k * rows;
      double norm = Math.sqrt(dot(a, at, a, at, k, rows));
      double head = a[at + k];
      double alpha = head < 0 ? norm : -norm;
      sign[k] = alpha < 0 ? -1 : 1;
      a[at + k] = head - alpha;
      beta[k] = norm == 0 ? 0 : 1 / (norm * (norm + Math.abs(head)));
      for (int j = k + 1; j < columns; j++) {
        reflect(a, at, beta[k], a, j * rows, k, rows);
      }
    }
    // Q = H₀ H₁ … applied to the unit columns, the last reflection first.
    var q = new double[rows * columns];
    for (int k = columns - 1; k >= 0; k--) {
      q[k * rows + k] = 1;
      for (int j = k; j < columns; j++) {
        reflect(a, k * rows, beta[k], q, j * rows, k, rows);
      }
    }
    for (int k = 0; k < columns; k++) {
      for (int i = 0; i < rows; i++) {
        q[k * rows + i] *= sign[k];
      }
    }
    return q;
  }

  /** {@code y −= β (v·y) v} over positions from..to. */
  private static void reflect(
      double[] v, int vAt, double beta, double[] y, int yAt, int from, int to) {
    double s = beta * dot(v, vAt, y, yAt, from, to);
    for (int i = from; i < to; i++) {
      y[yAt + i] -= s * v[vAt + i];
    }
  }

  /** Four partial sums: a single one would wait for each addition. */
  private static double dot(double[] x, int xAt, double[] y, int yAt, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i <= to - 4; i += 4) {
      s0 += x[xAt + i] * y[yAt + i];
      s1 += x[xAt + i + 1] * y[yAt + i + 1];
      s2 += x[xAt + i + 2] * y[yAt + i + 2];
      s3 += x[xAt + i + 3] * y[yAt + i + 3];
    }
    for (; i < to; i++) {
      s0 += x[xAt + i] * y[yAt + i];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
