package carousel.tensor.cpu.loop;

/**
 * The innermost block of a matrix product: {@code out [rows,width] = init [rows,width] + A [rows,k] ·
 * B [k,width]}.
 *
 * <p>A is packed on the heap (a {@code float[]} or {@code double[]}: broadcasts from an array compile
 * to far better code than from a segment), in the order that {@link Packing} says. B lies off the
 * heap, one row of {@code width} contiguous elements every {@code bRow} bytes. The initial value has
 * its own address and strides, so that zero (a row of zeros with stride 0), a bias and accumulation
 * are all the same code; so does the result. A row of either may be two vectors apart: {@code next}
 * is the distance from a row's first vector to its second. Addresses and strides are in bytes.
 */
public interface Tile {
  /** The order of the elements of A on the heap; L is a vector's number of elements. */
  enum Packing {
    /** {@code a[aOffset + p·rows + r] = A[r,p]}: columns follow each other. */
    COLUMNS,
    /**
     * {@code a[aOffset + ⌊p/L⌋·aBlock + r·L + p mod L] = A[r,p]}: of each row, L elements stay
     * together, so that what is computed in vectors is stored in vectors.
     */
    ROWS
  }

  /** Rows of the block. */
  int rows();

  /** Columns of the block. */
  int width();

  /** Computes the block; {@code out} may be {@code init}. */
  void run(
      Object a,
      int aOffset,
      int aBlock,
      int k,
      long b,
      long bRow,
      long init,
      long initRow,
      long initNext,
      long out,
      long outRow,
      long outNext);
}
