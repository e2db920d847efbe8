package carousel.benchmarks.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What the command line asks for.
 *
 * @param tables which tables
 * @param rows texts of which one must occur in the name of a row; empty for all rows
 * @param libraries which libraries
 * @param threads for every library
 * @param rounds of every row
 * @param quick whether to end within ten minutes
 * @param list whether to print what there is, and measure nothing
 * @param svg where to draw the ratios
 */
record Options(
    Set<Table> tables,
    List<String> rows,
    Set<Library> libraries,
    int threads,
    int rounds,
    boolean quick,
    boolean list,
    Optional<Path> svg) {
  private static final int ROUNDS = 5;

  static final String USAGE =
      String.format(
          Locale.ROOT,
          """
          usage: benchmarks/compare [OPTION]...

            --only TABLE,...     these tables: %s
            --rows TEXT;...      rows whose name holds one of these texts, e.g. "650;1500"
            --libraries NAME,... these libraries: %s
                                 (all of these may be given more than once)
            --ours               only us; needs no download
            --threads N          threads for each side; all processors by default
            --rounds N           rounds of every row; %d by default, which is the least that counts
            --quick              fewer rows, shorter slices, no DL4J: ends within 10 minutes
            --svg FILE           draws the ratios by shape
            --list               prints the tables and their rows
            --help               prints this

          The last line is `geomean G min M` of (better libtorch time / ours) over the rows of the table lstm.
          """,
          names(Table.values(), Table::option),
          names(Library.values(), Library::option),
          ROUNDS);

  /** A command line that makes no sense. */
  static final class Misuse extends RuntimeException {
    private static final long serialVersionUID = 1;

    Misuse(String message) {
      super(message);
    }
  }

  /** Reads a command line. */
  static Options parse(List<String> arguments) {
    Set<Table> tables = EnumSet.noneOf(Table.class);
    Set<Library> libraries = EnumSet.noneOf(Library.class);
    List<String> rows = new ArrayList<>();
    int threads = Runtime.getRuntime().availableProcessors();
    int rounds = ROUNDS;
    boolean quick = false;
    boolean list = false;
    Optional<Path> svg = Optional.empty();
    for (var rest = arguments.iterator(); rest.hasNext(); ) {
      String[] option = rest.next().split("=", 2);
      Function<String, String> value =
          what -> {
            if (option.length == 2) {
              return option[1];
            }
            if (rest.hasNext()) {
              return rest.next();
            }
            throw new Misuse(option[0] + " wants " + what);
          };
      switch (option[0]) {
        case "--only" ->
            tables.addAll(choose(option[0], value.apply("tables"), Table.values(), Table::option));
        case "--libraries" ->
            libraries.addAll(
                choose(option[0], value.apply("libraries"), Library.values(), Library::option));
        case "--rows" -> rows.addAll(List.of(value.apply("texts").split(";")));
        case "--ours" -> libraries = EnumSet.of(Library.CAROUSEL, Library.CAROUSEL_GRAPH);
        case "--threads" -> threads = count(option[0], value.apply("a number"));
        case "--rounds" -> rounds = count(option[0], value.apply("a number"));
        case "--svg" -> svg = Optional.of(Path.of(value.apply("a file")));
        case "--quick" -> quick = true;
        case "--list" -> list = true;
        default -> throw new Misuse("there is no option " + option[0]);
      }
    }
    if (tables.isEmpty()) {
      tables = EnumSet.allOf(Table.class);
    }
    if (libraries.isEmpty()) {
      libraries = EnumSet.allOf(Library.class);
      if (quick) {
        libraries.remove(
            Library.DL4J); // many times slower than all others, it would take half of the time
      }
    }
    return new Options(tables, rows, libraries, threads, rounds, quick, list, svg);
  }

  private static int count(String option, String text) {
    if (!text.matches("[1-9][0-9]{0,3}")) {
      throw new Misuse(option + " wants a whole number from 1 to 9999, got '" + text + "'");
    }
    return Integer.parseInt(text);
  }

  private static <E extends Enum<E>> Set<E> choose(
      String option, String text, E[] all, Function<E, String> name) {
    Set<E> chosen = EnumSet.noneOf(all[0].getDeclaringClass());
    for (String wanted : text.split(",")) {
      chosen.add(
          Arrays.stream(all)
              .filter(e -> name.apply(e).equals(wanted.trim()))
              .findFirst()
              .orElseThrow(() ->
                  new Misuse(option + ": there is no '" + wanted + "', only " + names(all, name))));
    }
    return chosen;
  }

  private static <E> String names(E[] all, Function<E, String> name) {
    return String.join(", ", Arrays.stream(all).map(name).toList());
  }

  /** Whether a row is to be measured. */
  boolean wants(Row row) {
    boolean named = rows.stream().anyMatch(text -> row.name().contains(text.trim()));
    boolean contended = row.entries().stream().anyMatch(entry -> wants(entry.library()));
    return contended && (rows.isEmpty() ? !quick || row.quick() : named);
  }

  /** Whether a library is to be measured. */
  boolean wants(Library library) {
    return libraries.contains(library);
  }

  /** Seconds without progress before the first round; ours is compiled while it runs. */
  double warmUp(Library library) {
    double full = library.isPeer() ? 0.8 : 4;
    return quick ? full / 2 : full;
  }

  /** Seconds of one contender in one round. */
  double slice() {
    return quick ? 0.12 : 0.5;
  }

  /**
   * Seconds after which a contender that does not answer is given up: with threads that wait for each
   * other the wrong way, a task of milliseconds may take a minute.
   */
  long patience() {
    return quick ? 20 : 300;
  }

  /** Minutes after which no other row is begun. */
  double minutes() {
    return quick ? 8.5 : Double.POSITIVE_INFINITY;
  }

  /** Seconds for which a process trains before its memory is read. */
  double memorySlice() {
    return quick ? 1.5 : 5;
  }
}
