package carousel.autograd;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.spi.Memory;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A tape holds what its rules will read, and nothing after it was pulled back or closed. */
class TapeMemoryTest {
  private static final long BLOCK = 64 * 64 * 8;

  private final TensorScope scope = TensorScope.open();
  private final Memory memory = scope.device().backend().memory();
  private final Tensor x = Philox.of(1).normal(F64, 0, 1, 64, 64);

  @AfterEach
  void close() {
    scope.close();
  }

  /** A way of taking derivatives of x. */
  record Way(String name, Consumer<Tensor> take) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Way> ways() {
    return Stream.of(
        new Way("gradient", x -> Grad.of(() -> x.tanh().exp().sum(), x)),
        new Way("gradient or zero", x -> Grad.orZero(() -> x.ne(0).cast(F64).sum(), x)),
        new Way("jvp", x -> Grad.jvp(y -> y.tanh().exp(), x, x)),
        new Way("hvp", x -> Grad.hvp(() -> x.tanh().exp().sum(), List.of(x), List.of(x))),
        new Way("checkpoint", x -> Grad.of(() -> Grad.checkpoint(() -> x.tanh().exp()).sum(), x)),
        new Way(
            "pullback closed unused",
            x -> {
              try (var unused = Grad.vjp(() -> x.tanh().exp(), x)) {
                assertThat(unused.value().shape()).isEqualTo(x.shape());
              }
            }));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void allIsReleasedWhenTheScopeCloses(Way way) {
    long before = memory.inUse();
    try (var step = TensorScope.open()) {
      way.take.accept(x);
    }
    assertThat(memory.inUse()).isEqualTo(before);
  }

  @Test
  void aTapeHoldsWhatItSavedOverTheEndOfAnInnerScope() {
    Tensor direct = Grad.of(() -> x.exp().tanh().square().sum(), x).get(0);
    long before = memory.inUse();
    try (var outer = TensorScope.open()) {
      var g =
          Grad.of(
              () -> {
                try (var inner = TensorScope.open()) {
                  return inner.keep(x.exp().tanh().square().sum());
                }
              },
              x);
      assertThat(g.get(0).sameValues(direct)).isTrue();
    }
    assertThat(memory.inUse()).isEqualTo(before);
  }

  @Test
  void whatIsHeldIsWhatTheRulesRead() {
    Supplier<Tensor> inInnerScope =
        () -> {
          try (var inner = TensorScope.open()) {
            // add reads nothing; exp its output; square its input, which is that output: one block.
            return inner.keep(x.add(1).exp().square().sum());
          }
        };
    try (var outer = TensorScope.open()) {
      long before = memory.inUse();
      try (var pullback = Grad.vjp(inInnerScope, x)) {
        long held = memory.inUse() - before;
        assertThat(held).isBetween(BLOCK, 2 * BLOCK - 1);
        pullback.pull(pullback.value().onesLike());
      }
      // Pulled back, it holds the gradient alone.
      assertThat(memory.inUse() - before).isBetween(BLOCK, 2 * BLOCK - 1);
    }
  }

  @Test
  void savedTensorsDropAsBackwardPassesThem() {
    int depth = 50;
    try (var outer = TensorScope.open()) {
      long before = memory.inUse();
      try (var pullback =
          Grad.vjp(
              () -> {
                try (var inner = TensorScope.open()) {
                  Tensor y = x;
                  for (int i = 0; i < depth; i++) {
                    y = y.tanh();
                  }
                  return inner.keep(y.sum());
                }
              },
              x)) {
        long held = memory.inUse() - before;
        assertThat(held).isBetween(depth * BLOCK, (depth + 1) * BLOCK);
        memory.resetPeak();
        pullback.pull(pullback.value().onesLike());
        // Backward makes as many cotangents as forward saved outputs; both do not live at once.
        assertThat(memory.peak() - before).isLessThan((depth + 10) * BLOCK);
      }
    }
  }
}
