package carousel.zoo.cli;

import carousel.exchange.onnx.OnnxException;
import carousel.nn.data.CorpusException;
import carousel.nn.io.SafetensorsException;
import carousel.tensor.OutOfMemoryException;
import carousel.tensor.TensorException;
import carousel.zoo.data.grammar.GrammarException;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What a user is told when something is wrong: one message, and no stack trace unless asked for. */
final class Errors {
  private Errors() {}

  /** Tells what is wrong with the arguments, and how the command is used. */
  static int usage(ParameterException e, String... arguments) {
    var line = e.getCommandLine();
    var err = line.getErr();
    err.println("carousel: " + Reporter.visible(String.valueOf(e.getMessage())));
    UnmatchedArgumentException.printSuggestions(e, err);
    err.println(String.format(Locale.ROOT, "Try: ./carousel %s--help", path(line)));
    err.flush();
    return CommandLine.ExitCode.USAGE;
  }

  /** Where the locale knows ASCII alone, Java has lost what it could not read of a name. */
  private static String reason(InvalidPathException e) {
    String names = System.getProperty("sun.jnu.encoding", "");
    return String.format(
        Locale.ROOT,
        "'%s' cannot be the name of a file: %s%s",
        e.getInput(),
        e.getReason(),
        names.startsWith("UTF")
            ? ""
            : String.format(
                Locale.ROOT, "; Java reads names as %s here: start it with LC_ALL=C.UTF-8", names));
  }

  private static String path(CommandLine line) {
    var parent = line.getParent();
    return parent == null ? "" : path(parent) + line.getCommandName() + " ";
  }

  /** Tells what went wrong in a command. */
  static int report(Throwable e, PrintWriter err, boolean debug) {
    err.println("carousel: " + Reporter.visible(message(e)));
    if (debug) {
      e.printStackTrace(err);
    }
    err.flush();
    return e instanceof Failure failure && failure.isUsage()
        ? CommandLine.ExitCode.USAGE
        : CommandLine.ExitCode.SOFTWARE;
  }

  /** Of scopes and tensors a user of the command line knows nothing; {@code --debug} lists them. */
  private static String outOfMemory(OutOfMemoryException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("out of memory")
        + "; choose smaller sizes (of a language model --batch, --steps, --hidden), or give tensors more with"
        + " CAROUSEL_OPTS=-Dcarousel.memory=32g, say; --debug lists what holds it";
  }

  private static String message(Throwable e) {
    return switch (e) {
      case OutOfMemoryException memory -> outOfMemory(memory);
      case Failure _,
          CorpusException _,
          SafetensorsException _,
          OnnxException _,
          TensorException _,
          GrammarException _ ->
          String.valueOf(e.getMessage());
      case IOException io -> Failure.reason(io);
      case InvalidPathException path -> reason(path);
      case OutOfMemoryError _ ->
          "the Java heap is full; give it more with CAROUSEL_OPTS=-Xmx4g, or take a shorter text";
      default -> String.format(Locale.ROOT, "a mistake in Carousel: %s; --debug shows where", e);
    };
  }
}
