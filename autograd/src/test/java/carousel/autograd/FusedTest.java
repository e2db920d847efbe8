package carousel.autograd;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

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
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A composite that a backend has a kernel for: one node, the kernel's backward, the body beyond. */
class FusedTest {

  /** {@code (a, b) → (σ(a) ⊙ tanh(b), σ(a))}. */
  private static final Composite GATED =
      Composite.fixed(
          "gated",
          in -> {
            Tensor gate = in[0].sigmoid();
            return new Tensor[] {gate.mul(in[1].tanh()), gate};
          });

  /** Its kernel, and a note of every call. */
  private static final class Kernel implements Fused {
    int forwards;
    int backwards;
    final List<List<Boolean>> wanted = new ArrayList<>();
    final List<List<Boolean>> reached = new ArrayList<>();

    @Override
    public Result forward(Tensor[] inputs) {
      forwards++;
      Tensor gate = inputs[0].sigmoid();
      Tensor value = inputs[1].tanh();
      return new Result(new Tensor[] {gate.mul(value), gate}, new Tensor[] {value});
    }

    @Override
    public @Nullable Tensor[] backward(
        Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wants) {
      backwards++;
      wanted.add(List.of(wants[0], wants[1]));
      reached.add(List.of(cotangents[0] != null, cotangents[1] != null));
      Tensor gate = result.outputs()[1];
      Tensor value = result.saved()[0];
      Tensor dy = cotangents[0] == null ? gate.zerosLike() : cotangents[0];
      Tensor dgate = dy.mul(value);
      if (cotangents[1] != null) {
        dgate = dgate.add(cotangents[1]);
      }
      return new @Nullable Tensor[] {
        wants[0] ? dgate.mul(gate).mul(gate.neg().add(1)) : null,
        wants[1] ? dy.mul(gate).mul(value.square().neg().add(1)) : null
      };
    }
  }

  private final Kernel kernel = new Kernel();
  private final TensorScope scope = TensorScope.open(device(kernel));
  private final Tensor a = Philox.of(1).normal(F64, 0, 1, 3, 2);
  private final Tensor b = Philox.of(2).normal(F64, 0, 1, 3, 2);
  private final Tensor w = Philox.of(3).normal(F64, 0, 1, 3, 2);

  /** The CPU, with one kernel more. */
  private static Device device(Fused kernel) {
    Backend cpu = Device.cpu().backend();
    var backend =
        Proxy.newProxyInstance(
            FusedTest.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("fused")) {
                return arguments[0] == GATED ? kernel : null;
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
    assumeFalse("off".equals(System.getProperty("carousel.fused")), "-Dcarousel.fused=off");
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** Uses both outputs, and a and b beside them. */
  private Tensor loss(boolean fused) {
    Tensor[] y = fused ? Op.applyAll(GATED, a, b) : GATED.body().apply(a, b);
    return y[0].mul(w).add(y[1].square()).add(a.mul(b)).sum();
  }

  private static void same(Tensor actual, Tensor expected) {
    assertThat(actual.sub(expected).abs().max().item()).isLessThan(1e-14);
  }

  @Test
  void theKernelComputesForwardAndBackward() {
    var byBody = Grad.of(() -> loss(false), a, b);
    assertThat(kernel.forwards).isZero();
    var byKernel = Grad.of(() -> loss(true), a, b);
    assertThat(kernel.forwards).isEqualTo(1);
    assertThat(kernel.backwards).isEqualTo(1);
    assertThat(kernel.wanted).containsExactly(List.of(true, true));
    assertThat(kernel.reached).containsExactly(List.of(true, true));
    same(byKernel.value(), byBody.value());
    same(byKernel.get(0), byBody.get(0));
    same(byKernel.get(1), byBody.get(1));
  }

  @Test
  void itIsAskedForNoMoreThanIsWanted() {
    var onlyB = Grad.of(() -> Op.applyAll(GATED, a, b)[0].sum(), b);
    same(onlyB.get(0), Grad.of(() -> GATED.body().apply(a, b)[0].sum(), b).get(0));
    Grad.of(() -> Op.applyAll(GATED, a, b)[1].sum(), a);
    assertThat(kernel.wanted).containsExactly(List.of(false, true), List.of(true, false));
    assertThat(kernel.reached).containsExactly(List.of(true, false), List.of(false, true));
    // Of constants, nothing at all.
    var none = Grad.of(() -> Op.applyAll(GATED, a, b)[0].mul(w).sum(), w);
    same(none.get(0), GATED.body().apply(a, b)[0]);
    assertThat(kernel.backwards).isEqualTo(2);
  }

  @Test
  void withoutAGradientItComputesForward() {
    same(Op.applyAll(GATED, a, b)[0], GATED.body().apply(a, b)[0]);
    assertThat(kernel.forwards).isEqualTo(1);
  }

  @Test
  void higherOrdersGoThroughTheBody() {
    var directions = List.of(a.cos(), b.sin());
    var products = Grad.hvp(() -> loss(true), List.of(a, b), directions);
    assertThat(kernel.backwards).as("a kernel's backward cannot be differentiated").isZero();
    var expected = Grad.hvp(() -> loss(false), List.of(a, b), directions);
    same(products.get(0), expected.get(0));
    same(products.get(1), expected.get(1));
    GradCheck.standard().run("gated", in -> Op.applyAll(GATED, in)[0], a, b).require();
    // Differences are taken of what the kernel computes.
    assertThat(kernel.forwards).isPositive();
  }

  @Test
  void theTapeHoldsOneNodeUnderTheCompositesName() {
    assertThatThrownBy(
            () -> {
              try (var pullback = Grad.vjp(() -> Op.applyAll(GATED, a, b)[0], a, b)) {
                b.fill(0);
                pullback.pull(w);
              }
            })
        .hasMessageStartingWith("gated: input 1 [3,2] was changed in place");
    assertThatThrownBy(
            () -> {
              Tensor[] kept = new Tensor[1];
              try (var pullback =
                  Grad.vjp(
                      () -> {
                        Tensor[] y = Op.applyAll(GATED, a, b);
                        kept[0] = y[1];
                        return y[0];
                      },
                      a)) {
                kept[0].fill(0);
                pullback.pull(w);
              }
            })
        .hasMessageStartingWith("gated: output 1 [3,2] was changed in place");
  }

  @Test
  void whatTheKernelSavedOutlivesAScopeAndIsReleased() {
    var memory = scope.device().backend().memory();
    long before = memory.inUse();
    try (var outer = TensorScope.open()) {
      var byKernel =
          Grad.of(
              () -> {
                try (var inner = TensorScope.open()) {
                  return inner.keep(loss(true));
                }
              },
              a,
              b);
      same(byKernel.get(0), Grad.of(() -> loss(false), a).get(0));
      try (var unused = Grad.vjp(() -> Op.applyAll(GATED, a, b)[0], a)) {
        assertThat(unused.value().shape()).isEqualTo(a.shape());
      }
    }
    assertThat(memory.inUse()).isEqualTo(before);
  }

  @Test
  void aCheckpointedSegmentRunsItTwice() {
    var g = Grad.of(() -> Grad.checkpoint(() -> loss(true)), a, b);
    assertThat(kernel.forwards).isEqualTo(2);
    assertThat(kernel.backwards).isEqualTo(1);
    same(g.get(0), Grad.of(() -> loss(false), a).get(0));
  }

  @Test
  void aSecondGradientOfACheckpointGoesThroughTheBody() {
    var directions = List.of(a.cos(), b.sin());
    var products = Grad.hvp(() -> Grad.checkpoint(() -> loss(true)), List.of(a, b), directions);
    var expected = Grad.hvp(() -> loss(false), List.of(a, b), directions);
    same(products.get(0), expected.get(0));
    same(products.get(1), expected.get(1));
  }
}
