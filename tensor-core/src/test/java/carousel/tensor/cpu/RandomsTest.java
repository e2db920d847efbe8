package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.host.HostMemory;
import carousel.tensor.op.Distribution;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import java.util.function.BiConsumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random fills give the same bits by every family of loops as by the definition. */
class RandomsTest {
  private static final int[] SIZES = {0, 1, 3, 4, 31, 33, 8192, 8193, 20_001};

  /** Seeds and counters whose halves carry into each other. */
  private static final long[] SEEDS = {1, -1, 0x1234_5678_9ABC_DEF0L};

  private static final long[] COUNTERS = {0, 7, 0xFFFF_FFFEL, Long.MAX_VALUE - 2, -3};

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void uniform(Kernels kernels) {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (long seed : SEEDS) {
        for (long counter : COUNTERS) {
          same(
              kernels,
              type,
              (backend, y) ->
                  backend.random(Distribution.UNIFORM, new Philox.Draw(seed, counter), y));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void bernoulli(Kernels kernels) {
    // With 24 bits: below, on and above one of the numbers; as F32 and rounded to F32.
    for (double p : new double[] {0, 0x1p-24, 0.1, 0.3, 0.5, 0.5 + 0x1p-24, 1 - 0x1p-24, 1}) {
      same(kernels, DType.BOOL, (backend, y) -> backend.bernoulli(p, new Philox.Draw(5, 9), y));
    }
  }

  private static void same(Kernels kernels, DType type, BiConsumer<Backend, Tensor> fill) {
    var cpu = Device.of(kernels.description(), new CpuBackend(HostMemory.pool(), kernels));
    var reference = Device.of("reference", new ReferenceBackend());
    for (int size : SIZES) {
      try (var scope = Scope.open()) {
        Tensor actual = Tensor.empty("test", cpu, type, Shape.of(size));
        Tensor expected = Tensor.empty("test", reference, type, Shape.of(size));
        fill.accept(cpu.backend(), actual);
        fill.accept(reference.backend(), expected);
        assertThat(actual.cast(DType.F64).toDoubleArray())
            .containsExactly(expected.cast(DType.F64).toDoubleArray());
      }
    }
  }
}
