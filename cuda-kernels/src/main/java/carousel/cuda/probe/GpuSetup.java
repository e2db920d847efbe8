package carousel.cuda.probe;

import carousel.cuda.driver.CubinCache;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.CudaLibrary;
import carousel.cuda.driver.CudaLibrary.Kind;
import carousel.cuda.driver.JCudaDriver;
import carousel.cuda.driver.LibrarySearch;
import carousel.cuda.driver.Nvrtc;
import carousel.tensor.TensorException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a GPU needs, from the driver on: the bindings, the compiler, the matrix products. What is missing is
 * said in the same words to who asks {@code doctor} and to who opens a device.
 *
 * @param report what the driver says
 * @param search where libraries can be
 * @param cache where compiled kernels are kept
 * @param bindings whether JCuda's classes are there
 */
public record GpuSetup(CudaReport report, LibrarySearch search, Path cache, boolean bindings) {
  static final String BINDINGS = "jcuda.driver.JCudaDriver";
  private static final int LEAST_CAPABILITY = 75;
  private static final String GET_BINDINGS =
      "JCuda is not on the class path. Add org.jcuda:jcuda and org.jcuda:jcublas 12.6.0 to it (10 MB; the"
          + " class path, also for modular programs); ./carousel has them after ./mvnw -Pcuda --projects"
          + " cuda-kernels --also-make -DskipTests package";

  /** Whether JCuda's classes are there; does not start them. */
  public static boolean hasBindings() {
    try {
      readClassPath();
      var unused = Class.forName(BINDINGS, false, GpuSetup.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError absent) {
      return false;
    }
  }

  /** JCuda finds its native parts from the class path only, which a module does not read unasked. */
  private static void readClassPath() {
    Module module = GpuSetup.class.getModule();
    ClassLoader loader = GpuSetup.class.getClassLoader();
    if (module.isNamed() && loader != null) {
      module.addReads(loader.getUnnamedModule());
    }
  }

  /** What is there, one line each. */
  List<String> facts() {
    List<String> facts = new ArrayList<>(report.facts());
    if (report instanceof CudaReport.Ready ready) {
      facts.add(bindings ? "JCuda is there" : "JCuda is not there");
      for (Kind kind : Kind.values()) {
        facts.add(
            library(kind, ready)
                .map(found ->
                    String.format(Locale.ROOT, "%s %s: %s", kind, found.major(), found.where()))
                .orElse(kind + " was not found"));
      }
      facts.add("compiled kernels are kept in " + cache);
    }
    return facts;
  }

  /** What is not, and what to do about it; empty when devices can be opened. */
  List<String> problems() {
    List<String> problems = new ArrayList<>(report.advice());
    if (report instanceof CudaReport.Ready ready) {
      ready.devices().stream()
          .filter(device -> device.capability() < LEAST_CAPABILITY)
          .forEach(device -> problems.add(tooOld(device)));
      if (!bindings) {
        problems.add(GET_BINDINGS);
      }
      for (Kind kind : Kind.values()) {
        if (library(kind, ready).isEmpty()) {
          problems.add(search.missing(kind, ready.major()));
        }
      }
    }
    return problems;
  }

  private static String tooOld(GpuInfo device) {
    return String.format(
        Locale.ROOT,
        "%s is too old: Carousel's kernels need compute capability 7.5 (Turing) or later.",
        device);
  }

  private Optional<CudaLibrary> library(Kind kind, CudaReport.Ready ready) {
    return search.find(kind, ready.major());
  }

  /**
   * Opens a device.
   *
   * @param index the driver's number of it
   * @throws TensorException if it cannot be; the message says what is missing
   */
  public CudaDriver open(int index) {
    String name = "cuda:" + index;
    if (!(report instanceof CudaReport.Ready ready)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s. %s",
              name,
              String.join("; ", report.facts()),
              String.join(" ", report.advice())));
    }
    if (!ready.advice().isEmpty()) {
      throw new TensorException(name + ": " + String.join(" ", ready.advice()));
    }
    if (index >= ready.devices().size()) {
      throw new TensorException(
          String.format(
                  Locale.ROOT,
                  "%s: there is no such device; the driver shows %s. Numbers start at 0; CUDA_VISIBLE_DEVICES hides",
                  name,
                  ready.devices())
              + " devices.");
    }
    GpuInfo device = ready.devices().get(index);
    if (device.capability() < LEAST_CAPABILITY) {
      throw new TensorException(name + ": " + tooOld(device));
    }
    if (!bindings) {
      throw new TensorException(name + ": " + GET_BINDINGS);
    }
    CudaLibrary nvrtc = required(name, Kind.NVRTC, ready);
    CudaLibrary cublas = required(name, Kind.CUBLAS, ready);
    var compiler = new CubinCache(new Nvrtc(nvrtc.symbols()), cache);
    try {
      return new JCudaDriver(index, device.toString(), compiler, cublas);
    } catch (UnsatisfiedLinkError e) {
      throw new TensorException(
          name
              + ": JCuda is there, but its native part for this system is not, or cannot be loaded. Add"
              + " org.jcuda:jcuda-natives and org.jcuda:jcublas-natives 12.6.0 (linux-x86_64 or"
              + " windows-x86_64; there are no others). The loader said: "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    }
  }

  private CudaLibrary required(String name, Kind kind, CudaReport.Ready ready) {
    return library(kind, ready)
        .orElseThrow(() -> new TensorException(name + ": " + search.missing(kind, ready.major())));
  }
}
