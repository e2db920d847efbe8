package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.jvm.FreshJvm;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Pullbacks that nobody pulls or closes: what they saved comes back, and somebody hears of it. */
class DroppedPullbackTest {
  private static long inUse() {
    return Device.cpu().backend().memory().inUse();
  }

  /** Collects garbage until no more than so much is in use; the cleaner needs a moment. */
  private static boolean eventuallyInUse(long bytes) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (inUse() > bytes && System.nanoTime() < end) {
      System.gc();
      Thread.sleep(20);
    }
    return inUse() <= bytes;
  }

  /** Makes a pullback whose program saves 4000 bytes, and whose scope is closed. */
  private static Pullback make(Tensor x) {
    try (var step = TensorScope.open()) {
      return Grad.vjp(() -> x.exp().sum(), x);
    }
  }

  @Test
  void whatItSavedComesBack() throws InterruptedException {
    try (var run = TensorScope.open()) {
      Tensor x = Tensor.ones(1000);
      long before = inUse();
      make(x);
      assertThat(eventuallyInUse(before)).as("released by the cleaner").isTrue();
    }
  }

  /** Drops pullbacks of every kind; what is logged is the test. */
  public static final class Careless {
    /** Drops one as it is, and others after use. */
    public static void main(String[] args) throws InterruptedException {
      try (var run = TensorScope.open()) {
        Tensor x = Tensor.ones(1000);
        long before = inUse();
        for (int i = 0; i < 100; i++) {
          make(x).close();
          try (var step = TensorScope.open();
              var pulled = Grad.vjp(() -> x.exp().sum(), x)) {
            pulled.pull(pulled.value().onesLike());
          }
          try (var step = TensorScope.open()) {
            Grad.of(() -> x.exp().sum(), x);
            Grad.jvp(Tensor::exp, x, x);
          }
        }
        System.gc();
        Thread.sleep(100);
        System.out.println("used, in use " + (inUse() - before));
        make(x);
        boolean released = eventuallyInUse(before);
        System.out.println("released " + released);
      }
    }
  }

  @Test
  void theReportNamesThePlaceOnce() {
    var outcome = FreshJvm.run(List.of(Careless.class, Grad.class, Tensor.class));
    assertThat(outcome.exit()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .contains("used, in use 0", "released true")
        .containsOnlyOnce("leak:")
        .containsPattern(
            "leak: the pullback made at carousel.autograd.DroppedPullbackTest.make\\("
                + "DroppedPullbackTest.java:\\d+\\) was neither pulled nor closed; what it saved is"
                + " released now");
  }
}
