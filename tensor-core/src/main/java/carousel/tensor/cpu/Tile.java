package carousel.tensor.cpu;

/**
 * The innermost block of a matrix product: {@code out [rows,width] = init [rows,width] + A [rows,k] ·
 * B [k,width]}.
 *
 * <p>A is packed on the heap, {@code a[aOffset + p·rows + r] = A[r,p]} (a {@code float[]} or {@code
 * double[]}: broadcasts from an array compile to far better code than from a segment). B lies off the
 * heap, one row of {@code width} contiguous elements every {@code bRow} bytes. The initial value has
 * its own address and row stride, so that zero (a row of zeros with stride 0), a bias and
 * accumulation are all the same code. Addresses and strides are in bytes.
 */
public interface Tile {
  /** Rows of the block. */
  int rows();

  /** Columns of the block. */
  int width();

  /** Computes the block; {@code out} may be {@code init}. */
  void run(
      Object a,
      int aOffset,
      int k,
      long b,
      long bRow,
      long init,
      long initRow,
      long out,
      long outRow);
}
