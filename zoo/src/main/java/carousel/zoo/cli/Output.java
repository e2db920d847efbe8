package carousel.zoo.cli;

import carousel.zoo.run.Failure;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A stream of the process that takes text, and knows why it took no more: a {@code PrintWriter} knows that alone. */
final class Output extends PrintWriter {
  private final Target target;

  private Output(Target target) {
    super(new OutputStreamWriter(target, charset()), true);
    this.target = target;
  }

  /** A stream of the process. */
  static Output to(FileDescriptor descriptor) {
    return new Output(new Target(new FileOutputStream(descriptor)));
  }

  /** A stream of the process, or another. */
  static Output to(OutputStream stream) {
    return new Output(new Target(stream));
  }

  /** Why something could not be written, in words; null as long as everything was. */
  static @Nullable String failure(PrintWriter writer) {
    if (!writer.checkError()) {
      return null;
    }
    var cause = writer instanceof Output output ? output.target.failure : null;
    return cause == null ? "it is closed" : Failure.reason(cause);
  }

  /** Texts are UTF-8, whatever a container without a locale says; Windows terminals say it rightly. */
  private static Charset charset() {
    boolean windows = System.getProperty("os.name", "").startsWith("Windows");
    return windows
        ? Charset.forName(System.getProperty("stdout.encoding", "UTF-8"))
        : StandardCharsets.UTF_8;
  }

  private static final class Target extends OutputStream {
    private final OutputStream stream;
    private volatile @Nullable IOException failure;

    Target(OutputStream stream) {
      this.stream = stream;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      try {
        stream.write(bytes, from, count);
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        }
        throw e;
      }
    }
  }
}
