package carousel.benchmarks.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is compared, and how a process of it is started. */
enum Library {
  /** This framework. */
  CAROUSEL("carousel", "carousel.benchmarks.compare.Carousel", List.of(Setting.DEFAULT)),
  /** This framework with every composite run by its body. */
  CAROUSEL_GRAPH(
      "carousel, graph", "carousel.benchmarks.compare.Carousel", List.of(Setting.DEFAULT)),
  /** libtorch in the build that calls OpenBLAS. */
  LIBTORCH_OPENBLAS("libtorch, OpenBLAS", "carousel.benchmarks.peers.Libtorch", Setting.GNU),
  /** libtorch in the build that calls MKL; its OpenMP is GNU's, too. */
  LIBTORCH_MKL("libtorch, MKL", "carousel.benchmarks.peers.Libtorch", Setting.GNU),
  /** DL4J's MultiLayerNetwork on nd4j-native. */
  DL4J("DL4J", "carousel.benchmarks.peers.Dl4j", Setting.GNU),
  /** OpenBLAS by itself; it has threads of its own. */
  OPENBLAS("OpenBLAS", "carousel.benchmarks.peers.OpenBlas", List.of(Setting.DEFAULT)),
  /** MKL by itself. */
  MKL("MKL", "carousel.benchmarks.peers.Mkl", Setting.INTEL);

  /** As tables show it. */
  final String label;

  /** Those that apply. */
  final List<Setting> settings;

  private final String program;

  Library(String label, String program, List<Setting> settings) {
    this.label = label;
    this.program = program;
    this.settings = settings;
  }

  /** Whether it is measured beside us, and needs the profile {@code peers}. */
  boolean isPeer() {
    return this != CAROUSEL && this != CAROUSEL_GRAPH;
  }

  /** As the command line spells it. */
  String option() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The command line of a process.
   *
   * @param target the build folder of this module
   * @param threads how many the library may use
   */
  List<String> command(Path target, int threads) {
    String path = target.resolve("classes") + ":" + target.resolve("lib") + "/*";
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // The same heap for all: the memory that counts is outside of it.
                "-XX:+UseSerialGC",
                "-Xms32m",
                "-Xmx1g",
                "-XX:ErrorFile=" + target.resolve("compare/crash-%p.log"),
                "--enable-native-access=ALL-UNNAMED"));
    if (isPeer()) {
      Path peers = target.resolve("peers");
      String jars =
          this == DL4J ? "dl4j" : "bytedeco"; // they want other versions of the same libraries
      path += ":" + peers.resolve("classes") + ":" + peers.resolve(jars) + "/*";
      command.add("-Dorg.bytedeco.javacpp.cachedir=" + peers.resolve("cache"));
      command.add("-Dcompare.threads=" + threads);
      if (this == LIBTORCH_MKL) {
        command.add("-Dorg.bytedeco.javacpp.pathsFirst=true");
        command.add("-Djava.library.path=" + mkl(peers));
      }
    } else {
      command.addAll(
          List.of("--add-modules", "jdk.incubator.vector", "-Dcarousel.threads=" + threads));
      if (this == CAROUSEL_GRAPH) {
        command.add("-Dcarousel.fused=off");
      }
    }
    command.addAll(List.of("-cp", path, program));
    return command;
  }

  /** The environment of a process, beside that of the setting. */
  Map<String, String> environment(Path target, int threads) {
    if (!isPeer()) {
      return Map.of();
    }
    String n = Integer.toString(threads);
    var variables =
        new HashMap<>(
            Map.of("OMP_NUM_THREADS", n, "OPENBLAS_NUM_THREADS", n, "MKL_NUM_THREADS", n));
    if (Machine.isAmdWithAvx512()) {
      // OpenBLAS takes processors it does not know for older ones: with this it is twice as fast.
      variables.put("OPENBLAS_CORETYPE", "SKYLAKEX");
    }
    if (this == LIBTORCH_MKL) {
      variables.put("LD_LIBRARY_PATH", mkl(target.resolve("peers")).toString());
    }
    return variables;
  }

  private static Path mkl(Path peers) {
    return peers.resolve("libtorch-mkl/pytorch/cpu/linux-x86_64");
  }
}
