package carousel.zoo.cli;

import carousel.zoo.run.RunFolder;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Where runs go whose user names no folder. */
final class RunFolders {
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss", Locale.ROOT);

  private RunFolders() {}

  /** A new folder, {@code runs/TIME-NAME}. */
  static RunFolder unused(String name) {
    return unused(Path.of("runs"), name);
  }

  /** A new folder, {@code TIME-NAME} in another. */
  static RunFolder unused(Path parent, String name) {
    var now = LocalDateTime.now(ZoneId.systemDefault());
    return RunFolder.unused(parent, now.format(STAMP) + "-" + name);
  }
}
