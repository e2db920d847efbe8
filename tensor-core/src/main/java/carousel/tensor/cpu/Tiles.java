package carousel.tensor.cpu;

/** The parts of a matrix product that depend on the element type and on the machine's vectors. */
public interface Tiles {
  /** Bytes of an element. */
  int elementSize();

  /** Columns of every tile. */
  int width();

  /** The height of the first tile to lay over {@code rows} rows; at least 4. */
  int height(int rows);

  /** The tile of a height that {@link #height} gives. */
  Tile tile(int height);

  /** A heap array for packed elements of A. */
  Object array(int length);

  /**
   * Packs A [rows,k] into {@code into[offset + p·height + r]}; rows from {@code rows} to {@code
   * height} are filled with zero. Strides are in bytes.
   */
  void packA(long a, long row, long column, int rows, int k, Object into, int offset, int height);

  /**
   * Packs B [k,columns] into rows of {@link #width} elements at {@code into}; columns from {@code
   * columns} on are filled with zero. Strides are in bytes.
   */
  void packB(long b, long row, long column, int k, int columns, long into);
}
