package carousel.cuda.probe;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The GPUs to list: as many as the kernel has device files for, less what {@code CUDA_VISIBLE_DEVICES}
 * hides. Reading a folder is all this costs: the driver's library is not loaded before a device is opened.
 */
public final class ListedGpus {
  private ListedGpus() {}

  /**
   * Their names, {@code cuda:0} first.
   *
   * @param root the root of the file system
   * @param visible {@code CUDA_VISIBLE_DEVICES}
   */
  public static List<String> names(Path root, @Nullable String visible) {
    int count = count(root);
    if (visible != null && count > 0) {
      count = Math.min(count, visible(visible));
    }
    return IntStream.range(0, count).mapToObj(index -> "cuda:" + index).toList();
  }

  /** The driver stops at the first entry that is no device, such as -1. */
  private static int visible(String list) {
    String[] entries = list.strip().split(",", -1);
    int count = 0;
    while (count < entries.length
        && !entries[count].isBlank()
        && !entries[count].strip().startsWith("-")) {
      count++;
    }
    return count;
  }

  private static int count(Path root) {
    // Windows, and its subsystem for Linux, have no file per device: one is listed, others can be
    // named.
    if (Files.exists(root.resolve("Windows/System32/nvcuda.dll"))
        || Files.exists(root.resolve("usr/lib/wsl/lib/libcuda.so.1"))) {
      return 1;
    }
    int count = 0;
    try (var files = Files.newDirectoryStream(root.resolve("dev"), "nvidia[0-9]*")) {
      for (Path unused : files) {
        count++;
      }
    } catch (IOException noSuchFolder) {
      return 0;
    }
    return count;
  }
}
