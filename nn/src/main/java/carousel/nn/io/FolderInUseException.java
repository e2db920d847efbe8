package carousel.nn.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** A folder that something else is writing. The message names both, and what to do. */
public final class FolderInUseException extends IOException {
  private static final long serialVersionUID = 1L;

  FolderInUseException(Path folder, String holder) {
    super(
        String.format(
            Locale.ROOT,
            "%s is being written by %s; wait until that has ended, or write to another folder",
            folder,
            holder));
  }
}
