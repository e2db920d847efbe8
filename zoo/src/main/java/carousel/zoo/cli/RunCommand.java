package carousel.zoo.cli;

import carousel.zoo.Systems;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** Runs a system: each is a command of its own below this one. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "NAME",
    header = "Runs a system: its figures, and whether they are as good as they must be.",
    footer = {
      "",
      "Examples:",
      "  ./carousel run hopfield",
      "  ./carousel run hopfield --seeds 1..5 --neurons 400",
      "  ./carousel run hopfield --preset paper",
      "Exit codes:  0 passed, 1 not passed or failed, 2 wrong usage, 130 stopped by Ctrl-C"
    })
final class RunCommand implements Runnable {
  /** What is no system, and all that follows it. */
  @Unmatched private List<String> rest = new ArrayList<>();

  RunCommand() {}

  /** Adds the systems. */
  static void complete(CommandLine run) {
    for (var system : Systems.all()) {
      run.addSubcommand(system.about().name(), SystemCommand.line(system));
    }
  }

  @Override
  public void run() {
    if (rest.isEmpty()) {
      throw Failure.usage(
          "NAME: say which system to run; there are: " + String.join(", ", Systems.names()));
    }
    throw Failure.usage(Choice.complaint("NAME", rest.getFirst(), Systems.names()));
  }
}
