package carousel.exchange.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The files beside a model in which its tensors may lie. They are looked for in the model's folder and
 * below, and nowhere else: a model names them, and may have been made by anyone.
 */
final class ExternalFiles {
  private final @Nullable Path folder;
  private final Map<Path, Long> sizes = new HashMap<>();

  private ExternalFiles(@Nullable Path folder) {
    this.folder = folder;
  }

  /** Those beside a file. */
  static ExternalFiles beside(Path model) {
    return new ExternalFiles(model.toAbsolutePath().getParent());
  }

  /** Those of a model that is no file: there are none. */
  static ExternalFiles none() {
    return new ExternalFiles(null);
  }

  /** The size of all that were read from. */
  long bytes() {
    return sizes.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * The bytes of a tensor.
   *
   * @param tensor its name
   * @param entries location, offset and length, as the file has them
   * @param wanted how many it has
   */
  ByteBuffer read(String tensor, Map<String, String> entries, long wanted) {
    String location = entries.getOrDefault("location", "");
    if (folder == null) {
      throw wrong(tensor, location, "which is looked for beside a model that is read from a path");
    }
    long offset = number(tensor, entries, "offset", 0);
    long length = number(tensor, entries, "length", wanted);
    if (length != wanted) {
      throw wrong(
          tensor,
          location,
          String.format(Locale.ROOT, "has %d bytes there, %d are needed", length, wanted));
    }
    try {
      var file = inside(tensor, location);
      var size = sizes.computeIfAbsent(file, ExternalFiles::size);
      if (offset > size - length) {
        throw wrong(
            tensor,
            location,
            String.format(
                Locale.ROOT,
                "of %d bytes, from which %d at %d are to be read",
                size,
                length,
                offset));
      }
      if (length > Integer.MAX_VALUE) {
        throw wrong(tensor, location, "is larger than 2 GiB");
      }
      try (var channel = FileChannel.open(file)) {
        return channel
            .map(FileChannel.MapMode.READ_ONLY, offset, length)
            .order(ByteOrder.LITTLE_ENDIAN);
      }
    } catch (IOException e) {
      throw wrong(tensor, location, "which cannot be read: " + e.getMessage());
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0; // nothing can be read from it then, which is said
    }
  }

  /** The file of a location, if it is one in the folder, where links lead, too. */
  private Path inside(String tensor, String location) throws IOException {
    if (folder == null || location.isEmpty()) {
      throw wrong(tensor, location, "which is not said");
    }
    try {
      var file = folder.resolve(location).normalize();
      boolean isInside = !Path.of(location).isAbsolute() && file.startsWith(folder.normalize());
      if (!isInside) {
        throw wrong(tensor, location, "outside of the model's folder");
      }
      if (!Files.isRegularFile(file)) {
        throw wrong(tensor, location, "and there is no such file");
      }
      var real = file.toRealPath();
      if (!real.startsWith(folder.toRealPath())) {
        throw wrong(tensor, location, "a link to outside of the model's folder");
      }
      return real;
    } catch (InvalidPathException e) {
      throw wrong(tensor, location, "which is no path");
    }
  }

  private static long number(
      String tensor, Map<String, String> entries, String key, long otherwise) {
    String text = entries.get(key);
    if (text == null) {
      return otherwise;
    }
    try {
      long value = Long.parseLong(text);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new OnnxException(
        String.format(
            Locale.ROOT,
            "tensor %s has the %s %s in another file",
            OnnxException.quote(tensor),
            key,
            OnnxException.quote(text)));
  }

  private static OnnxException wrong(String tensor, String location, String problem) {
    return new OnnxException(
        String.format(
            Locale.ROOT,
            "tensor %s lies in another file, %s, %s",
            OnnxException.quote(tensor),
            OnnxException.quote(location),
            problem));
  }
}
