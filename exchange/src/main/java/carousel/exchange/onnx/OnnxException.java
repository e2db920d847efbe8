package carousel.exchange.onnx;

import java.nio.file.Path;

/**
 * An ONNX file that is truncated or corrupt or holds what has no counterpart here, or a model that
 * has none there. The message names the file, the node or layer, and what is wrong with it.
 */
public final class OnnxException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN = 60;

  OnnxException(String problem) {
    super(problem);
  }

  /** The same of a file. */
  OnnxException(Path file, OnnxException problem) {
    super(file + ": " + problem.getMessage(), problem);
  }

  /** A name out of a file, fit for a message whatever it holds. */
  static String quote(String name) {
    var text = new StringBuilder("'");
    name.codePoints()
        .limit(SHOWN)
        .map(c -> Character.isISOControl(c) ? '?' : c)
        .forEach(text::appendCodePoint);
    return text.append(name.codePointCount(0, name.length()) > SHOWN ? "...'" : "'").toString();
  }
}
