package carousel.jmh;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * What the JIT compiler is doing.
 *
 * <p>The time that {@link CompilationMXBean} counts is that of compilations which ended; one of a large kernel
 * takes seconds, and nothing is seen of it until then. HotSpot's {@code jcmd Compiler.queue} names those that
 * run, and those that wait.
 */
final class CompilerActivity {
  private static final String[] NO_ARGUMENTS = {};

  private final @Nullable CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
  private final ObjectName commands;

  CompilerActivity() {
    try {
      commands = new ObjectName("com.sun.management:type=DiagnosticCommand");
    } catch (MalformedObjectNameException e) {
      throw new AssertionError(e);
    }
  }

  /** The milliseconds that all compilations took which ended; 0 where the JVM does not say. */
  long milliseconds() {
    return compilation == null || !compilation.isCompilationTimeMonitoringSupported()
        ? 0
        : compilation.getTotalCompilationTime();
  }

  /** Whether a compilation runs or waits; false where the JVM does not say. */
  boolean isBusy() {
    try {
      Object queue =
          server.invoke(
              commands,
              "compilerQueue",
              new Object[] {NO_ARGUMENTS},
              new String[] {String[].class.getName()});
      return names(String.valueOf(queue));
    } catch (JMException | RuntimeException e) {
      return false; // not HotSpot, or not all of it: then time alone has to tell
    }
  }

  /** Whether a listing of the queue names a compilation: a line besides headings and "Empty". */
  static boolean names(String queue) {
    return queue
        .lines()
        .map(String::strip)
        .anyMatch(line -> !line.isEmpty() && !line.endsWith(":") && !line.equals("Empty"));
  }
}
