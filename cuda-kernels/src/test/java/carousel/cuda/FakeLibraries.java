package carousel.cuda;

import carousel.cuda.probe.FakeDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/** Libraries that pose as NVIDIA's, under their names. */
public final class FakeLibraries {
  private FakeLibraries() {}

  /**
   * A cuBLAS that computes on the host; its symbols carry versions, as NVIDIA's do.
   *
   * @param folder where to build it
   * @param major the CUDA version
   * @return its path
   */
  public static Path cublas(Path folder, int major) throws IOException, InterruptedException {
    Path library = folder.resolve("libcublas.so." + major);
    Path versions = folder.resolve("cublas.map");
    Files.writeString(
        versions, String.format(Locale.ROOT, "libcublas.so.%d { global: *; };%n", major));
    FakeDriver.compile(
        "fake_cublas.c", library, Stream.of("-O2", "-Wl,--version-script=" + versions));
    return library;
  }

  /** A driver with a device that computes on the host. */
  static Path device(Path folder) throws IOException, InterruptedException {
    Path library = folder.resolve("libcuda.so.1");
    FakeDriver.compile("fake_device.c", library, Stream.of("-O1", "-ldl"));
    return library;
  }
}
