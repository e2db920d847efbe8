package carousel.benchmarks.compare;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Where a comparison runs. */
final class Machine {
  private static final double QUIET = 0.3;
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

  private Machine() {}

  /** Prints processor and Java, and a warning if somebody else is at work. */
  static void describe(PrintStream out) {
    int processors = Runtime.getRuntime().availableProcessors();
    out.printf(
        Locale.ROOT, "%s, %d processors, Java %s%n", processor(), processors, Runtime.version());
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    if (load > QUIET) {
      out.printf(
          Locale.ROOT,
          "The load average is %.1f: something else runs here, or did a minute ago. Trust ratios, not times.%n",
          load);
    }
  }

  /** Whether libraries that ask for the maker of a processor may overlook what it can do. */
  static boolean isAmdWithAvx512() {
    return fact("vendor_id").equals("AuthenticAMD") && fact("flags").contains("avx512f");
  }

  private static String processor() {
    String name = fact("model name");
    return name.isEmpty() ? System.getProperty("os.arch") : name;
  }

  /** What the system tells about the first processor; empty where it does not. */
  private static String fact(String name) {
    if (!Files.isReadable(PROCESSORS)) {
      return "";
    }
    try (var lines = Files.lines(PROCESSORS)) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse("");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
