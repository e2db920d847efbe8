package carousel.autograd;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A kernel that does not do what its composite does is not used a second time. */
class KernelCheckTest {
  private static final Composite SQUARE = Composite.of("mine", x -> x.mul(x));

  /** A kernel of the square that may be wrong in its values, or in its gradient. */
  private record Square(Object identity, double value, double gradient, int[] uses)
      implements Fused {
    @Override
    public Result forward(Tensor[] inputs) {
      uses[0]++;
      return new Result(new Tensor[] {inputs[0].square().mul(value)}, new Tensor[0]);
    }

    @Override
    public @Nullable Tensor[] backward(
        Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
      Tensor g = cotangents[0];
      return new @Nullable Tensor[] {g == null ? null : g.mul(inputs[0]).mul(2 * gradient)};
    }
  }

  private static Device device(Square kernel) {
    Backend cpu = Device.cpu().backend();
    var backend =
        Proxy.newProxyInstance(
            KernelCheckTest.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("fused")) {
                return arguments[0] == SQUARE ? kernel : null;
              }
              try {
                return method.invoke(cpu, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
    return Device.of("cpu with a kernel", (Backend) backend);
  }

  @BeforeEach
  void fusionIsOn() {
    String mode = System.getProperty("carousel.fused", "on");
    assumeThat(mode).as("-Dcarousel.fused=" + mode).isEqualTo("on");
  }

  private static int usesOf(double value, double gradient, boolean recorded) {
    var kernel = new Square(new Object(), value, gradient, new int[1]);
    try (var scope = TensorScope.open(device(kernel))) {
      Tensor x = Philox.of(1).normal(F64, 0, 1, 3, 2);
      for (int i = 0; i < 4; i++) {
        if (recorded) {
          var g = Grad.of(() -> Op.apply(SQUARE, x).sum(), x);
          assertThat(g.value().item()).isEqualTo(x.square().sum().item());
          assertThat(g.get(0).allClose(x.mul(2), 1e-15, 0)).isTrue();
        } else {
          assertThat(Op.apply(SQUARE, x).allClose(x.square(), 1e-15, 0)).isTrue();
        }
      }
    }
    return kernel.uses()[0];
  }

  @Test
  void aRightKernelIsUsed() {
    assertThat(usesOf(1, 1, false)).isEqualTo(4);
    assertThat(usesOf(1, 1, true)).as("once more to compare").isEqualTo(5);
  }

  @Test
  void wrongValuesAreFoundAtOnce() {
    assertThat(usesOf(1.01, 1, false)).isEqualTo(1);
    assertThat(usesOf(1.01, 1, true)).isEqualTo(1);
  }

  @Test
  void aWrongGradientIsFoundWhereOneIsTaken() {
    assertThat(usesOf(1, 0.99, true)).isEqualTo(1);
    assertThat(usesOf(1, 0.99, false)).as("values are right").isEqualTo(4);
  }
}
