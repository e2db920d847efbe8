package carousel.nn.data;

/**
 * A text that cannot be learned from: missing, empty, not UTF-8, too short, or of a single word.
 * The message names the file, what was found, and what to do.
 */
public final class CorpusException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CorpusException(String message) {
    super(message);
  }
}
