package carousel.cuda.driver;

import carousel.tensor.spi.Setting;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where libraries of the CUDA toolkit can be: named folders, the system's loader, toolkits, and the Python
 * packages that bring them.
 *
 * @param folders the folders, best first; those that {@value #PROPERTY} names come before the loader
 * @param named how many of the folders come before the loader
 * @param windows whether files are named as on Windows
 */
public record LibrarySearch(List<Path> folders, int named, boolean windows) {
  /** Folders to look into first, separated as in a path. */
  public static final String PROPERTY = "carousel.cuda.libraries";

  /** The CUDA versions whose libraries Carousel knows, best first. */
  static final List<Integer> MAJORS = List.of(13, 12);

  private static final List<Integer> OTHERS = List.of(16, 15, 14, 11, 10);

  /** Where toolkits are installed, and Python's packages below a prefix. */
  private static final List<String> TOOLKIT =
      List.of("lib64", "lib", "targets/*/lib", "bin", "bin/x64");

  private static final List<String> PYTHON =
      List.of("lib/python3*/site-packages/nvidia/*/lib", "lib/python3*/dist-packages/nvidia/*/lib");

  /**
   * The search of this machine.
   *
   * @return the folders that are there
   */
  public static LibrarySearch ofThisMachine() {
    return of(
        Path.of("/"),
        Setting.CUDA_LIBRARIES.value(),
        name -> System.getenv(name),
        System.getProperty("os.name", ""));
  }

  /** The search of a machine with this root, property and environment. */
  static LibrarySearch of(
      Path root,
      @Nullable String property,
      UnaryOperator<@Nullable String> environment,
      String system) {
    List<Path> folders = new ArrayList<>();
    if (property != null) {
      Arrays.stream(property.split(File.pathSeparator)).map(Path::of).forEach(folders::add);
    }
    int named = folders.size();
    Stream.of("CUDA_HOME", "CUDA_PATH")
        .map(environment)
        .filter(value -> value != null && !value.isEmpty())
        .forEach(home -> TOOLKIT.forEach(below -> folders.addAll(expand(Path.of(home), below))));
    for (String pattern : List.of("usr/local/cuda", "usr/local/cuda-*", "opt/cuda")) {
      for (Path toolkit : expand(root, pattern)) {
        TOOLKIT.forEach(below -> folders.addAll(expand(toolkit, below)));
      }
    }
    folders.addAll(expand(root, "usr/lib/x86_64-linux-gnu"));
    folders.addAll(expand(root, "usr/lib/aarch64-linux-gnu"));
    List<Path> prefixes = new ArrayList<>(List.of(root.resolve("usr/local"), root.resolve("usr")));
    Stream.of("VIRTUAL_ENV", "CONDA_PREFIX")
        .map(environment)
        .filter(value -> value != null && !value.isEmpty())
        .forEach(prefix -> prefixes.addFirst(Path.of(prefix)));
    String home = environment.apply("HOME");
    if (home != null && !home.isEmpty()) {
      prefixes.add(Path.of(home, ".local"));
    }
    prefixes.forEach(prefix -> PYTHON.forEach(below -> folders.addAll(expand(prefix, below))));
    return new LibrarySearch(
        folders.stream().distinct().toList(),
        named,
        system.toLowerCase(Locale.ROOT).contains("windows"));
  }

  /** The folders that a pattern, whose parts may have stars, names below a folder; the last first. */
  private static List<Path> expand(Path folder, String pattern) {
    List<Path> found = List.of(folder);
    for (String part : pattern.split("/")) {
      found = found.stream().flatMap(parent -> matching(parent, part).stream()).toList();
    }
    return found.stream().filter(Files::isDirectory).toList();
  }

  private static List<Path> matching(Path folder, String glob) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, glob)) {
      List<Path> found = new ArrayList<>();
      files.forEach(found::add);
      found.sort(Comparator.reverseOrder());
      return found;
    } catch (IOException notThere) {
      return List.of();
    }
  }

  /**
   * Looks for a library and opens it.
   *
   * @param kind which
   * @param mostMajor the CUDA version of the driver, which runs no code made by later ones
   * @return the first that can be opened
   */
  public Optional<CudaLibrary> find(CudaLibrary.Kind kind, int mostMajor) {
    return MAJORS.stream()
        .filter(major -> major <= mostMajor)
        .flatMap(major -> candidates(kind, major).flatMap(path -> open(kind, major, path).stream()))
        .findFirst();
  }

  /** Paths, and the bare name for the system's loader. */
  private Stream<Path> candidates(CudaLibrary.Kind kind, int major) {
    String file = kind.file(major, windows);
    Stream<Path> first = folders.stream().limit(named).map(folder -> folder.resolve(file));
    Stream<Path> last = folders.stream().skip(named).map(folder -> folder.resolve(file));
    return Stream.of(
            first.filter(Files::exists), Stream.of(Path.of(file)), last.filter(Files::exists))
        .flatMap(paths -> paths);
  }

  // These libraries keep state of their own and are never unloaded: the arena is the global one.
  private static Optional<CudaLibrary> open(CudaLibrary.Kind kind, int major, Path path) {
    try {
      Path folder = path.getParent();
      if (folder != null) {
        for (String before : kind.before(major)) {
          for (Path beside : matching(folder, before)) {
            var unused = SymbolLookup.libraryLookup(beside, Arena.global());
          }
        }
      }
      SymbolLookup symbols =
          folder == null
              ? SymbolLookup.libraryLookup(path.toString(), Arena.global())
              : SymbolLookup.libraryLookup(path, Arena.global());
      return Optional.of(new CudaLibrary(kind, major, path.toString(), symbols));
    } catch (IllegalArgumentException notThereOrNotLoadable) {
      return Optional.empty();
    }
  }

  /**
   * What to say where {@link #find} came back empty.
   *
   * @param kind which was looked for
   * @param mostMajor the CUDA version of the driver
   * @return what was looked for, where, what was found instead, and what to do
   */
  public String missing(CudaLibrary.Kind kind, int mostMajor) {
    List<String> wanted =
        MAJORS.stream().filter(m -> m <= mostMajor).map(m -> kind.file(m, windows)).toList();
    List<String> others =
        Stream.concat(MAJORS.stream().filter(m -> m > mostMajor), OTHERS.stream())
            .flatMap(m -> folders.stream().map(folder -> folder.resolve(kind.file(m, windows))))
            .filter(Files::exists)
            .map(path -> path + " is there, but of another CUDA version")
            .toList();
    List<String> broken =
        folders.stream()
            .flatMap(folder -> wanted.stream().map(folder::resolve))
            .filter(Files::exists)
            .map(path -> path + " is there, and cannot be loaded")
            .toList();
    String found = String.join("; ", Stream.concat(others.stream(), broken.stream()).toList());
    return String.format(
        Locale.ROOT,
        "%s was not found: looked for %s on the library path%s%s. Install the CUDA toolkit %d"
            + " (its runtime libraries suffice), or name their folders with -D%s=",
        kind,
        String.join(", ", wanted),
        folders.isEmpty()
            ? ""
            : " and in " + String.join(", ", folders.stream().map(Path::toString).toList()),
        found.isEmpty() ? "" : "; " + found,
        Math.min(mostMajor, MAJORS.getFirst()),
        PROPERTY);
  }
}
