package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.jvm.FreshJvm;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Memory under load: the cap, steadiness over many steps, and many threads. */
class MemoryTest {
  private static final Path STATM = Path.of("/proc/self/statm");

  @Test
  void theCapListsTheLargestHolders() {
    var capped = Device.of("capped", new ReferenceBackend());
    Memory memory = capped.backend().memory();
    try (var run = TensorScope.open(capped)) {
      Tensor.zeros(DType.F64, 100, 100);
      Tensor.zeros(7);
      try (var step = TensorScope.open()) {
        for (int i = 0; i < 8; i++) {
          Tensor.ones(1000 + i);
        }
        memory.limit(memory.inUse() + 500);
        assertThatThrownBy(() -> Tensor.zeros(3, 1000))
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("full [3,1000]: out of memory on capped: 12,000 bytes wanted")
            .hasMessageContaining("cap ")
            .hasMessageContaining("open scopes, innermost first:")
            .hasMessageContaining("in 8 tensors, the scope opened at")
            .hasMessageContaining("80,028 bytes in 2 tensors")
            .hasMessageContaining("largest holders:")
            .hasMessageContaining("80,000 bytes  full [100,100]")
            .hasMessageContaining("4,028 bytes  full [1007]")
            .hasMessageContaining("-Dcarousel.memory=")
            .satisfies(
                e -> assertThat(String.valueOf(e.getMessage())).doesNotContain("full [1003]"));
        assertThat(Tensor.zeros(10).size()).as("what fits is still given").isEqualTo(10);
      }
      assertThat(Tensor.zeros(3, 1000).size()).as("after the scope was closed").isEqualTo(3000);
    }
  }

  /** The message names the device that is full, which need not be the scope's. */
  @Test
  void theCapNamesTheDeviceThatIsFull() {
    var capped = Device.of("capped", new ReferenceBackend());
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.zeros(1000);
      capped.backend().memory().limit(100);
      assertThatThrownBy(() -> x.to(capped))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("to [1000]: out of memory on capped");
    }
  }

  private static double step(int i) {
    try (var step = TensorScope.open()) {
      Tensor x = Tensor.full(DType.F32, i % 7, 4, 5);
      Tensor y = x.matmul(Tensor.ones(5, 3)).tanh().add(1).sum(0);
      return y.get(i % 3);
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void useStaysFlatOverManySteps(Device device) {
    int steps = device == Device.cpu() ? 20_000 : 2_000;
    Memory memory = device.backend().memory();
    try (var run = TensorScope.open(device)) {
      for (int i = 0; i < steps / 4; i++) {
        step(i);
      }
      long inUse = memory.inUse();
      long peak = memory.peak();
      for (int i = 0; i < steps; i++) {
        step(i);
      }
      assertThat(memory.inUse()).isEqualTo(inUse);
      assertThat(memory.peak()).isEqualTo(peak);
      assertThat(run.bytes()).isZero();
    }
  }

  /** Many steps in a heap of fixed size: what grows then is the memory of tensors. */
  public static final class Steps {
    /** Prints by how many bytes the process grew over 100 000 steps after warming up. */
    public static void main(String[] args) throws IOException {
      long before = 0;
      try (var run = TensorScope.open()) {
        for (int i = 0; i < 150_000; i++) {
          step(i);
          before = i == 50_000 ? resident() : before;
        }
      }
      System.out.println("grew " + (resident() - before));
    }

    private static long resident() throws IOException {
      return Long.parseLong(Files.readString(STATM).split(" ")[1]) * 4096;
    }
  }

  @Tag("cpu") // of the host
  @Test
  void residentMemoryStaysFlat() {
    Assumptions.assumeTrue(Files.isReadable(STATM), STATM + " is not there to read");
    // A heap that is there from the start, and no second compiler that wakes up late: without it
    // vectors would take minutes, and no memory is theirs.
    var outcome =
        FreshJvm.runBare(
            Steps.class,
            "-Xms64m",
            "-Xmx64m",
            "-XX:+AlwaysPreTouch",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1");
    assertThat(outcome.output()).contains("grew ");
    String grown = outcome.output().substring(outcome.output().indexOf("grew ") + 5).strip();
    // One lost result of the smallest size per step would be 6.4 MB.
    assertThat(Long.parseLong(grown)).as(outcome.output()).isLessThan(2_500_000);
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void threadsHaveTheirOwnScopes(Device device) throws Exception {
    long before = device.backend().memory().inUse();
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<Double>> sums = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int seed = t;
        sums.add(
            threads.submit(() -> {
              double sum = 0;
              try (var own = TensorScope.open(device)) {
                for (int i = 0; i < 500; i++) {
                  sum += step(seed + i);
                }
              }
              return sum;
            }));
      }
      for (int t = 0; t < 4; t++) {
        double alone = 0;
        try (var own = TensorScope.open(device)) {
          for (int i = 0; i < 500; i++) {
            alone += step(t + i);
          }
        }
        assertThat(get(sums.get(t))).isEqualTo(alone);
      }
    }
    assertThat(device.backend().memory().inUse()).isEqualTo(before);
  }

  private static double get(Future<Double> future) throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }
}
