package carousel.cuda.driver;

import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Locale;

/**
 * A library of the CUDA toolkit that was found and opened.
 *
 * @param kind which
 * @param major the CUDA version it belongs to
 * @param where its path, or the name under which the system's loader knows it
 * @param symbols its functions
 */
public record CudaLibrary(Kind kind, int major, String where, SymbolLookup symbols) {
  /** The libraries that Carousel calls. */
  public enum Kind {
    /** The compiler. Its builtins are a library of their own, which it looks for by name. */
    NVRTC("NVRTC", "libnvrtc.so.%d", "nvrtc64_%d0_0.dll", List.of("libnvrtc-builtins.so.%d*")),
    /** Matrix products. */
    CUBLAS("cuBLAS", "libcublas.so.%d", "cublas64_%d.dll", List.of("libcublasLt.so.%d"));

    private final String title;
    private final String linux;
    private final String windows;
    private final List<String> before;

    Kind(String title, String linux, String windows, List<String> before) {
      this.title = title;
      this.linux = linux;
      this.windows = windows;
      this.before = before;
    }

    /**
     * The name of its file.
     *
     * @param major the CUDA version
     * @param isWindows whether Windows names it
     * @return e.g. {@code libcublas.so.13}
     */
    public String file(int major, boolean isWindows) {
      return String.format(Locale.ROOT, isWindows ? windows : linux, major);
    }

    /** What lies beside it and is loaded before it, as patterns of names. */
    List<String> before(int major) {
      return before.stream().map(pattern -> String.format(Locale.ROOT, pattern, major)).toList();
    }

    @Override
    public String toString() {
      return title;
    }
  }
}
