package carousel.jmh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** When a warm-up ends. */
class WarmUpTest {
  private static void sleep(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void endsWhenTheCompilerIsQuiet() {
    var outcome = new WarmUp(Duration.ofMillis(300), Duration.ofSeconds(60)).run(() -> sleep(5));
    assertThat(outcome.steady()).isTrue();
    assertThat(outcome.took()).isBetween(Duration.ofMillis(300), Duration.ofSeconds(60));
    assertThat(outcome.runs()).isGreaterThan(10);
  }

  /** However short the time is, some runs are seen; they are too few to tell. */
  @Test
  void givesUpInTime() {
    var outcome = new WarmUp(Duration.ofMillis(100), Duration.ofMillis(100)).run(() -> sleep(30));
    assertThat(outcome.steady()).isFalse();
    assertThat(outcome.runs()).isEqualTo(10);
  }

  @Test
  void quietFitsIntoTheTime() {
    assertThatThrownBy(() -> new WarmUp(Duration.ofSeconds(3), Duration.ofSeconds(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("warm-up: PT3S of quiet do not fit into at most PT2S");
  }

  @Test
  void aListingOfTheQueueNamesWhatIsCompiled() {
    String idle = "Current compiles: \n\nC1 compile queue:\nEmpty\n\nC2 compile queue:\nEmpty\n";
    assertThat(CompilerActivity.names(idle)).isFalse();
    assertThat(
            CompilerActivity.names(
                idle.replace(": \n", ": \nC2 CompilerThread0  905  4  a.B::c (80 bytes)\n")))
        .isTrue();
    assertThat(
            CompilerActivity.names(
                idle.replaceFirst("Empty", "      906       3       a.B::d (12 bytes)")))
        .isTrue();
  }

  /** On HotSpot, which tells. */
  @Test
  void theCompilerIsSeenAtWork() {
    var compiler = new CompilerActivity();
    assertThat(compiler.milliseconds()).isPositive();
    boolean rested = false;
    for (int i = 0; i < 200 && !rested; i++) {
      sleep(20);
      rested = !compiler.isBusy();
    }
    assertThat(rested).isTrue();
  }
}
