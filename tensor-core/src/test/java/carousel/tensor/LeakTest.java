package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.jvm.FreshJvm;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Scopes that nobody closes: their memory comes back, and somebody hears of it. */
class LeakTest {
  private static long inUse() {
    return Device.cpu().backend().memory().inUse();
  }

  /** Collects garbage until something holds; the cleaner needs a moment. */
  private static boolean eventually(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < end) {
      System.gc();
      Thread.sleep(20);
    }
    return condition.getAsBoolean();
  }

  @Test
  void theScopeAroundClosesWhatWasLeftOpen() {
    long before = inUse();
    TensorScope inner;
    TensorScope innermost;
    try (var outer = TensorScope.open()) {
      inner = TensorScope.open();
      innermost = TensorScope.open();
      Tensor.zeros(1000);
      assertThat(outer.bytes()).isZero();
    }
    assertThat(inUse()).isEqualTo(before);
    assertThat(inner.isClosed()).isTrue();
    innermost.close();
    inner.close();
    try (var next = TensorScope.open()) {
      assertThat(TensorScope.current()).isSameAs(next);
    }
  }

  /** The tensors know their owner, the cleaner knows the tensors: that must not keep the owner alive. */
  @Test
  void memoryOfADeadThreadComesBack() throws InterruptedException {
    long before = inUse();
    var survivor = new AtomicReference<Tensor>();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              TensorScope.open();
              survivor.set(Tensor.zeros(1 << 16));
            });
    thread.join();
    assertThat(inUse()).isGreaterThan(before);
    assertThat(eventually(() -> inUse() == before)).as("freed by the cleaner").isTrue();
    assertThat(survivor.get().storage().isOpen()).isFalse();
    assertThat(survivor.get().toString()).contains("(closed)");
  }

  /** Leaves scopes open; what is logged is the test. */
  public static final class Forgetful {
    /** Leaks one scope to the scope around it, and one to the cleaner. */
    public static void main(String[] args) throws InterruptedException {
      try (var outer = TensorScope.open()) {
        forgotten();
      }
      Thread thread =
          Thread.ofPlatform()
              .start(() -> {
                var left = TensorScope.open();
                Tensor.zeros(1000);
                System.out.println(left);
              });
      thread.join();
      boolean freed = eventually(() -> inUse() == 0);
      // The warning is written after the memory is counted out.
      Thread.sleep(200);
      System.out.println("freed " + freed);
    }

    private static void forgotten() {
      TensorScope.open();
    }
  }

  @Test
  void theReportNamesThePlace() {
    var outcome = FreshJvm.run(Forgetful.class);
    assertThat(outcome.exit()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .contains("Forgetful.forgotten(LeakTest.java:")
        .contains("was never closed; closed by the scope around it")
        .containsPattern(
            "leak: the scope opened at .*Forgetful.*LeakTest.java:\\d+\\) was never closed;"
                + " what it holds, 4000 bytes, is freed now")
        .contains("freed true");
  }

  /** Closes everything; nothing is to be said. */
  public static final class Tidy {
    /** Opens and closes scopes, and drops them. */
    public static void main(String[] args) throws InterruptedException {
      for (int i = 0; i < 1000; i++) {
        try (var scope = TensorScope.open()) {
          Tensor.zeros(10);
        }
      }
      System.gc();
      Thread.sleep(100);
      System.out.println("in use " + inUse());
    }
  }

  @Test
  void nothingIsReportedOfClosedScopes() {
    var outcome = FreshJvm.run(Tidy.class);
    assertThat(outcome.output()).contains("in use 0").doesNotContain("never closed");
  }
}
