package carousel.tensor.cpu;

/** The parts of a matrix product that depend on the element type and on the machine's vectors. */
public interface Tiles {
  /** Bytes of an element. */
  int elementSize();

  /** Columns of every tile of {@link #tile(int)}: two vectors. */
  int width();

  /** Elements of a vector, the L of {@link Tile.Packing}. */
  int lanes();

  /** The height of the first tile to lay over {@code rows} rows; at least 4. */
  int height(int rows);

  /** The tile of a height that {@link #height} gives, for A packed by columns. */
  Tile tile(int height);

  /** The greatest height of a tile for A packed by rows. */
  int maxRows();

  /**
   * A tile for A packed by rows.
   *
   * @param rows from 1 to {@link #maxRows}
   * @param vectors its width in vectors, 1 or 2
   */
  Tile byRows(int rows, int vectors);

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
