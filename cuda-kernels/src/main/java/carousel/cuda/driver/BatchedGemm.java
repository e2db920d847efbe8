package carousel.cuda.driver;

import carousel.tensor.DType;

/**
 * A batch of products {@code y [m,n] = a [m,k] · b [k,n] + β y}, row-major.
 *
 * @param type F32 or F64
 * @param m rows of a and y
 * @param n columns of b and y
 * @param k columns of a, rows of b
 * @param a the left matrices
 * @param b the right matrices
 * @param y the products, not transposed
 * @param beta 0 to overwrite y, which is then not read, 1 to add to it
 * @param batch how many products
 */
public record BatchedGemm(
    DType type, int m, int n, int k, Matrix a, Matrix b, Matrix y, double beta, int batch) {

  /**
   * Where matrices lie: element (i, j) of the t-th is {@code t · apart + i · lead + j} elements from the
   * address, or {@code t · apart + j · lead + i} if they are transposed.
   *
   * @param address the first element of the first matrix
   * @param transposed whether columns, not rows, are contiguous
   * @param lead elements from one row (column, if transposed) to the next
   * @param apart elements from one matrix of the batch to the next; 0 to use the same for all
   */
  public record Matrix(long address, boolean transposed, long lead, long apart) {
    /**
     * One matrix, row after row.
     *
     * @param address its first element
     * @param lead elements from one row to the next
     * @return where it lies
     */
    public static Matrix of(long address, long lead) {
      return new Matrix(address, false, lead, 0);
    }

    /**
     * Returns the transposed matrices.
     *
     * @return what has the rows of these as columns
     */
    public Matrix transpose() {
      return new Matrix(address, !transposed, lead, apart);
    }
  }
}
