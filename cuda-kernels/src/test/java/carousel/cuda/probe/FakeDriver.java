package carousel.cuda.probe;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Compiles the C files that pose as NVIDIA's libraries, so that tests meet real shared libraries on any machine. */
public final class FakeDriver {

  static final String NAME = "libcarousel_fake_driver.so.1";

  private FakeDriver() {}

  /** Builds the library into a folder; skips the calling test where there is no C compiler. */
  static void build(Path folder, String... macros) throws IOException, InterruptedException {
    compile("fake_driver.c", folder.resolve(NAME), Stream.of(macros).map(macro -> "-D" + macro));
  }

  /** Builds a library from a file of {@code src/test/c}. */
  public static void compile(String source, Path library, Stream<String> flags)
      throws IOException, InterruptedException {
    var command = new ArrayList<String>(List.of("cc", "-shared", "-fPIC", "-o"));
    command.add(library.toString());
    flags.forEach(command::add);
    command.add(Path.of("src", "test", "c", source).toString());
    Process compiler;
    try {
      compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException absent) {
      Assumptions.abort("needs a C compiler named cc on the PATH: " + absent.getMessage());
      return;
    }
    String output = new String(compiler.getInputStream().readAllBytes(), UTF_8);
    if (compiler.waitFor() != 0) {
      throw new AssertionError(command + " failed:\n" + output);
    }
  }

  /** A search that finds only what lies in this folder; its clues come from the folder too. */
  static DriverSearch searchIn(Path folder) {
    return new DriverSearch(NAME, List.of(folder.toString()), folder);
  }

  /** Writes a file below a folder, with its parents. */
  static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
