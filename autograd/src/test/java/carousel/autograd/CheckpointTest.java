package carousel.autograd;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A segment that is run again has the gradients of one that was saved. */
class CheckpointTest {
  private final TensorScope scope = TensorScope.open();
  private final Tensor x = Philox.of(1).normal(F64, 0, 1, 4, 3);
  private final Tensor w = Philox.of(2).normal(F64, 0, 1, 3, 3);

  @AfterEach
  void close() {
    scope.close();
  }

  /** Compares a program with and without checkpoints; given how to checkpoint, it computes a loss. */
  private void same(Function<UnaryOperator<Supplier<Tensor>>, Tensor> program) {
    var plain = Grad.of(() -> program.apply(s -> s), x, w);
    var again = Grad.of(() -> program.apply(s -> () -> Grad.checkpoint(s)), x, w);
    assertThat(again.value().item()).isEqualTo(plain.value().item());
    for (int i = 0; i < 2; i++) {
      assertThat(again.get(i).sub(plain.get(i)).abs().max().item()).isLessThan(1e-13);
    }
  }

  @Test
  void valuesAndGradientsAreTheSame() {
    same(point -> {
      Tensor y = point.apply(() -> x.matmul(w).tanh().matmul(w).sigmoid()).get();
      return y.mul(x).sum(); // x is read inside and outside
    });
  }

  @Test
  void randomNumbersAreDrawnAgainTheSame() {
    same(point -> {
      var rng = Philox.of(7);
      Tensor y = point.apply(() -> dropped(rng, x.matmul(w).tanh())).get();
      return point.apply(() -> dropped(rng, y.matmul(w))).get().square().sum();
    });
  }

  @Test
  void checkpointsNest() {
    same(point -> {
      var rng = Philox.of(7);
      return point
          .apply(() -> {
            Tensor y = point.apply(() -> dropped(rng, x.matmul(w).tanh())).get().matmul(w);
            return point.apply(() -> dropped(rng, y.sigmoid())).get().square();
          })
          .get()
          .sum();
    });
  }

  /** A segment is run again when the scopes in which it ran are closed. */
  @Test
  void aSegmentMayReadWhatAnInnerScopeOwns() {
    Function<UnaryOperator<Supplier<Tensor>>, Tensor> program =
        point -> {
          Tensor sum = x.sum();
          for (int k = 0; k < 3; k++) {
            try (var inner = TensorScope.open()) {
              Tensor constant =
                  Philox.of(9 + k).normal(F64, 0, 1, 4, 3); // of this scope, and no leaf
              Tensor view = constant.narrow(0, 1, 2);
              Tensor index = Tensor.of(2, 0);
              Tensor made = x.mul(constant);
              Supplier<Tensor> segment =
                  () ->
                      point
                          .apply(() -> made.matmul(w).indexSelect(index, 0).mul(view.exp()).sin())
                          .get()
                          .mul(view);
              sum = sum.add(point.apply(segment).get().sum());
              inner.keep(sum);
            }
          }
          return sum;
        };
    same(program);
    Supplier<Tensor> plain = () -> program.apply(s -> s);
    Supplier<Tensor> again = () -> program.apply(s -> () -> Grad.checkpoint(s));
    var directions = List.of(x.cos(), w.sin());
    var expected = Grad.hvp(plain, List.of(x, w), directions);
    var actual = Grad.hvp(again, List.of(x, w), directions);
    for (int i = 0; i < 2; i++) {
      assertThat(actual.get(i).sub(expected.get(i)).abs().max().item()).isLessThan(1e-12);
    }
  }

  @Test
  void whatASegmentReadsIsHeldUntilBackwardAndNoLonger() {
    var memory = scope.device().backend().memory();
    long before = memory.inUse();
    try (var inner = TensorScope.open()) {
      try (var pullback =
          Grad.vjp(
              () -> {
                try (var making = TensorScope.open()) {
                  Tensor constant = Tensor.ones(4, 3).cast(F64).mul(2);
                  return making.keep(Grad.checkpoint(() -> x.mul(constant).square().sum()));
                }
              },
              x)) {
        Tensor g = pullback.pull(Tensor.of(1.0).sum()).get(0);
        assertThat(g.sub(x.mul(8)).abs().max().item()).isLessThan(1e-13);
      }
    }
    assertThat(memory.inUse()).isEqualTo(before);
  }

  @Test
  void aConstantThatChangesBeforeBackwardIsAnError() {
    Tensor constant = Tensor.of(2.0);
    assertThatThrownBy(() ->
            Grad.of(
                () -> {
                  Tensor y = Grad.checkpoint(() -> x.mul(constant).square()).sum();
                  constant.fill(3);
                  return y;
                },
                x))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("in place");
  }

  private static Tensor dropped(Philox rng, Tensor y) {
    Tensor kept = rng.bernoulli(0.5, y.shape().toArray());
    return Tensor.where(kept, y, y.scalarLike(0));
  }

  @Test
  void aGradientInsideASegmentIsDifferentiatedAgain() {
    same(point ->
        point
            .apply(() -> Grad.of(() -> x.matmul(w).tanh().square().sum(), x).get(0).square())
            .get()
            .sum());
  }

  @Test
  void aGradientOfACheckpointedGradientIsTheSame() {
    Supplier<Tensor> body = () -> x.matmul(w).tanh().square();
    var plain = Grad.hvp(() -> body.get().sum(), List.of(x, w), List.of(x.cos(), w.sin()));
    var again =
        Grad.hvp(() -> Grad.checkpoint(body).sum(), List.of(x, w), List.of(x.cos(), w.sin()));
    for (int i = 0; i < 2; i++) {
      assertThat(again.get(i).sub(plain.get(i)).abs().max().item()).isLessThan(1e-12);
    }
  }

  @Test
  void theSegmentRunsOnceMoreAtBackwardAndSavesNothingInBetween() {
    var runs = new AtomicInteger();
    var memory = scope.device().backend().memory();
    Tensor big = Philox.of(3).normal(F64, 0, 1, 64, 64);
    long before = memory.inUse();
    try (var inner = TensorScope.open();
        var pullback =
            Grad.vjp(
                () ->
                    Grad.checkpoint(() -> {
                      runs.incrementAndGet();
                      return big.tanh().exp().tanh().exp().sum();
                    }),
                big)) {
      assertThat(runs).hasValue(1);
      assertThat(memory.inUse() - before).isLessThan(64 * 64 * 8);
      pullback.pull(Tensor.of(1.0).sum());
      assertThat(runs).hasValue(2);
    }
    assertThat(memory.inUse()).isEqualTo(before);
  }

  @Test
  void outsideOfAGradientASegmentJustRuns() {
    assertThat(Grad.checkpoint(() -> x.square()).sameValues(x.square())).isTrue();
  }

  @Test
  void aSegmentThatReadsNoLeafIsAConstant() {
    Tensor other = Tensor.of(2.0);
    var g = Grad.of(() -> x.mul(Grad.checkpoint(() -> other.square())).sum(), x);
    assertThat(g.get(0).sub(4).abs().max().item()).isZero();
    // And one that gives what it was given back is that.
    var itself = Grad.of(() -> Grad.checkpoint(() -> x).mul(2).sum(), x);
    assertThat(itself.get(0).sub(2).abs().max().item()).isZero();
  }

  @Test
  void aSegmentThatDrawsMoreWhenRunAgainIsAnError() {
    var runs = new AtomicInteger();
    var rng = Philox.of(1);
    assertThatThrownBy(() ->
            Grad.of(
                () ->
                    Grad.checkpoint(
                            () -> {
                              Tensor y = x;
                              for (int i = 0; i <= runs.get(); i++) {
                                y = dropped(rng, y);
                              }
                              runs.incrementAndGet();
                              return y.mul(2);
                            })
                        .sum(),
                x))
        .hasMessageContaining("draws random numbers more often");
  }
}
