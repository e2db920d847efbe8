package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.replay.CudaRecorder;
import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.NAdam;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Replay;
import carousel.tensor.SharedScope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.spi.Memory;
import carousel.tensor.spi.Recorder;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What only a device that records can get wrong: its memory, and code that cannot be repeated. */
@Tag(Cuda.DEVICE)
class CudaReplayTest {
  private final Device device = Cuda.device();
  private final Memory memory = device.backend().memory();
  private final TensorScope scope = TensorScope.open(device);
  private long inUse;

  @BeforeEach
  void look() {
    inUse = memory.inUse();
  }

  @AfterEach
  void close() {
    scope.close();
    assertThat(memory.inUse()).as("memory afterwards").isEqualTo(inUse);
  }

  @Test
  void runsItsCodeTwiceAndNoMore() {
    var ran = new AtomicInteger();
    Tensor x = Tensor.zeros(3);
    try (var sum =
        Replay.of(() -> {
          ran.incrementAndGet();
          return x.add(1).sum();
        })) {
      Tensor result = sum.run();
      for (int i = 0; i < 5; i++) {
        x.fill(i);
        assertThat(sum.run()).isSameAs(result);
        assertThat(result.item()).isEqualTo(3 * (i + 1));
      }
    }
    assertThat(ran).hasValue(2);
  }

  /** Sums of a few and of many elements: small blocks of a slab, and large ones. */
  @Test
  void sharesNoMemoryWithWhatComesBetweenRuns() {
    Tensor x = Tensor.ones(700, 700);
    List<Tensor> others = new ArrayList<>();
    try (var product =
        Replay.of(() -> {
          Tensor y = x.mul(2);
          Tensor z = y.sum(0).add(1);
          return y.add(z).sum();
        })) {
      double wanted = product.run().item();
      for (int run = 0; run < 4; run++) {
        assertThat(product.run().item()).isEqualTo(wanted);
        for (int n : new int[] {1, 700, 490_000}) {
          others.add(Tensor.full(DType.F32, -7, n));
        }
      }
      for (Tensor other : others) {
        assertThat(other.min().item()).isEqualTo(-7);
        assertThat(other.max().item()).isEqualTo(-7);
      }
    }
  }

  @Test
  void recordsItsOwnThreadOnly() throws Exception {
    Tensor x = Tensor.ones(3);
    var sums = new ArrayList<Double>();
    try (var sum =
        Replay.of(() -> {
          Tensor doubled = x.mul(2);
          var other =
              new Thread(() -> {
                try (var own = TensorScope.open(device)) {
                  sums.add(Tensor.ones(5).mul(3).sum().item());
                }
              });
          other.start();
          try {
            other.join();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return doubled.sum();
        })) {
      for (int i = 0; i < 3; i++) {
        assertThat(sum.run().item()).isEqualTo(6);
      }
    }
    assertThat(sums).containsExactly(15.0, 15.0);
  }

  private static void fails(Supplier<Tensor> code, String... parts) {
    try (var replay = Replay.of(code)) {
      Tensor unused = replay.run();
      var thrown = assertThatThrownBy(replay::run).isInstanceOf(TensorException.class);
      for (String part : parts) {
        thrown.hasMessageContaining(part);
      }
    }
  }

  @Test
  void saysWhatCannotBeRepeated() {
    Tensor x = Tensor.ones(3);
    var rng = Philox.of(1);
    fails(() -> x.mul(x.sum().item()), "read: the code of a replay reads values of the device");
    fails(() -> x.mul(Tensor.of(1f, 2, 3)), "write: the code of a replay takes values");
    fails(() -> x.mul(rng.nextInt(3)), "nextInt: the code of a replay draws a number");
    fails(() -> x.mul(rng.nextDouble()), "nextDouble: the code of a replay draws a number");
  }

  @Test
  void saysThatMemoryIsKept() {
    Tensor x = Tensor.ones(3);
    fails(
        () -> {
          Tensor unused = TensorScope.current().keep(x.mul(2));
          return x.sum();
        },
        "the code keeps 64 bytes in tensors that outlive it");
  }

  /** Kept by the run that cannot be repeated: a small block of a slab, and a large one. */
  @Test
  void whatAFailedRecordingKeptSharesNoMemory() {
    Tensor x = Tensor.ones(700, 700);
    List<Tensor> kept = new ArrayList<>();
    try (var run = TensorScope.open()) {
      fails(
          () -> {
            var own = TensorScope.current();
            kept.add(own.keep(x.mul(2)));
            kept.add(own.keep(x.select(0, 0).mul(2)));
            return x.sum();
          },
          "the code keeps");
      assertThat(kept).hasSize(4);
      List<Tensor> others = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        for (int n : new int[] {16, 700, 490_000}) {
          others.add(Tensor.full(DType.F32, -7, n));
        }
      }
      kept.forEach(tensor -> tensor.fill(5));
      others.forEach(tensor -> assertThat(tensor.max().item()).isEqualTo(-7));
    }
    // Nobody has it twice now: each of these is another's if it was freed twice.
    for (int n : new int[] {700, 490_000}) {
      List<Tensor> fresh = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        fresh.add(Tensor.full(DType.F32, i, n));
      }
      for (int i = 0; i < 8; i++) {
        assertThat(fresh.get(i).min().item()).isEqualTo(i);
        assertThat(fresh.get(i).max().item()).isEqualTo(i);
      }
    }
  }

  @Test
  void saysThatATensorOfTheCodeWasClosed() {
    try (var product = product()) {
      assertThatThrownBy(product::run)
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("use after close: this tensor (full [3])");
    }
  }

  /** Recorded, and then one of its factors is closed. */
  private static Replay product() {
    Tensor x = Tensor.ones(3);
    try (var inner = TensorScope.open()) {
      Tensor factor = Tensor.ones(3);
      var product = Replay.of(() -> x.mul(factor).sum());
      for (int i = 0; i < 3; i++) {
        assertThat(product.run().item()).isEqualTo(3);
      }
      return product;
    }
  }

  /** Its calls read it; elsewhere it is gone. */
  @Test
  void keepsWhatTheCodeCloses() {
    Tensor x = Tensor.ones(3);
    var factors = new ArrayDeque<Factor>();
    try (var sum =
        Replay.of(() -> {
          Factor factor = factors.remove();
          Tensor y = x.mul(factor.value()).sum();
          factor.owner().close();
          return y;
        })) {
      for (int i = 0; i < 4; i++) {
        if (i < 2) {
          factors.add(Factor.of(device, 2));
        }
        assertThat(sum.run().item()).isEqualTo(6);
        Tensor other = Tensor.full(DType.F32, -7, 3);
        assertThat(other.sum().item()).isEqualTo(-21);
      }
    }
  }

  /** Its calls hold what they work on, and every tensor that is freed asks those that are open. */
  @Test
  void aClosedRecordingIsForgotten() throws InterruptedException {
    CudaDriver driver = Cuda.emulated();
    var recorder = new CudaRecorder(driver, Cuda.pool(driver));
    var closed = new WeakReference<>(closed(recorder));
    try {
      for (int i = 0; i < 100 && closed.get() != null; i++) {
        System.gc();
        Thread.sleep(10);
      }
      assertThat(closed.get()).isNull();
    } finally {
      Reference.reachabilityFence(recorder);
    }
  }

  private static Recorder.Recorded closed(CudaRecorder recorder) {
    Recorder.Recorded recorded = recorder.record(() -> {});
    recorded.close();
    return recorded;
  }

  /** A tensor that its reader closes. */
  private record Factor(SharedScope owner, Tensor value) {
    static Factor of(Device device, double value) {
      var owner = SharedScope.open(device);
      return new Factor(owner, owner.make(() -> Tensor.full(DType.F32, value, 3)));
    }
  }

  @Test
  void saysThatARuleIsNotElementwise() {
    var layer = Linear.of(3, 2, Init.xavierUniform(), Philox.of(1));
    var optimizer = NAdam.of(layer.parameters(), 0.1);
    Tensor x = Tensor.ones(4, 3);
    fails(
        () -> {
          var gradients =
              Grad.of(() -> Loss.mse(layer.apply(x), x.narrow(1, 0, 2)), layer.parameters());
          optimizer.step(gradients);
          return gradients.value();
        },
        "optimizer: the code of a replay steps by NAdam");
  }

  @Test
  void saysThatATapeSavedWhatARunOverwrites() {
    Tensor x = Tensor.ones(3);
    try (var grow = Replay.of(() -> x.assign(x.add(1)).sum())) {
      Tensor unused = grow.run();
      Tensor recorded = grow.run();
      assertThatThrownBy(() ->
              Grad.of(
                  () -> {
                    Tensor y = x.square();
                    carousel.tensor.op.Interpreter.EAGER.run(grow::run);
                    return y.sum();
                  },
                  x))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("changed in place");
      assertThat(recorded.item()).isEqualTo(12);
    }
  }

  @Test
  void reportsAnIndexThatIsOutOfRangeInALaterRun() {
    Tensor x = Tensor.ones(3);
    Tensor index = Tensor.of(0, 2);
    try (var picked = Replay.of(() -> x.indexSelect(index, 0))) {
      assertThat(picked.run().sum().item()).isEqualTo(2);
      assertThat(picked.run().sum().item()).isEqualTo(2);
      index.fill(3);
      assertThatThrownBy(() -> picked.run().sum().item())
          .hasMessageContaining("indexSelect: index 3 is out of range [0,3)");
    }
  }

  @Test
  void runsWithinTheCodeOfAnother() {
    Tensor x = Tensor.ones(3);
    try (var inner = Replay.of(() -> x.mul(2).sum())) {
      Tensor first = inner.run();
      try (var outer = Replay.of(() -> inner.run().add(1))) {
        for (int i = 0; i < 4; i++) {
          x.fill(i);
          assertThat(outer.run().item()).isEqualTo(6 * i + 1);
        }
      }
      assertThat(first.item()).isEqualTo(18);
    }
  }
}
