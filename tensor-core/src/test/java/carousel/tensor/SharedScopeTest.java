package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.jvm.FreshJvm;
import carousel.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Tensors that no thread owns: made on one, read on several, freed on another. */
class SharedScopeTest {
  private static long inUse() {
    return Device.cpu().backend().memory().inUse();
  }

  /** Runs work on a thread that ends then. */
  private static <T> T elsewhere(Callable<T> work) throws Exception {
    try (var threads = Executors.newSingleThreadExecutor()) {
      return threads.submit(work).get();
    }
  }

  @Test
  void oneThreadOpensAnotherMakesAThirdCloses() throws Exception {
    long before = inUse();
    var shared = SharedScope.open();
    Tensor x = elsewhere(() -> shared.make(() -> Tensor.ones(1000)));
    assertThat(shared.bytes()).isEqualTo(4000);
    assertThat(shared.device()).isSameAs(Device.standard());
    try (var own = TensorScope.open()) {
      assertThat(x.sum().item()).isEqualTo(1000);
    }
    boolean unused =
        elsewhere(() -> {
          shared.close();
          return true;
        });
    assertThat(inUse()).isEqualTo(before);
    assertThat(shared.toString())
        .contains("the shared scope opened at", "SharedScopeTest.")
        .endsWith("(closed)");
    assertThatThrownBy(x::toFloatArray)
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("use after close", "the shared scope opened at");
    shared.close();
  }

  @Test
  void severalThreadsReadAndMakeAtOnce() throws Exception {
    long before = inUse();
    try (var shared = SharedScope.open();
        var threads = Executors.newFixedThreadPool(4)) {
      Tensor weights = shared.make(() -> Tensor.ones(8, 8));
      List<Future<Double>> sums = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        sums.add(
            threads.submit(() -> {
              double sum = 0;
              for (int i = 0; i < 200; i++) {
                try (var step = TensorScope.open()) {
                  sum += weights.matmul(weights).sum().item();
                }
                shared.make(() -> Tensor.zeros(1));
              }
              return sum;
            }));
      }
      for (Future<Double> sum : sums) {
        assertThat(sum.get()).isEqualTo(200 * 512);
      }
      assertThat(shared.bytes()).isEqualTo(256 + 800 * 4);
    }
    assertThat(inUse()).isEqualTo(before);
  }

  @Test
  void onlyWhatIsMadeInItBelongsToIt() {
    try (var around = TensorScope.open();
        var shared = SharedScope.open()) {
      Tensor before = Tensor.ones(1);
      Tensor[] fields = new Tensor[1];
      shared.make(() -> {
        fields[0] = Tensor.ones(3);
        try (var inner = TensorScope.open()) {
          Tensor.ones(5);
        }
      });
      Tensor after = Tensor.ones(1);
      assertThat(shared.bytes()).isEqualTo(12);
      assertThat(around.bytes()).isEqualTo(8);
      assertThat(around.owns(before)).isTrue();
      assertThat(around.owns(after)).isTrue();
      assertThat(around.owns(fields[0])).isFalse();
    }
  }

  /** Whatever the scopes of a thread are, a shared one is further out. */
  @Test
  void keepLeavesItsTensorsWhereTheyAre() throws Exception {
    try (var shared = SharedScope.open()) {
      Tensor x = shared.make(() -> Tensor.ones(3));
      boolean unused =
          elsewhere(() -> {
            try (var outer = TensorScope.open();
                var inner = TensorScope.open()) {
              assertThat(inner.keep(x)).isSameAs(x);
              assertThat(outer.adopt(x)).isSameAs(x);
              assertThat(outer.bytes()).isZero();
            }
            return true;
          });
      assertThat(x.storage().isOpen()).isTrue();
      assertThat(shared.bytes()).isEqualTo(12);
    }
  }

  @Test
  void whatATapeHoldsOutlivesIt() {
    long before = inUse();
    Storage held;
    try (var shared = SharedScope.open()) {
      held = shared.make(() -> Tensor.ones(3)).storage();
      held.retain();
    }
    assertThat(held.isOpen()).isTrue();
    held.release();
    assertThat(inUse()).isEqualTo(before);
  }

  @Test
  void whatFailsIsFreed() {
    long before = inUse();
    try (var shared = SharedScope.open()) {
      assertThatThrownBy(() ->
              shared.make(() -> {
                Tensor.ones(1000);
                throw new IllegalStateException("on purpose");
              }))
          .hasMessage("on purpose");
      assertThat(shared.bytes()).isZero();
      assertThat(inUse()).isEqualTo(before);
    }
  }

  @Test
  void aClosedOneMakesNothing() {
    long before = inUse();
    var shared = SharedScope.open();
    assertThatThrownBy(() ->
            shared.make(() -> {
              shared.close();
              return Tensor.ones(1000);
            }))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("make: the shared scope opened at");
    assertThat(inUse()).isEqualTo(before);
    assertThatThrownBy(() -> shared.make(() -> Tensor.ones(1)))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("is closed", "open another");
  }

  /** An ordinary scope that is closed elsewhere says what to take instead. */
  @Test
  void aScopeClosedElsewhereNamesThisOne() throws Exception {
    try (var own = TensorScope.open()) {
      String message =
          elsewhere(() -> {
            try {
              own.close();
              return "";
            } catch (TensorException e) {
              return String.valueOf(e.getMessage());
            }
          });
      assertThat(message).contains("belongs to thread", "make what threads share in a SharedScope");
    }
  }

  @Test
  void isNamedWhenMemoryIsOut() {
    var capped = Device.of("capped", new ReferenceBackend());
    try (var shared = SharedScope.open(capped);
        var run = TensorScope.open(capped)) {
      shared.make(() -> Tensor.zeros(100));
      capped.backend().memory().limit(capped.backend().memory().inUse() + 500);
      assertThatThrownBy(() -> Tensor.zeros(1000))
          .hasMessageContaining("400 bytes in 1 tensors, the shared scope opened at")
          .hasMessageContaining("400 bytes  full [100]");
    }
  }

  /** Drops one that is open and one that is closed; what is logged is the test. */
  public static final class Forgetful {
    private static Tensor forgotten() {
      return SharedScope.open().make(() -> Tensor.ones(1000));
    }

    /** Waits for the report of one, then uses what it holds. */
    public static void main(String[] args) throws InterruptedException {
      SharedScope.open().close();
      Tensor x = forgotten();
      for (int i = 0; i < 10; i++) {
        System.gc();
        Thread.sleep(50);
      }
      try (var own = TensorScope.open()) {
        System.out.println("still " + x.sum().item());
      }
    }
  }

  @Test
  void aDroppedOneIsReportedAndKeepsItsTensors() {
    var outcome = FreshJvm.run(Forgetful.class);
    assertThat(outcome.exit()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .containsOnlyOnce("leak:")
        .containsPattern(
            "leak: the shared scope opened at .*Forgetful.forgotten\\(SharedScopeTest.java:\\d+\\)"
                + " was dropped and never closed; what it holds, 4000 bytes, stays in use")
        .contains("still 1000.0");
  }
}
