package carousel.nn.io;

import java.nio.file.Path;
import java.util.Locale;

/**
 * An npy or npz file that is truncated, corrupt, or holds what is not supported. The message names
 * the file, the array where there is one, and what is wrong.
 */
public final class NpyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NpyException(Path file, String problem) {
    super(String.format(Locale.ROOT, "%s: %s", file, problem));
  }
}
