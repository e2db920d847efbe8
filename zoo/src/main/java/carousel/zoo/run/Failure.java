package carousel.zoo.run;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Something that the user of a program can do something about. The message says what was found and
 * what to do; where it comes from in the code is of no interest.
 */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean usage;

  private Failure(String message, boolean usage) {
    super(message);
    this.usage = usage;
  }

  /**
   * A failure.
   *
   * @param message what was found, and what to do
   */
  public Failure(String message) {
    this(message, false);
  }

  /**
   * A value that was asked for and that there is not, or that makes no sense.
   *
   * @param message names the option and what it takes
   * @return the failure
   */
  public static Failure usage(String message) {
    return new Failure(message, true);
  }

  /**
   * Tells a wrong request from a world that is not as it should be.
   *
   * @return whether the request was wrong
   */
  public boolean isUsage() {
    return usage;
  }

  /**
   * A failure with its cause, which {@code --debug} shows.
   *
   * @param message what was found, and what to do
   * @param cause what it came from
   */
  public Failure(String message, Throwable cause) {
    super(message, cause);
    this.usage = false;
  }

  /**
   * A file that cannot be written.
   *
   * @param file the file or folder
   * @param cause why
   * @return names both, and what to do
   */
  public static Failure writing(Path file, IOException cause) {
    return new Failure(
        String.format(
            Locale.ROOT,
            "cannot write %s: %s; make room or permission there, or choose another folder with --out",
            file,
            reason(cause)),
        cause);
  }

  /**
   * Says what is wrong in words: the exceptions of the file system often hold a path and no more.
   *
   * @param cause what was thrown
   * @return a phrase
   */
  public static String reason(IOException cause) {
    return switch (cause) {
      case AccessDeniedException e -> "permission denied for " + e.getFile();
      case NoSuchFileException e -> "there is no " + e.getFile();
      case NotDirectoryException e -> e.getFile() + " is not a folder";
      case FileAlreadyExistsException e -> e.getFile() + " is there, and is not a folder";
      case FileSystemException e when e.getReason() != null ->
          String.format(Locale.ROOT, "%s (%s)", e.getReason(), e.getFile());
      case CharacterCodingException _ -> "it is not UTF-8";
      default -> {
        String message = cause.getMessage();
        yield message == null ? cause.getClass().getSimpleName() : message;
      }
    };
  }
}
