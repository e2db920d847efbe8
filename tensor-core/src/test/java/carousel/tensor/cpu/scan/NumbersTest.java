package carousel.tensor.cpu.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.CpuBackend;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.HostMemory;
import carousel.tensor.op.Scan;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Numbers of a step may change from call to call: few kernels are made of them, and none is stale. */
class NumbersTest {
  private final AtomicInteger made = new AtomicInteger();
  private Device device = Device.cpu();

  @BeforeEach
  void countPrograms() {
    assumeTrue(
        !"off".equals(System.getProperty("carousel.vector")),
        "no loops are made without the Vector API");
    Kernels kernels = new VectorKernels();
    InvocationHandler count =
        (proxy, method, arguments) -> {
          if ("pointwise".equals(method.getName())) {
            made.incrementAndGet();
          }
          return method.invoke(kernels, arguments);
        };
    var counted =
        (Kernels)
            Proxy.newProxyInstance(
                NumbersTest.class.getClassLoader(), new Class<?>[] {Kernels.class}, count);
    device = Device.of("counted", new CpuBackend(HostMemory.pool(), counted));
  }

  private static double[] run(double scale, double shift, DType type) {
    Tensor z = Philox.of(3).normal(type, 0, 1, 2, 3, 5);
    Tensor h = Philox.of(4).normal(type, 0, 1, 3, 5);
    Scan.Step step =
        (in, state) -> {
          Tensor next = in[0].mul(scale).add(state[0].add(shift));
          return new Tensor[] {next.mul(2), next};
        };
    var kernel = Kernel.of(step, new Scan.Sequence(z), List.of(h), 2, null);
    double[] y = kernel.fused().forward(kernel.inputs()).outputs()[0].toDoubleArray();
    double[] in = z.toDoubleArray();
    double[] before = h.toDoubleArray();
    for (int i = 0; i < before.length; i++) {
      double first = in[i] * scale + before[i] + shift;
      double second = in[before.length + i] * scale + first + shift;
      assertThat(y[i]).isCloseTo(2 * first, within(1e-5));
      assertThat(y[before.length + i]).isCloseTo(2 * second, within(1e-5));
    }
    return y;
  }

  @Test
  void everyCallHasItsOwnNumbers() {
    try (var scope = TensorScope.open(device)) {
      for (DType type : new DType[] {DType.F32, DType.F64}) {
        double[] first = run(3, 0.5, type);
        int before = made.get();
        assertThat(run(3, 0.5, type)).isEqualTo(first);
        assertThat(made).as("the same once more").hasValue(before);
        for (int i = 0; i < 20; i++) {
          run(3 + 0.7 * i, 0.5, type);
        }
        assertThat(made.get() - before).as("for one number that changes").isLessThanOrEqualTo(3);
        before = made.get();
        for (int i = 0; i < 20; i++) {
          run(5 + i, 0.3 + 0.25 * i, type);
        }
        assertThat(made.get() - before).as("for the other").isLessThanOrEqualTo(3);
        assertThat(run(3, 0.5, type)).as("as in the beginning").isEqualTo(first);
      }
    }
  }
}
