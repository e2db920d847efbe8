package carousel.tensor.fuzz;

import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** A reader of files that others may have written. */
public interface Reader {
  /** Names it in the table of figures. */
  String name();

  /** Sound files, small, all of which it reads. */
  List<byte[]> sound();

  /**
   * Reads a file.
   *
   * @throws RuntimeException the documented one, if the file is refused
   * @throws Exception in no case: any that is not documented is a finding
   */
  void read(Path file) throws Exception;

  /** The one exception by which it refuses a file. */
  Class<? extends RuntimeException> refusal();

  /**
   * Mends what guards the rest of a damaged file, so that damage reaches the layers behind it; done
   * to every other one.
   */
  default byte[] mend(byte[] damaged, SplittableRandom random) {
    return damaged;
  }

  /** How many bytes of heap it may turn over for a file of so many bytes. */
  default long heap(long size) {
    return (1L << 20) + 64 * size;
  }

  /** How many bytes of tensor memory it may hold for a file of so many bytes. */
  default long offHeap(long size) {
    return 0;
  }

  /** How much slower it is than others: so much smaller is its share of the inputs. */
  default int cost() {
    return 1;
  }
}
