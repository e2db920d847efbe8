package carousel.zoo.system;

import carousel.zoo.run.Every;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/** A system run as the command line runs it, into a folder of a test. */
public final class SystemTrial<O extends Record & Seeded> {
  private final ZooSystem<O> system;
  private final Map<String, String> values;
  private final StringWriter out = new StringWriter();

  private SystemTrial(ZooSystem<O> system, Preset preset) {
    this.system = system;
    this.values = new LinkedHashMap<>(system.preset(preset));
  }

  public static SystemTrial<?> of(ZooSystem<?> system, Preset preset) {
    return made(system, preset);
  }

  private static <O extends Record & Seeded> SystemTrial<O> made(
      ZooSystem<O> system, Preset preset) {
    return new SystemTrial<>(system, preset);
  }

  public Optional<Runner.Measured> begin(Path folder, BooleanSupplier stop) throws IOException {
    return runner(stop).begin(values, new RunFolder(folder));
  }

  public Optional<Runner.Measured> resume(Path folder, BooleanSupplier stop) throws IOException {
    return runner(stop).resume(Map.of(), new RunFolder(folder));
  }

  private Runner<O> runner(BooleanSupplier stop) {
    var screen = new PrintWriter(out);
    var reporter = new Reporter(screen, screen, false);
    return new Runner<>(system, new Saving(Every.parse("1h"), 2, true), reporter, stop);
  }

  /** What it printed. */
  public String printed() {
    return out.toString();
  }

  /** Digests of the files of a run by their names, but of checkpoints, which may hold times. */
  public static Map<String, String> files(Path folder) throws IOException {
    var digests = new TreeMap<String, String>();
    try (var files = Files.walk(folder)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(file).toString();
        if (!name.startsWith("checkpoints")) {
          digests.put(name, sha256(Files.readAllBytes(file)));
        }
      }
    }
    return digests;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
