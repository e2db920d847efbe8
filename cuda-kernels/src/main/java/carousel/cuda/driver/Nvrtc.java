package carousel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.tensor.TensorException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * NVRTC, NVIDIA's compiler as a library; needs no GPU. Its functions are the same in CUDA 12 and 13, so they
 * are bound here once, and not through JCuda, which knows 12 alone. Signatures: NVRTC documentation,
 * section 3; every function returns an {@code nvrtcResult}, 0 for success.
 */
public final class Nvrtc implements Compiler {
  /** Line numbers change no code; profilers and compute-sanitizer show them. */
  private static final List<String> OPTIONS = List.of("--std=c++17", "--generate-line-info");

  private final SymbolLookup library;

  /**
   * The compiler of an open library.
   *
   * @param library libnvrtc
   */
  public Nvrtc(SymbolLookup library) {
    this.library = library;
  }

  /**
   * Its version.
   *
   * @return e.g. {@code 13.1}
   */
  public String version() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(JAVA_INT);
      MemorySegment minor = arena.allocate(JAVA_INT);
      call("nvrtcVersion", major, minor);
      return major.get(JAVA_INT, 0) + "." + minor.get(JAVA_INT, 0);
    }
  }

  @Override
  public String fingerprint(int capability) {
    return "NVRTC " + version() + " " + String.join(" ", options(capability));
  }

  /** A cubin for a device it knows; else PTX for the youngest it knows, which the driver compiles on. */
  private List<String> options(int capability) {
    List<String> options = new ArrayList<>(OPTIONS);
    int[] known = capabilities();
    if (IntStream.of(known).anyMatch(k -> k == capability)) {
      options.add("--gpu-architecture=sm_" + capability);
    } else {
      int older = IntStream.of(known).filter(k -> k < capability).max().orElse(0);
      if (older == 0) {
        throw new TensorException(
            String.format(
                    Locale.ROOT,
                    "NVRTC %s compiles for compute capability %s and later; the device has %s. Install CUDA 12's",
                    version(),
                    point(known[0]),
                    point(capability))
                + " NVRTC, the last for older devices.");
      }
      options.add("--gpu-architecture=compute_" + older);
    }
    return options;
  }

  private static String point(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  /** The compute capabilities it compiles for, in ascending order. */
  int[] capabilities() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      call("nvrtcGetNumSupportedArchs", count);
      MemorySegment found = arena.allocate(JAVA_INT, count.get(JAVA_INT, 0));
      call("nvrtcGetSupportedArchs", found);
      return found.elements(JAVA_INT).mapToInt(one -> one.get(JAVA_INT, 0)).sorted().toArray();
    }
  }

  @Override
  public byte[] compile(KernelSource source, int capability) {
    List<String> options = options(capability);
    try (var arena = Arena.ofConfined()) {
      List<String> headers =
          source.files().keySet().stream().filter(name -> !name.equals(source.name())).toList();
      MemorySegment out = arena.allocate(ADDRESS);
      call(
          "nvrtcCreateProgram",
          out,
          arena.allocateFrom(source.text()),
          arena.allocateFrom(source.name()),
          headers.size(),
          strings(arena, headers.stream().map(name -> source.files().get(name)).toList()),
          strings(arena, headers));
      MemorySegment program = out.get(ADDRESS, 0);
      try {
        int failed =
            invoke("nvrtcCompileProgram", program, options.size(), strings(arena, options));
        if (failed != 0) {
          String log = new String(result(program, "ProgramLog"), UTF_8);
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "NVRTC %s does not compile %s for compute capability %s: %s%n%s",
                  version(),
                  source.name(),
                  point(capability),
                  error(failed),
                  log.strip()));
        }
        boolean cubin = options.getLast().startsWith("--gpu-architecture=sm_");
        return result(program, cubin ? "CUBIN" : "PTX");
      } finally {
        call("nvrtcDestroyProgram", out);
      }
    }
  }

  /** One of the things a program has: asks for its size, then for itself. */
  private byte[] result(MemorySegment program, String what) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      call("nvrtcGet" + what + "Size", program, size);
      MemorySegment bytes = arena.allocate(size.get(JAVA_LONG, 0));
      call("nvrtcGet" + what, program, bytes);
      byte[] result = new byte[Math.toIntExact(bytes.byteSize())];
      MemorySegment.copy(bytes, JAVA_BYTE, 0, result, 0, result.length);
      return result;
    }
  }

  private static MemorySegment strings(Arena arena, List<String> strings) {
    MemorySegment array = arena.allocate(ADDRESS, Math.max(1, strings.size()));
    for (int i = 0; i < strings.size(); i++) {
      array.setAtIndex(ADDRESS, i, arena.allocateFrom(strings.get(i)));
    }
    return array;
  }

  private void call(String function, Object... arguments) {
    int failed = invoke(function, arguments);
    if (failed != 0) {
      throw new TensorException(function + " failed: " + error(failed));
    }
  }

  private String error(int result) {
    try {
      var name =
          Linker.nativeLinker()
              .downcallHandle(
                  library.findOrThrow("nvrtcGetErrorString"),
                  FunctionDescriptor.of(ADDRESS, JAVA_INT));
      return ((MemorySegment) name.invokeWithArguments(result)).reinterpret(256).getString(0);
    } catch (Throwable e) {
      throw new AssertionError("nvrtcGetErrorString is callable", e);
    }
  }

  private int invoke(String function, Object... arguments) {
    var layouts =
        Arrays.stream(arguments)
            .map(argument -> argument instanceof MemorySegment ? ADDRESS : JAVA_INT)
            .toArray(MemoryLayout[]::new);
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(
                  library.findOrThrow(function), FunctionDescriptor.of(JAVA_INT, layouts))
              .invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(function + " is callable", e);
    }
  }
}
