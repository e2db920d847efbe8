package carousel.tensor.jvm;

import carousel.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
    return run(List.of(main, Tensor.class), flags);
  }

  /**
   * Runs a program of another module's tests to its end.
   *
   * @param classes the class with the main method, then one of each further folder or jar that it needs
   * @param flags for the JVM, besides what every user of the class path needs
   * @return what it printed
   */
  public static Outcome run(List<Class<?>> classes, String... flags) {
    List<String> all = new ArrayList<>(List.of(flags));
    all.add("--add-modules=jdk.incubator.vector");
    return start(classes, all);
  }

  /**
   * Runs a program to its end, without the Vector API.
   *
   * @param main the class with the main method
   * @param flags for the JVM
   * @return what it printed
   */
  public static Outcome runBare(Class<?> main, String... flags) {
    return start(List.of(main, Tensor.class), List.of(flags));
  }

  /**
   * Runs a program to its end, without the Vector API, behind something else on the class path.
   *
   * @param first a folder of classes and resources
   * @param main the class with the main method
   * @return what it printed
   */
  public static Outcome runBehind(Path first, Class<?> main) {
    return start(List.of(main, Tensor.class), List.of(), first.toString());
  }

  /**
   * Runs a program of another module's tests to its end, behind something else on the class path.
   *
   * @param first a folder of classes and resources
   * @param classes the class with the main method, then one of each further folder or jar that it needs
   * @return what it printed
   */
  public static Outcome runBehind(Path first, List<Class<?>> classes) {
    return start(classes, List.of("--add-modules=jdk.incubator.vector"), first.toString());
  }

  private static Outcome start(List<Class<?>> classes, List<String> flags, String... first) {
    Class<?> main = classes.getFirst();
    Stream<String> origins =
        Stream.concat(classes.stream(), Stream.of(FreshJvm.class)).map(FreshJvm::origin).distinct();
    String path = Stream.concat(Stream.of(first), origins).collect(Collectors.joining(":"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-Duser.language=en", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(flags);
    command.addAll(List.of("-cp", path, main.getName()));
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

  /**
   * The folder or jar that a class was loaded from, patched into a module or not.
   *
   * @param type the class
   * @return a part of a class path
   */
  public static String origin(Class<?> type) {
    String file = "/" + type.getName().replace('.', '/') + ".class";
    String url = String.valueOf(type.getResource(file));
    String place =
        url.startsWith("jar:") ? url.substring("jar:".length()).replace("!" + file, "") : url;
    if (!place.startsWith("file:")) {
      throw new AssertionError(
          type + " comes neither from a folder nor from a jar but from " + url);
    }
    String path = Path.of(java.net.URI.create(place)).toString();
    return path.endsWith(file) ? path.substring(0, path.length() - file.length()) : path;
  }
}
