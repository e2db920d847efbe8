package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Locale;
import java.util.function.Function;

/**
 * The bytes of one tensor out of a file: as many as its type and shape need, whatever follows them.
 * A byte of a {@link StoredType#BOOL} must be 0 or 1.
 */
final class TensorBytes implements ReadableByteChannel {
  private final StoredTensor tensor;
  private final Portions portions;
  private final Function<String, RuntimeException> problem;
  private long done;

  /**
   * The bytes of a tensor.
   *
   * @param tensor how many there are
   * @param portions where they come from
   * @param problem the exception that names the file
   */
  TensorBytes(StoredTensor tensor, Portions portions, Function<String, RuntimeException> problem) {
    this.tensor = tensor;
    this.portions = portions;
    this.problem = problem;
  }

  /** Where the bytes come from. */
  interface Portions {
    /**
     * Reads some bytes.
     *
     * @param into filled from its position on, as far as may be
     * @param done how many bytes of the tensor were read before
     * @return how many there were, at least 1
     */
    int read(ByteBuffer into, long done) throws IOException;

    /** All bytes were read; nothing needs to be done unless there is something to check. */
    default void ended() throws IOException {}

    /** Nothing more is read; whoever opened the file closes it. */
    default void close() throws IOException {}
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    long left = tensor.end() - tensor.begin() - done;
    if (left == 0) {
      return -1;
    }
    int start = into.position();
    int limit = into.limit();
    into.limit(start + (int) Math.min(into.remaining(), left));
    int count = portions.read(into, done);
    into.limit(limit);
    if (tensor.type() == StoredType.BOOL) {
      checkBooleans(into, start, count);
    }
    done += count;
    if (count == left) {
      portions.ended();
    }
    return count;
  }

  private void checkBooleans(ByteBuffer bytes, int start, int count) {
    for (int i = start; i < start + count; i++) {
      if ((bytes.get(i) & ~1) != 0) {
        throw problem.apply(
            String.format(
                Locale.ROOT,
                "tensor %s, BOOL: element %d is the byte %d, neither 0 nor 1",
                HeaderParser.quote(tensor.name()),
                done + i - start,
                bytes.get(i) & 0xFF));
      }
    }
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() throws IOException {
    portions.close();
  }
}
