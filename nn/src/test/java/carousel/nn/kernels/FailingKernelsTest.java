package carousel.nn.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.CpuBackend;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.HostMemory;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A mistake of ours in making a kernel costs time alone; where kernels are compared, it is thrown. */
@Tag("cpu")
class FailingKernelsTest {
  private static final Composite GATES =
      Composite.of("gates", (Tensor a, Tensor b) -> a.sigmoid().mul(b.tanh()).add(a));

  /** Makes loops of single rows, and fails at programs. */
  private static Device failing() {
    Kernels sound = new VectorKernels(128);
    var kernels =
        (Kernels)
            Proxy.newProxyInstance(
                Kernels.class.getClassLoader(),
                new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                  boolean applies =
                      method.getName().equals("pointwise")
                          && ((Pointwise) arguments[0])
                              .code().stream().anyMatch(Pointwise.Apply.class::isInstance);
                  if (applies) {
                    throw new VerifyError("planted");
                  }
                  try {
                    return method.invoke(sound, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    return Device.of("failing", new CpuBackend(HostMemory.pool(), kernels));
  }

  @Test
  void aLayerRunsOpByOp() {
    try (var scope = TensorScope.open(failing())) {
      Tensor x = Philox.of(1).normal(DType.F32, 0, 1, 4, 2, 3);
      var layer = Recurrent.of(Lstm.of(3, 5, Init.uniform(0.3), Philox.of(2)));
      Supplier<Tensor> loss = () -> layer.run(x).y().square().sum();
      Tensor g = Grad.of(loss, x).get(0);
      assertThat(g.sameValues(FusedContract.BODIES.run(() -> Grad.of(loss, x).get(0)))).isTrue();
      assertThat(layer.explain(x)).contains("no kernel", "making its kernel failed", "planted");
    }
  }

  @Test
  void whereKernelsAreComparedItIsThrown() {
    try (var scope = TensorScope.open(failing())) {
      Tensor x = Philox.of(1).normal(DType.F32, 0, 1, 4, 2, 3);
      var layer = Recurrent.of(Lstm.of(3, 5, Init.uniform(0.3), Philox.of(2)));
      assertThatThrownBy(() -> Agreement.trusting(() -> layer.run(x)))
          .hasRootCauseMessage("planted");
    }
  }

  @Test
  void aCompositeRunsByItsBody() {
    try (var scope = TensorScope.open(failing())) {
      Tensor a = Philox.of(1).normal(DType.F32, 0, 1, 64, 32);
      Tensor b = Philox.of(2).normal(DType.F32, 0, 1, 64, 32);
      Tensor y = Op.apply(GATES, a, b);
      assertThat(y.sameValues(GATES.body().apply(a, b)[0])).isTrue();
    }
  }
}
