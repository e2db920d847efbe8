package carousel.zoo;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line, {@code ./carousel}. */
@Command(
    name = "carousel",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = "Recurrent networks, trained and looked at.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
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
      "Begin with:  ./carousel train",
      "Exit codes:  0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C"
    })
public final class Carousel implements Runnable {
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
    System.exit(run(writer(FileDescriptor.out), writer(FileDescriptor.err), arguments));
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
    var line =
        new CommandLine(root)
            .setOut(out)
            .setErr(err)
            .setUsageHelpAutoWidth(true)
            .setAbbreviatedOptionsAllowed(false)
            .setParameterExceptionHandler(Errors::usage)
            .setExecutionExceptionHandler((e, _, _) -> Errors.report(e, err, root.debug));
    var code = line.execute(arguments);
    out.flush();
    err.flush();
    return code;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** Texts are UTF-8, whatever a container without a locale says; Windows terminals say it rightly. */
  private static PrintWriter writer(FileDescriptor target) {
    var windows = System.getProperty("os.name", "").startsWith("Windows");
    var charset =
        windows
            ? Charset.forName(System.getProperty("stdout.encoding", "UTF-8"))
            : StandardCharsets.UTF_8;
    return new PrintWriter(new OutputStreamWriter(new FileOutputStream(target), charset), true);
  }
}
