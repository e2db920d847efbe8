package carousel.zoo.cli;

import carousel.tensor.spi.Setting;
import carousel.zoo.run.Reporter;
import java.io.FileDescriptor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command line, {@code ./carousel}. */
@Command(
    name = "carousel",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = "Systems of the literature, run and looked at.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      ListCommand.class,
      RunCommand.class,
      ResultsCommand.class,
      TrainCommand.class,
      EvalCommand.class,
      SampleCommand.class,
      ExportCommand.class,
      GradCheckCommand.class,
      GraphCommand.class,
      ExplainCommand.class,
      DoctorCommand.class
    },
    footer = {
      "",
      "Begin with:  ./carousel list",
      "             ./carousel train",
      "Exit codes:  0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C"
    })
public final class Carousel implements Runnable {
  /** What Java writes there of the Vector API before this program begins; see the launcher. */
  private static final String LINE_ABOVE = "\u001b[1A\u001b[2K";

  @Spec private CommandSpec spec;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  private boolean debug;

  private Carousel() {
    spec = CommandSpec.create(); // replaced by the parser
  }

  /**
   * Runs a command and ends the JVM.
   *
   * @param arguments as on the command line
   */
  public static void main(String... arguments) {
    // Every message of ours names its locale; those of the libraries, of the command line's parser
    // say, do not.
    Locale.setDefault(Locale.ROOT);
    var out = Output.to(FileDescriptor.out);
    var err = Output.to(FileDescriptor.err);
    if (Boolean.getBoolean("carousel.above")) {
      err.print(LINE_ABOVE);
      err.flush(); // before anything else is printed, which it would remove instead
    }
    System.exit(run(out, err, arguments));
  }

  /**
   * Runs a command.
   *
   * @param out where results go
   * @param err where errors and progress go
   * @param arguments as on the command line
   * @return the exit code
   */
  public static int run(PrintWriter out, PrintWriter err, String... arguments) {
    var root = new Carousel();
    var line = new CommandLine(root);
    var commands = line.getSubcommands();
    TrainCommand.complete(Objects.requireNonNull(commands.get("train")).getCommandSpec());
    RunCommand.complete(Objects.requireNonNull(commands.get("run")));
    abbreviate(line);
    // What is set here holds for the commands that are there.
    line.setOut(out)
        .setErr(err)
        .setUsageHelpAutoWidth(true)
        .setAbbreviatedOptionsAllowed(false)
        // A prompt or a name may begin with @.
        .setExpandAtFiles(false)
        .registerConverter(Path.class, Carousel::path)
        // The last one counts, so that a script can set what its user may set otherwise.
        .setOverwrittenOptionsAllowed(true)
        .setExecutionStrategy(Carousel::execute)
        .setParameterExceptionHandler(Errors::usage)
        .setExecutionExceptionHandler((e, _, _) -> Errors.report(e, err, root.debug));
    int code = line.execute(arguments);
    String unwritten = Output.failure(out);
    if (unwritten != null) {
      err.println("carousel: the output cannot be written: " + Reporter.visible(unwritten));
      if (code == CommandLine.ExitCode.OK) {
        code = CommandLine.ExitCode.SOFTWARE;
      }
    }
    err.flush();
    return code;
  }

  private static Path path(String text) {
    if (text.isEmpty()) {
      throw new TypeConversionException("it is empty; is a variable of the shell not set?");
    }
    return Path.of(text);
  }

  /** The options are told below the synopsis; in it the parser would sort them by the locale. */
  private static void abbreviate(CommandLine line) {
    line.getCommandSpec().usageMessage().abbreviateSynopsis(true);
    line.getSubcommands().values().forEach(Carousel::abbreviate);
  }

  /** Runs what was parsed, if Java was started with settings that make sense; doctor says which do not. */
  private static int execute(CommandLine.ParseResult parsed) {
    var last = parsed;
    while (last.hasSubcommand()) {
      last = last.subcommand();
    }
    boolean helps = last.isUsageHelpRequested() || last.isVersionHelpRequested();
    var complaints = Setting.complaints();
    if (!complaints.isEmpty() && !helps && !last.commandSpec().name().equals("doctor")) {
      throw new ParameterException(
          last.commandSpec().commandLine(),
          String.join("\n", complaints) + "\nLook at CAROUSEL_OPTS, and at JAVA_TOOL_OPTIONS");
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
