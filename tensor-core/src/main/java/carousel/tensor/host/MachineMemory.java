package carousel.tensor.host;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How much memory this machine has, or the container it is for this process: what the standard cap of tensor memory
 * is a share of. Read from Linux's files, which takes no time, else asked of the JVM, which takes a tenth of a
 * second.
 *
 * @param bytes of memory
 */
record MachineMemory(long bytes) {
  /** The rest is for the Java heap, by default up to a quarter, and for the system. */
  private static final double SHARE = 0.75;

  /** Of this process. */
  static MachineMemory here() {
    return under(Path.of("/"));
  }

  /** The cap of tensor memory where none is asked for. */
  long share() {
    return (long) (SHARE * bytes);
  }

  /** As the files below a root tell. */
  static MachineMemory under(Path root) {
    try {
      long total = Long.MAX_VALUE;
      for (String line : Files.readAllLines(root.resolve("proc/meminfo"))) {
        if (line.startsWith("MemTotal:")) {
          total = 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
      for (String line : Files.readAllLines(root.resolve("proc/self/cgroup"))) {
        total = Math.min(total, limit(root.resolve("sys/fs/cgroup"), line));
      }
      return new MachineMemory(total);
    } catch (IOException | NumberFormatException e) {
      // Not Linux, or one that shows less than usual.
      return ManagementFactory.getOperatingSystemMXBean()
              instanceof com.sun.management.OperatingSystemMXBean system
          ? new MachineMemory(system.getTotalMemorySize())
          : new MachineMemory(Long.MAX_VALUE);
    }
  }

  /** The least limit of a group and of those it is in; a line is {@code 0::/path}, or {@code 5:memory:/path} of old. */
  private static long limit(Path groups, String line) {
    List<String> parts = List.of(line.split(":", 3));
    boolean old = parts.size() == 3 && parts.get(1).equals("memory");
    if (parts.size() < 3 || !(old || parts.get(1).isEmpty())) {
      return Long.MAX_VALUE;
    }
    Path base = old ? groups.resolve("memory") : groups;
    String file = old ? "memory.limit_in_bytes" : "memory.max";
    long least = Long.MAX_VALUE;
    // A container sees its own group as the root, whatever path it is told.
    for (var path = Path.of(parts.get(2)); path != null; path = path.getParent()) {
      Path group = base.resolve(Path.of("/").relativize(path.toAbsolutePath()).toString());
      least = Math.min(least, number(group.resolve(file)));
    }
    return least;
  }

  private static long number(Path file) {
    try {
      return Long.parseLong(Files.readString(file).strip());
    } catch (IOException | NumberFormatException e) {
      return Long.MAX_VALUE; // no such group, or "max"
    }
  }
}
