package carousel.tensor.cpu.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void everyChunkRunsOnce(int threads) {
    var workers = new Workers(threads);
    for (int chunks : new int[] {0, 1, 2, 3, 64, 1000}) {
      for (int round = 0; round < 200; round++) {
        var runs = new AtomicIntegerArray(chunks);
        workers.run(chunks, runs::incrementAndGet);
        for (int i = 0; i < chunks; i++) {
          assertThat(runs.get(i)).isEqualTo(1);
        }
      }
    }
    workers.close();
  }

  @Test
  void jobsComeThroughAfterTheWorkersHaveParked() throws InterruptedException {
    var workers = new Workers(3);
    for (int round = 0; round < 50; round++) {
      Thread.sleep(1);
      var sum = new AtomicInteger();
      workers.run(100, sum::addAndGet);
      assertThat(sum.get()).isEqualTo(4950);
    }
    workers.close();
  }

  @Test
  void aCallFromInsideAChunkRunsInline() {
    var workers = new Workers(2);
    var inner = new AtomicInteger();
    workers.run(
        8,
        chunk -> {
          var here = Thread.currentThread();
          workers.run(
              5,
              i -> {
                assertThat(Thread.currentThread()).isSameAs(here);
                inner.incrementAndGet();
              });
        });
    assertThat(inner.get()).isEqualTo(40);
    workers.close();
  }

  @Test
  void callersFromSeveralThreadsDoNotMix() throws InterruptedException {
    var workers = new Workers(2);
    Thread[] callers = new Thread[4];
    var wrong = new AtomicInteger();
    for (int t = 0; t < callers.length; t++) {
      callers[t] =
          Thread.ofPlatform()
              .start(() -> {
                for (int round = 0; round < 500; round++) {
                  var sum = new AtomicInteger();
                  workers.run(10, sum::addAndGet);
                  if (sum.get() != 45) {
                    wrong.incrementAndGet();
                  }
                }
              });
    }
    for (Thread caller : callers) {
      caller.join();
    }
    assertThat(wrong.get()).isZero();
    workers.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void anExceptionReachesTheCallerAndThePoolSurvives(int threads) {
    var workers = new Workers(threads);
    for (int round = 0; round < 20; round++) {
      assertThatThrownBy(() ->
              workers.run(
                  16,
                  chunk -> {
                    if (chunk == 7) {
                      throw new IllegalStateException("chunk 7");
                    }
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("chunk 7");
      var sum = new AtomicInteger();
      workers.run(16, sum::addAndGet);
      assertThat(sum.get()).isEqualTo(120);
    }
    workers.close();
  }

  @Test
  void aClosedPoolStillServesItsCaller() {
    var workers = new Workers(2);
    workers.close();
    var sum = new AtomicInteger();
    workers.run(10, sum::addAndGet);
    assertThat(sum.get()).isEqualTo(45);
  }

  @Test
  void aPoolNeedsAThread() {
    assertThatThrownBy(() -> new Workers(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("threads: 0");
  }
}
