package carousel.benchmarks.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Iterator;
import java.util.List;

/** The command {@code benchmarks/soak}. */
public final class Main {
  private static final String USAGE =
      """
      usage: benchmarks/soak [OPTION]...

        --minutes M   how long; 60 by default
        --seed N      of the trials; 1 by default
        --help        prints this

      Ends with exit code 1 if something grew: tensor memory in use between trials or scopes never closed
      at all, the reference step by 20 %, resident memory, heap or metaspace by 10 %.
      """;

  private Main() {}

  /**
   * Soaks.
   *
   * @param args the options
   * @throws IllegalArgumentException if an option is unknown or has no value
   * @throws IllegalStateException if something grew
   * @throws IOException if files cannot be written
   * @throws InterruptedException if this thread is interrupted
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    double minutes = 60;
    long seed = 1;
    for (Iterator<String> rest = List.of(args).iterator(); rest.hasNext(); ) {
      String option = rest.next();
      if (option.equals("--minutes") && rest.hasNext()) {
        minutes = Double.parseDouble(rest.next());
      } else if (option.equals("--seed") && rest.hasNext()) {
        seed = Long.parseLong(rest.next());
      } else if (option.equals("--help")) {
        System.out.print(USAGE);
        return;
      } else {
        throw new IllegalArgumentException("no such option, or no value: " + option + "\n" + USAGE);
      }
    }
    var folder = Files.createTempDirectory("carousel-soak");
    var samples = new Soak(seed, folder, System.out::println).run(minutes);
    var findings = Verdict.of(samples);
    if (!findings.isEmpty()) {
      throw new IllegalStateException("grew:\n" + String.join("\n", findings));
    }
    System.out.println(samples.getLast().trials() + " trials, nothing grew");
  }
}
