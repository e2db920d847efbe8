package carousel.zoo.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command line in a JVM of its own, as the launcher starts it: for threads, signals and memory. */
record Child(Process process, Path log) {
  static Child start(Path log, List<String> flags, Object... arguments) throws IOException {
    return start(log, command(flags, arguments));
  }

  static Child start(Path log, List<String> command) throws IOException {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    return new Child(builder.redirectOutput(log.toFile()).start(), log);
  }

  /** What starts the command line, for those who start it in another surrounding. */
  static List<String> command(List<String> flags, Object... arguments) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(
        List.of(
            "--module-path",
            System.getProperty("jdk.module.path"),
            "--enable-native-access=carousel.tensor",
            "--module",
            "carousel.zoo/carousel.zoo.cli.Carousel"));
    Arrays.stream(arguments).map(String::valueOf).forEach(command::add);
    return command;
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("still running after two minutes");
    }
    return process.exitValue();
  }

  String output() throws IOException {
    return Files.readString(log, StandardCharsets.UTF_8);
  }
}
