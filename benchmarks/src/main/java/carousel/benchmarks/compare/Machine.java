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

  private Machine() {}

  /** Prints processor and Java, and a warning if somebody else is at work. */
  static void describe(PrintStream out) {
    int processors = Runtime.getRuntime().availableProcessors();
    out.printf("%s, %d processors, Java %s%n", processor(), processors, Runtime.version());
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    if (load > QUIET) {
      out.printf(
          Locale.ROOT,
          "The load average is %.1f: something else runs here, or did a minute ago. Trust ratios, not times.%n",
          load);
    }
  }

  private static String processor() {
    Path info = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(info)) {
      return System.getProperty("os.arch");
    }
    try (var lines = Files.lines(info)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
