package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.host.HostMemory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dense copies of permuted views, around the sizes of blocks and tiles, element by element. */
class CopyLoopsTest {
  private static final int[][] SIZES = {
    {70, 301},
    {3, 5000},
    {5000, 3},
    {1, 64, 65},
    {40, 9, 17},
    {700, 4, 3},
    {2, 257, 60},
    {6, 7, 8, 29}
  };
  private static final int[][] ORDERS = {
    {1, 0},
    {2, 1, 0},
    {1, 0, 2},
    {0, 2, 1},
    {2, 0, 1},
    {1, 2, 0},
    {3, 2, 1, 0},
    {1, 3, 0, 2},
    {0, 2, 1, 3}
  };

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void permutedViewsKeepTheirElements(Kernels kernels) {
    var cpu = Device.of(kernels.description(), new CpuBackend(HostMemory.pool(), kernels));
    for (DType type : new DType[] {DType.BOOL, DType.F32, DType.F64}) {
      for (int[] dims : SIZES) {
        for (int[] order : ORDERS) {
          if (order.length == dims.length) {
            try (var scope = TensorScope.open(cpu)) {
              Tensor whole = Philox.of(1).integers(0, type == DType.BOOL ? 2 : 1 << 24, dims);
              Tensor x = whole.cast(type).permute(order);
              double[] flat = whole.toDoubleArray();
              double[] copy = x.copy().toDoubleArray();
              long[] strides = Engine.layout(x).strides();
              for (int i = 0; i < copy.length; i++) {
                long at = 0;
                int rest = i;
                for (int k = strides.length - 1; k >= 0; k--) {
                  at += rest % x.dim(k) * strides[k];
                  rest /= x.dim(k);
                }
                if (copy[i] != flat[(int) at]) {
                  assertThat(copy[i])
                      .as("%s %s element %d", type, Engine.layout(x), i)
                      .isEqualTo(flat[(int) at]);
                }
              }
            }
          }
        }
      }
    }
  }
}
