package carousel.autograd;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Gradients, products with Jacobians and Hessians, and their nesting, against derivatives by hand. */
class GradTest {
  private static final Offset<Double> SAME = within(1e-12);

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  private record Named(String name, Tensor value) implements Leaf {}

  private static void same(Tensor actual, double... expected) {
    assertThat(actual.toDoubleArray()).containsExactly(expected, SAME);
  }

  @Test
  void valueAndGradientsOfALoss() {
    Tensor a = Tensor.of(2.0, 3.0);
    Tensor b = Tensor.of(5.0, 7.0);
    var g = Grad.of(() -> a.mul(b).add(a).sum(), a, b);
    assertThat(g.value().item()).isEqualTo(2 * 5 + 3 * 7 + 5);
    same(g.get(0), 6, 8);
    same(g.get(1), 2, 3);
  }

  @Test
  void aTensorUsedOftenCollectsFromEveryUse() {
    Tensor x = Tensor.of(3.0);
    same(Grad.of(() -> x.mul(x).mul(x).add(x).sum(), x).get(0), 3 * 9 + 1);
    same(Grad.of(() -> x.sum(), x).get(0), 1);
    // The same tensor asked for twice has the same gradient twice.
    var twice = Grad.of(() -> x.square().sum(), x, x);
    same(twice.get(0), 6);
    same(twice.get(1), 6);
  }

  @Test
  void aLossThatIsALeafHasGradientOne() {
    Tensor x = Tensor.of(3.0).sum();
    same(Grad.of(() -> x, x).get(0), 1);
  }

  @Test
  void broadcastOperandsReceiveSums() {
    Tensor row = Tensor.of(1.0, 2.0, 3.0);
    Tensor column = Tensor.of(Shape.of(2, 1), 10.0, 20.0);
    var g = Grad.of(() -> row.mul(column).sum(), row, column);
    same(g.get(0), 30, 30, 30);
    same(g.get(1), 6, 6);
    assertThat(g.get(1).shape()).isEqualTo(Shape.of(2, 1));
  }

  @Test
  void gradientsHaveTheTypeOfTheirLeaf() {
    Tensor x = Tensor.of(1f, 2f);
    var g = Grad.of(() -> x.cast(F64).square().sum(), x);
    assertThat(g.value().dtype()).isEqualTo(F64);
    assertThat(g.get(0).dtype()).isEqualTo(F32);
    same(g.get(0), 2, 4);
  }

  @Test
  void leavesTheLossDoesNotReadAreNamedOrZero() {
    Tensor x = Tensor.of(1.0);
    Tensor unused = Tensor.of(4.0, 5.0);
    assertThatThrownBy(
            () -> Grad.of(() -> x.sum(), List.of(new Named("w", x), new Named("lost", unused))))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("does not depend on [lost] of 2 leaves")
        .hasMessageContaining("Grad.orZero");
    assertThatThrownBy(() -> Grad.of(() -> x.sum(), x, unused)).hasMessageContaining("[input 1]");
    same(Grad.orZero(() -> x.sum(), x, unused).get(1), 0, 0);
    var named = new Named("lost", unused);
    same(Grad.orZero(() -> x.sum(), List.of(named)).get(named), 0, 0);
    // Read, but through an op that lets nothing flow.
    assertThatThrownBy(() -> Grad.of(() -> x.floor().sum(), x)).hasMessageContaining("[input 0]");
  }

  @Test
  void vectorJacobianProducts() {
    Tensor x = Tensor.of(2.0, 3.0);
    // y = (x0·x1, x0²): J = [[x1, x0], [2·x0, 0]].
    try (var pullback = Grad.vjp(() -> f(x), x)) {
      same(pullback.value(), 6, 4);
      same(pullback.pull(Tensor.of(10.0, 100.0)).getFirst(), 30 + 400, 20);
    }
  }

  private static Tensor f(Tensor x) {
    Tensor first = x.narrow(0, 0, 1);
    return Tensor.concat(List.of(first.mul(x.narrow(0, 1, 1)), first.square()), 0);
  }

  @Test
  void jacobianVectorProducts() {
    Tensor x = Tensor.of(2.0, 3.0);
    same(Grad.jvp(GradTest::f, x, Tensor.of(10.0, 100.0)), 30 + 200, 40);
    // Of a function that does not depend on x: zero.
    same(Grad.jvp(in -> Tensor.of(1.0, 2.0, 3.0), x, Tensor.of(1.0, 1.0)), 0, 0, 0);
    // It is differentiable: d/dx (2·x·v) = 2·v.
    Tensor v = Tensor.of(5.0, 7.0);
    same(Grad.of(() -> Grad.jvp(Tensor::square, x, v).sum(), x).get(0), 10, 14);
  }

  @Test
  void hessianVectorProducts() {
    Tensor x = Tensor.of(2.0, 3.0);
    Tensor y = Tensor.of(5.0);
    // loss = x0²·x1·y: H by (x0, x1, y) = [[2x1y, 2x0y, 2x0x1], [2x0y, 0, x0²], [2x0x1, x0², 0]].
    var products =
        Grad.hvp(
            () -> {
              Tensor x0 = x.select(0, 0);
              return x0.square().mul(x.select(0, 1)).mul(y.select(0, 0));
            },
            List.of(x, y),
            List.of(Tensor.of(1.0, 10.0), Tensor.of(100.0)));
    same(products.get(0), 30 + 200 + 1200, 20 + 400);
    same(products.get(1), 12 + 40);
    // A linear loss has Hessian zero.
    same(Grad.hvp(() -> x.sum(), List.of(x), List.of(Tensor.of(1.0, 1.0))).getFirst(), 0, 0);
  }

  @Test
  void derivativesNest() {
    Tensor x = Tensor.of(0.7);
    // sin, sin′ = cos, sin″ = −sin, sin‴ = −cos.
    var third =
        Grad.of(
            () -> Grad.of(() -> Grad.of(() -> x.sin().sum(), x).get(0).sum(), x).get(0).sum(), x);
    assertThat(third.value().item()).isEqualTo(-Math.sin(0.7), SAME);
    same(third.get(0), -Math.cos(0.7));
  }

  @Test
  void anInnerGradientSeesOuterValuesAsConstants() {
    Tensor x = Tensor.of(2.0);
    Tensor y = Tensor.of(3.0);
    // d/dx (x · d/dy(x·y²)) = d/dx (2·x²·y) = 4·x·y; perturbations are not confused.
    var g = Grad.of(() -> x.mul(Grad.of(() -> x.mul(y.square()).sum(), y).get(0)).sum(), x);
    same(g.get(0), 24);
  }

  @Test
  void detachAndOffMakeConstants() {
    Tensor x = Tensor.of(3.0);
    same(Grad.of(() -> x.mul(x.detach()).sum(), x).get(0), 3);
    same(Grad.of(() -> x.mul(Grad.off(() -> x.square())).sum(), x).get(0), 9);
    assertThat(Grad.<Tensor>off(() -> x.square()).item()).isEqualTo(9);
    assertThatThrownBy(() -> Grad.of(() -> x.detach().sum(), x))
        .hasMessageContaining("does not depend");
  }

  @Test
  void indicesThatComeWithValuesCarryNoGradient() {
    Tensor x = Tensor.of(3.0, 1.0, 2.0);
    var g =
        Grad.of(
            () -> {
              var sorted = x.sort(0, false);
              Tensor places = sorted.indices().cast(F64);
              return sorted.values().mul(places).sum();
            },
            x);
    same(g.get(0), 0, 1, 2); // sorted 1 2 3 came from 1 2 0
  }

  @Test
  void programsDrawTheSameOutsideAndInside() {
    Tensor x = Tensor.of(1.0, 2.0);
    double plain = x.mul(Philox.of(3).normal(F64, 0, 1, 2)).sum().item();
    var g = Grad.of(() -> x.mul(Philox.of(3).normal(F64, 0, 1, 2)).sum(), x);
    assertThat(g.value().item()).isEqualTo(plain);
  }
}
