package carousel.tensor.cpu.loop;

/** The parts of a matrix product that depend on the element type and on the machine's vectors. */
public interface Tiles {
  /** Bytes of an element. */
  int elementSize();

  /** Columns of a tile of two vectors. */
  int width();

  /** Elements of a vector, the L of {@link Tile.Packing}. */
  int lanes();

  /** The greatest height of a tile. */
  int maxRows();

  /**
   * A tile.
   *
   * @param packing the order of the elements of A
   * @param rows from 1 to {@link #maxRows}
   * @param vectors its width in vectors, 1 or 2
   */
  Tile tile(Tile.Packing packing, int rows, int vectors);

  /** How tiles of a later block of a sum are added to what there is. */
  TileSum sum();

  /** A heap array for packed elements of A. */
  Object array(int length);

  /**
   * The packing that suits an A of given strides, in bytes: contiguous rows stay vectors, where there
   * are vectors.
   */
  Tile.Packing packing(long row, long column);

  /** Packs A [rows,k] for one tile, from {@code into[offset]} on. Strides are in bytes. */
  void packA(
      Tile.Packing packing,
      long a,
      long row,
      long column,
      int rows,
      int k,
      Object into,
      int offset);

  /**
   * Packs B [k,columns] into rows of {@link #width} elements at {@code into}; columns from {@code
   * columns} on are filled with zero. Strides are in bytes.
   */
  void packB(long b, long row, long column, int k, int columns, long into);
}
