package carousel.cuda.driver;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A stream, and the matrix products that are asked for on it. */
final class StreamBlas {
  private final Stream stream;
  private final Function<Stream, Blas> start;
  private @Nullable Blas blas;

  /**
   * A lane.
   *
   * @param stream the stream
   * @param start starts cuBLAS on it, when the first product is wanted
   */
  StreamBlas(Stream stream, Function<Stream, Blas> start) {
    this.stream = stream;
    this.start = start;
  }

  Stream stream() {
    return stream;
  }

  synchronized Blas blas() {
    Blas started = blas;
    if (started == null) {
      started = start.apply(stream);
      blas = started;
    }
    return started;
  }

  synchronized boolean multiplies() {
    return blas != null;
  }
}
