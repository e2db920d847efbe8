package carousel.cuda.driver;

import carousel.cuda.driver.BatchedGemm.Matrix;

/**
 * A row-major product as cuBLAS, which thinks in columns, takes it: {@code yᵀ [n,m] = bᵀ [n,k] · aᵀ [k,m]}.
 * Row-major matrices are the transposes of column-major ones, so that nothing moves; only the operands
 * change places.
 *
 * @param left {@code CUBLAS_OP_N} or {@code CUBLAS_OP_T} for the left operand, which is b
 * @param right the same for the right operand, which is a
 * @param rows n
 * @param columns m
 * @param inner k
 * @param leftLead elements from one column of the left operand to the next
 * @param rightLead the same for the right operand
 * @param lead the same for the product
 */
record ColumnMajor(
    int left, int right, int rows, int columns, int inner, int leftLead, int rightLead, int lead) {
  private static final int OP_N = 0;
  private static final int OP_T = 1;

  static ColumnMajor of(BatchedGemm product) {
    return new ColumnMajor(
        product.b().transposed() ? OP_T : OP_N,
        product.a().transposed() ? OP_T : OP_N,
        product.n(),
        product.m(),
        product.k(),
        lead(product.b(), product.k(), product.n()),
        lead(product.a(), product.m(), product.k()),
        lead(product.y(), product.m(), product.n()));
  }

  /** cuBLAS wants a stride that spans a line, also where there is one line and the stride means nothing. */
  private static int lead(Matrix matrix, int rows, int columns) {
    int line = matrix.transposed() ? rows : columns;
    return Math.toIntExact(Math.max(matrix.lead(), line));
  }
}
