package carousel.benchmarks.compare;

import java.util.Locale;

/** How a table shows what was measured. */
enum Unit {
  /** Time of one run. */
  MILLISECONDS("ms"),
  /** Words that are read and learned from in a second. */
  WORDS_PER_SECOND("words/s"),
  /** Multiplications and additions in a second. */
  GFLOPS("GFLOP/s"),
  /** From the start of the process to the end of the first run. */
  SECONDS_TO_FIRST("s"),
  /** Largest resident memory of the process. */
  MEBIBYTES("MiB");

  final String label;

  Unit(String label) {
    this.label = label;
  }

  /** Whether every round wants a process of its own. */
  boolean isPerProcess() {
    return this == SECONDS_TO_FIRST || this == MEBIBYTES;
  }

  /** The measure (ms, or what is per process) as the table shows it. */
  String show(double measure, Task task) {
    double shown =
        switch (this) {
          case MILLISECONDS, SECONDS_TO_FIRST, MEBIBYTES -> measure;
          case WORDS_PER_SECOND -> 1e3 * task.size(0) * task.size(1) / measure;
          case GFLOPS -> 2e-6 * task.size(0) * task.size(1) * task.size(2) / measure;
        };
    int digits = shown >= 100 ? 0 : shown >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + digits + "f", shown);
  }

  /** From the smallest to the largest, as the table shows it; of a speed the longest time is the smallest. */
  String show(Sample sample, Task task) {
    boolean speed = this == WORDS_PER_SECOND || this == GFLOPS;
    return show(speed ? sample.most() : sample.least(), task)
        + " – "
        + show(speed ? sample.least() : sample.most(), task);
  }
}
