package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Distribution;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Random fills give the same bits by every family of loops as by the definition. */
class RandomLoopsTest {
  private static final int[] SIZES = {0, 1, 3, 4, 31, 33, 8192, 8193, 20_001};

  /** Seeds and counters whose halves carry into each other. */
  private static final long[] SEEDS = {1, -1, 0x1234_5678_9ABC_DEF0L};

  private static final long[] COUNTERS = {0, 7, 0xFFFF_FFFEL, Long.MAX_VALUE - 2, -3};

  private static final Device REFERENCE = Device.of("reference", new ReferenceBackend());

  private static final List<Device> LOOPS =
      Operands.BACKENDS.stream().map(cpu -> Device.of(cpu.description(), cpu)).toList();

  @Test
  void uniform() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (long seed : SEEDS) {
        for (long counter : COUNTERS) {
          var draw = new Philox.Draw(seed, counter);
          same(
              type,
              (backend, y) -> backend.random(Distribution.UNIFORM, draw, y),
              "uniform " + seed + " " + counter);
        }
      }
    }
  }

  @Test
  void bernoulli() {
    // With 24 bits: below, on and above one of the numbers; as F32 and rounded to F32.
    for (double p : new double[] {0, 0x1p-24, 0.1, 0.3, 0.5, 0.5 + 0x1p-24, 1 - 0x1p-24, 1}) {
      var draw = new Philox.Draw(5, 9);
      same(DType.BOOL, (backend, y) -> backend.bernoulli(p, draw, y), "p = " + p);
    }
  }

  private static void same(DType type, BiConsumer<Backend, Tensor> fill, String what) {
    for (int size : SIZES) {
      try (var scope = TensorScope.open()) {
        double[] expected = filled(REFERENCE, type, fill, size);
        for (Device cpu : LOOPS) {
          double[] actual = filled(cpu, type, fill, size);
          assertThat(Arrays.mismatch(actual, expected))
              .as("the first of %d numbers that differs, %s, %s %s", size, cpu, type, what)
              .isNegative();
        }
      }
    }
  }

  private static double[] filled(
      Device device, DType type, BiConsumer<Backend, Tensor> fill, int size) {
    Tensor y = Engine.empty("test", device, type, Shape.of(size));
    fill.accept(device.backend(), y);
    return Operands.values(y);
  }
}
