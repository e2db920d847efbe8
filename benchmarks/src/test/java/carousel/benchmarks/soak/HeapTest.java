package carousel.benchmarks.soak;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.optim.Adam;
import carousel.nn.recurrent.Cells;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The heap runs out in the middle of a training, wherever that happens to be. */
class HeapTest {
  @TempDir private Path folder;

  /** Trains random models with next to no heap, and says what that left behind. */
  static final class Program {
    private static final int BLOCK = 1 << 12;
    private static final int MOST = 1 << 13;
    private static final int TRIALS = 12;

    private Program() {}

    public static void main(String[] args) throws IOException {
      var folder = Path.of(args[0]);
      var random = Philox.of(1);
      int failures = 0;
      for (int i = 0; i < TRIALS; i++) {
        String cell = Cells.names().get(i % Cells.names().size());
        var trial =
            new Trial(
                cell,
                DType.F32,
                5,
                3,
                4,
                6,
                2,
                false,
                true,
                0.3,
                Adam.rule(),
                i % 3 == 0,
                Trial.Fault.NONE,
                false,
                2,
                i);
        trial.run(folder); // with heap: all classes are loaded, all kernels made
        long before = inUse();
        try {
          starve(trial, folder, 1 + random.nextInt(20));
        } catch (OutOfMemoryError _) {
          failures++;
        } catch (IllegalArgumentException e) {
          // With no heap for another, the JVM throws one error twice, and what closes resources
          // adds it to itself.
          if (!(e.getCause() instanceof OutOfMemoryError)) {
            throw e;
          }
          failures++;
        }
        if (inUse() != before) {
          System.out.println((inUse() - before) + " bytes left behind by " + trial);
        }
        trial.run(folder);
      }
      System.out.println(failures + " ran out of heap, " + inUse() + " bytes in use");
    }

    private static long inUse() {
      return Device.cpu().backend().memory().inUse();
    }

    /** Runs while all of the heap but some blocks is taken. */
    private static void starve(Trial trial, Path folder, int blocks) throws IOException {
      byte[][] ballast = new byte[MOST][];
      int count = 0;
      try {
        while (true) {
          ballast[count] = new byte[BLOCK];
          count++;
        }
      } catch (OutOfMemoryError _) {
        Arrays.fill(ballast, count - blocks, count, null);
      }
      try {
        trial.run(folder);
      } finally {
        Reference.reachabilityFence(ballast);
      }
    }
  }

  @Test
  void aTrainingThatRanOutOfHeapLeavesNoTensorMemoryBehind() throws Exception {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    var flags =
        List.of(
            "-Xmx16m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Dcarousel.threads=1");
    var command = new ArrayList<String>(List.of(java));
    command.addAll(flags);
    command.addAll(
        List.of("-cp", path, Program.class.getName(), folder.resolve("files").toString()));
    var log = folder.resolve("log");
    var process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    process.destroyForcibly();
    String output = Files.readString(log);
    assertThat(ended).as(output).isTrue();

    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output)
        .containsPattern("[1-9]\\d* ran out of heap, 0 bytes in use")
        .doesNotContain("left behind");
  }
}
