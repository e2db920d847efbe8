package carousel.autograd;

import static carousel.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A step that fails leaves nothing behind, and the next one works. */
@Tag("cpu") // of the engine
class FaultsTest {
  private static final int WIDTH = 32;

  private static Tensor weights() {
    return Philox.of(1).normal(F32, 0, 1, WIDTH, WIDTH);
  }

  /** One step over a batch. */
  private static Tensor step(Tensor w, int batch) {
    try (var step = TensorScope.open()) {
      Tensor x = Tensor.ones(batch, WIDTH);
      return step.keep(Grad.of(() -> x.matmul(w).tanh().matmul(w).tanh().sum(), w).get(0));
    }
  }

  /**
   * With caps of every height between what runs out at once and what suffices, memory ends in every
   * place: forward, backward, and what is made in between.
   */
  @Test
  void outOfTensorMemoryTheRunGoesOnWithASmallerBatch() {
    var capped = Device.of("capped", new ReferenceBackend());
    Memory memory = capped.backend().memory();
    int failures = 0;
    try (var run = TensorScope.open(capped)) {
      Tensor w = weights();
      Tensor small = step(w, 2);
      long before = memory.inUse();
      boolean enough = false;
      for (long room = 8 << 10; !enough; room += 2 << 10) {
        memory.limit(before + room);
        try (var attempt = TensorScope.open()) {
          step(w, 64);
          enough = true;
        } catch (TensorException e) {
          failures++;
          assertThat(e)
              .hasMessageContaining("out of memory on capped")
              .hasMessageContaining("FaultsTest.step(FaultsTest.java:")
              .hasMessageContaining("largest holders:")
              .hasMessageContaining("use smaller batches");
        }
        assertThat(memory.inUse()).as("with %d bytes", room).isEqualTo(before);
        memory.limit(Long.MAX_VALUE);
        try (var again = TensorScope.open()) {
          assertThat(step(w, 2).sameValues(small)).isTrue();
        }
      }
    }
    assertThat(failures).as("places where memory ended").isGreaterThan(8);
  }

  private static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private static Tensor stop() {
    throw new Stop();
  }

  @Test
  void anExceptionInForwardGivesTheMemoryBack() {
    givesBack(w -> Grad.of(() -> w.tanh().mul(stop()).sum(), w));
    givesBack(w -> Grad.of(() -> Grad.of(() -> w.tanh().mul(stop()).sum(), w).get(0).sum(), w));
    givesBack(w -> Grad.hvp(() -> w.tanh().mul(stop()).sum(), List.of(w), List.of(w)));
  }

  @Test
  void anExceptionInBackwardGivesTheMemoryBack() {
    givesBack(w -> {
      int[] runs = new int[1];
      Supplier<Tensor> segment = () -> ++runs[0] == 2 ? stop() : w.tanh();
      return Grad.of(() -> Grad.checkpoint(segment).exp().mul(w.sin()).sum(), w);
    });
  }

  private static void givesBack(Function<Tensor, Object> failing) {
    try (var run = TensorScope.open()) {
      Memory memory = run.device().backend().memory();
      Tensor w = weights();
      long before = memory.inUse();
      assertThatThrownBy(
              () -> {
                try (var step = TensorScope.open()) {
                  failing.apply(w);
                }
              })
          .isInstanceOf(Stop.class);
      assertThat(memory.inUse()).isEqualTo(before);
      step(w, 2);
    }
  }

  /** Tapes on all threads hold the same weights: their holds are counted by all, and end with them. */
  @Test
  void threadsDifferentiateByTheSameWeights() throws Exception {
    try (var run = TensorScope.open();
        var threads = Executors.newFixedThreadPool(4)) {
      Memory memory = run.device().backend().memory();
      Tensor alone = step(weights(), 2);
      long before = memory.inUse();
      try (var shared = TensorScope.open()) {
        Tensor w = weights();
        List<Callable<Boolean>> work = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
          work.add(() -> {
            for (int i = 0; i < 2_000; i++) {
              try (var own = TensorScope.open()) {
                if (!step(w, 2).sameValues(alone)) {
                  return false;
                }
              }
            }
            return true;
          });
        }
        for (Future<Boolean> same : threads.invokeAll(work)) {
          assertThat(same.get()).isTrue();
        }
      }
      assertThat(memory.inUse()).isEqualTo(before);
    }
  }

  @Test
  void whatIsLeftOfATapeOnAnotherThreadDoesNotOutliveIt() throws Exception {
    try (var run = TensorScope.open();
        var thread = Executors.newSingleThreadExecutor()) {
      Memory memory = run.device().backend().memory();
      long before = memory.inUse();
      var shared = TensorScope.open();
      Tensor w = weights();
      Pullback held =
          thread
              .submit(() -> {
                try (var own = TensorScope.open()) {
                  return Grad.vjp(() -> w.square().exp().sum(), w);
                }
              })
              .get();
      shared.close();
      assertThat(memory.inUse()).as("the tape reads on").isGreaterThan(before);
      thread.submit(held::close).get();
      assertThat(memory.inUse()).isEqualTo(before);
    }
  }
}
