package carousel.nn.io;

import java.nio.file.Path;
import java.util.Locale;

/**
 * A safetensors file that is truncated, corrupt, or holds what is not supported. The message names
 * the file, the tensor where there is one, and what is wrong.
 */
public final class SafetensorsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SafetensorsException(Path file, String problem) {
    super(String.format(Locale.ROOT, "%s: %s", file, problem));
  }
}
