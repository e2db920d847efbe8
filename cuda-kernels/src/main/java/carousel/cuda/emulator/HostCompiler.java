package carousel.cuda.emulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.cuda.driver.KernelSource;
import carousel.tensor.TensorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compiles kernels for the host with {@code g++}, into shared libraries that are kept.
 *
 * <p>A library's name is a hash of all that went into it: sources, the emulator's headers, flags and the
 * compiler's version. It is built in a folder of its own and moved to its name at the end, so that
 * two processes may build it at once, and one that is killed leaves nothing half done under that name.
 */
final class HostCompiler {
  static final String PROPERTY = "carousel.cuda.emulator.compiler";

  private static final KernelSource EMULATOR = KernelSource.of("emulator/cuda_emulator.h");
  private static final List<String> FLAGS =
      List.of(
          "-std=c++20",
          // Compiling takes longer than running: a third less than with -O2, and the same bits.
          "-O1",
          "-w",
          "-shared",
          "-fPIC",
          // One rounding per operation, as written.
          "-ffp-contract=off",
          // The static shared memory of a library is its own: see scheduler.h.
          "-fvisibility=hidden",
          "-fno-gnu-unique");

  private final String compiler;
  private final List<String> flags;
  private final Path cache;
  private final String version;

  /**
   * A compiler.
   *
   * @param compiler its command, {@code g++}
   * @param sanitize whether to build with AddressSanitizer
   * @param cache the folder for libraries
   * @throws TensorException if it cannot be started
   */
  HostCompiler(String compiler, boolean sanitize, Path cache) {
    this.compiler = compiler;
    this.flags = new ArrayList<>(FLAGS);
    if (sanitize) {
      // Lines suffice for its reports; this halves the time to compile.
      flags.addAll(List.of("-fsanitize=address", "-g1"));
    }
    this.cache = cache;
    this.version = run(Path.of("."), List.of(compiler, "--version"));
  }

  /**
   * The library of a file of kernels, which exports {@code emulated_NAME} for each of them.
   *
   * @throws TensorException if it does not compile; the message has the compiler's words
   */
  Path kernels(KernelSource source) {
    Map<String, String> files = new LinkedHashMap<>(EMULATOR.files());
    files.putAll(source.files());
    return library(
        source.name(),
        files,
        folder -> {
          String launchers =
              declarations(folder, source).stream()
                  .map(kernel -> "EMULATED_KERNEL(" + kernel.symbol() + ")\n")
                  .collect(Collectors.joining());
          return "#include \"emulator/cuda_emulator.h\"\n#include \""
              + source.name()
              + "\"\n"
              + launchers;
        });
  }

  /** The kernels of a file that lies in a folder, as the preprocessor leaves them. */
  private List<KernelDeclaration> declarations(Path folder, KernelSource source) {
    return KernelDeclaration.in(
        run(folder, List.of(compiler, "-E", "-P", "-D__CUDA_EMULATOR__", "-xc++", source.name())));
  }

  /** The library of a C++ file of the emulator itself. */
  Path runtime(KernelSource source) {
    return library(source.name(), source.files(), folder -> "#include \"" + source.name() + "\"\n");
  }

  /** The kernels that a file declares. */
  List<KernelDeclaration> declarations(KernelSource source) {
    return build(source.files(), folder -> declarations(folder, source));
  }

  private Path library(String name, Map<String, String> files, Function<Path, String> unit) {
    String stem = name.substring(name.lastIndexOf('/') + 1, name.lastIndexOf('.'));
    Path library = cache.resolve(stem + "-" + hash(files) + ".so");
    if (Files.exists(library)) {
      return library;
    }
    return build(
        files,
        folder -> {
          Files.writeString(folder.resolve("unit.cpp"), unit.apply(folder));
          List<String> command = new ArrayList<>(List.of(compiler));
          command.addAll(flags);
          command.addAll(List.of("-I.", "unit.cpp", "-o", "unit.so"));
          run(folder, command);
          return Files.move(folder.resolve("unit.so"), library, StandardCopyOption.ATOMIC_MOVE);
        });
  }

  /** What is done in a folder with files. */
  @FunctionalInterface
  private interface FileAction<T> {
    T in(Path folder) throws IOException;
  }

  /** Does something in a folder of its own that holds the files. */
  private <T> T build(Map<String, String> files, FileAction<T> step) {
    try {
      Files.createDirectories(cache);
      Path folder = Files.createTempDirectory(cache, "build-");
      try {
        for (var file : files.entrySet()) {
          Path path = folder.resolve(file.getKey());
          Files.createDirectories(path.getParent());
          Files.writeString(path, file.getValue());
        }
        return step.in(folder);
      } finally {
        delete(folder);
      }
    } catch (IOException e) {
      throw new TensorException(
          "cuda-emulated: cannot write compiled kernels to "
              + cache
              + " ("
              + e.getMessage()
              + "); name another folder with -Dcarousel.cuda.cache=",
          e);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private String hash(Map<String, String> files) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      digest.update((version + flags + files).getBytes(UTF_8));
      return HexFormat.of().formatHex(digest.digest(), 0, 12);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  private String run(Path folder, List<String> command) {
    try {
      Process process =
          new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      if (process.waitFor() != 0) {
        throw new TensorException(
            "cuda-emulated: " + String.join(" ", command) + " failed:\n" + output);
      }
      return output;
    } catch (IOException e) {
      throw new TensorException(
          "cuda-emulated: the kernels are compiled with '"
              + compiler
              + "', which cannot be started ("
              + e.getMessage()
              + "); install g++ 11 or later, or name a compiler with -D"
              + PROPERTY
              + "=",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TensorException("cuda-emulated: interrupted while compiling kernels", e);
    }
  }
}
