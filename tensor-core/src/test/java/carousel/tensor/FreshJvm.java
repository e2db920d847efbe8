package carousel.tensor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own, on the class path: for flags, and for logs. */
public final class FreshJvm {
  private FreshJvm() {}

  /**
   * What a program printed.
   *
   * @param exit its exit status
   * @param output standard output and error, as they came
   */
  public record Outcome(int exit, String output) {}

  /**
   * Runs a program to its end.
   *
   * @param main the class with the main method
   * @param flags for the JVM, besides what every user of the class path needs
   * @return what it printed
   */
  public static Outcome run(Class<?> main, String... flags) {
    List<String> all = new ArrayList<>(List.of(flags));
    all.add("--add-modules=jdk.incubator.vector");
    return runBare(main, all.toArray(String[]::new));
  }

  /**
   * Runs a program to its end, without the Vector API.
   *
   * @param main the class with the main method
   * @param flags for the JVM
   * @return what it printed
   */
  public static Outcome runBare(Class<?> main, String... flags) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-Duser.language=en", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", folder(main) + ":" + folder(Tensor.class), main.getName()));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(main.getName() + " does not end; it printed:\n" + output);
      }
      return new Outcome(process.exitValue(), output);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The folder that a class was loaded from, patched into a module or not. */
  private static Path folder(Class<?> type) {
    String file = "/" + type.getName().replace('.', '/') + ".class";
    var url = type.getResource(file);
    if (url == null || !url.getProtocol().equals("file")) {
      throw new AssertionError(type + " does not come from a folder but from " + url);
    }
    String path = Path.of(java.net.URI.create(url.toString())).toString();
    return Path.of(path.substring(0, path.length() - file.length()));
  }
}
