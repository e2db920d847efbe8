package carousel.nn.random;

import carousel.tensor.Device;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The command {@code benchmarks/random-programs}. */
public final class Main {
  private static final String USAGE =
      """
      usage: benchmarks/random-programs [OPTION]...

        --cells N        how many random cells; 1000 by default
        --composites N   how many random composites; 1000 by default
        --seed S         of the first of each; 1 by default. A failure names its own
        --device NAME    where they run, e.g. cuda-emulated; the CPU by default
        --shrink N       how many failures of each are made small; 20 by default
        --last FILE      keeps the seed that runs in a file: for a kernel that brings the JVM down
        --traits         prints for everything that programs have how many of them had a kernel
        --source         prints the programs instead of running them
        --help           prints this

      Ends with exit code 1 if a program gave by its kernel something else than by its body.
      """;

  private Main() {}

  /**
   * Makes programs and judges them.
   *
   * @param args the options
   * @throws IllegalArgumentException if an option is unknown or has no value
   * @throws IllegalStateException if a program failed
   * @throws IOException if the file for the seed cannot be written
   */
  public static void main(String[] args) throws IOException {
    int cells = 1000;
    int composites = 1000;
    long seed = 1;
    int shrink = 20;
    @Nullable Path last = null;
    boolean traits = false;
    boolean source = false;
    for (Iterator<String> rest = List.of(args).iterator(); rest.hasNext(); ) {
      String option = rest.next();
      switch (option) {
        case "--traits" -> traits = true;
        case "--source" -> source = true;
        case "--help" -> {
          System.out.print(USAGE);
          return;
        }
        default -> {
          if (!rest.hasNext()) {
            throw new IllegalArgumentException(
                "no such option, or no value: " + option + "\n" + USAGE);
          }
          String value = rest.next();
          switch (option) {
            case "--cells" -> cells = Integer.parseInt(value);
            case "--composites" -> composites = Integer.parseInt(value);
            case "--shrink" -> shrink = Integer.parseInt(value);
            case "--seed" -> seed = Long.parseLong(value);
            case "--last" -> last = Path.of(value);
            case "--device" -> System.setProperty("carousel.device", value);
            default ->
                throw new IllegalArgumentException("no such option: " + option + "\n" + USAGE);
          }
        }
      }
    }
    System.out.println("on " + Device.standard());
    int failures = 0;
    try (var file = last == null ? null : new RandomAccessFile(last.toFile(), "rw")) {
      failures += run(Species.CELLS, seed, cells, shrink, traits, source, file);
      failures += run(Species.COMPOSITES, seed, composites, shrink, traits, source, file);
    }
    if (failures > 0) {
      throw new IllegalStateException(failures + " programs failed");
    }
  }

  private static <P> int run(
      Species<P> species,
      long seed,
      int count,
      int shrink,
      boolean traits,
      boolean source,
      @Nullable RandomAccessFile file) {
    if (source) {
      for (int i = 0; i < count; i++) {
        System.out.println(species.source().apply(species.maker().apply(seed + i)));
      }
      return 0;
    }
    LongConsumer before = file == null ? _ -> {} : at -> note(file, species.name() + " " + at);
    var result = new Campaign<>(species, shrink, System.out::println, before).run(seed, count);
    if (traits) {
      result.tally().table().forEach(System.out::println);
    }
    System.out.println(species.name() + ": " + result.tally().summary());
    return result.failures().size();
  }

  private static void note(RandomAccessFile file, String line) {
    try {
      file.seek(0);
      file.write((line + "    \n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
