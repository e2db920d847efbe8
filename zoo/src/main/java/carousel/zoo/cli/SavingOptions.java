package carousel.zoo.cli;

import carousel.zoo.run.Every;
import carousel.zoo.run.Saving;
import picocli.CommandLine.Option;

/** The options of all that writes checkpoints. */
final class SavingOptions {
  @Option(
      names = "--every",
      paramLabel = "N|TIME",
      description =
          "When to write a checkpoint, beside the end of every epoch: after so many steps, as 500, or"
              + " after a time, as 30s, 5m, 2h. 5m if not given: a time, because what a kill costs is"
              + " time, whatever the size of a step; writing takes far less than a hundredth of it.")
  private String every = "5m";

  @Option(
      names = "--keep",
      paramLabel = "N",
      description =
          "How many checkpoints stay. 3 if not given: where the newest is damaged, the one before is"
              + " taken. Each holds the weights twice, beside what the optimiser remembers.")
  private int keep = 3;

  @Option(
      names = "--stop-on-write-error",
      description =
          "End the run when a checkpoint cannot be written. If not given it says so, goes on, and"
              + " tries again with the next; the ones before stay in any case.")
  private boolean stopOnWriteError;

  SavingOptions() {}

  Saving saving() {
    return new Saving(Every.parse(every), keep, stopOnWriteError);
  }
}
