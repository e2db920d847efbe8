package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.InPlace;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.trace.FormulaTrace;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What goes wrong says which tensor, and what to do. */
class GradErrorsTest {
  private final TensorScope scope = TensorScope.open();
  private final Tensor x = Tensor.of(2.0, 3.0);

  @AfterEach
  void close() {
    scope.close();
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> wrong(ThrowingCallable call) {
    return assertThatThrownBy(call).isInstanceOf(TensorException.class);
  }

  @Test
  void aLossIsAFloatingScalar() {
    wrong(() -> Grad.of(() -> x.square(), x))
        .hasMessageContaining("the loss must be a floating scalar, got F64 [2]")
        .hasMessageContaining("mean() or sum()");
    wrong(() -> Grad.of(() -> x.sum().cast(DType.I32), x)).hasMessageContaining("got I32 []");
  }

  @Test
  void leavesAreFloating() {
    Tensor counts = Tensor.of(1, 2);
    wrong(() -> Grad.of(() -> x.sum(), x, counts))
        .hasMessage("gradient: 'input 1' is I32 [2]; only F32 and F64 tensors have gradients");
  }

  @SuppressWarnings("NullAway")
  @Test
  void nothingIsNoLoss() {
    wrong(() -> Grad.of(() -> null, x))
        .hasMessage("gradient: the program returned null; return what it computed");
    wrong(() -> Grad.of(() -> x.add((Tensor) null).sum(), x)).hasMessage("add: operand 1 is null");
  }

  @Test
  void aScopeIsAskedForByWhoComputes() throws InterruptedException {
    var said = new AtomicReference<String>();
    var thread =
        new Thread(() -> {
          try {
            Grad.of(() -> x.sum(), x);
          } catch (TensorException e) {
            said.set(String.valueOf(e.getMessage()));
          }
        });
    thread.start();
    thread.join();
    assertThat(said.get()).startsWith("no scope is open on thread ").contains("TensorScope.open()");
  }

  @Test
  void inputsChangedInPlaceAreNoticed() {
    Tensor w = Tensor.of(5.0, 7.0);
    wrong(
            () -> {
              try (var pullback = Grad.vjp(() -> x.mul(w), x)) {
                w.assign(Tensor.of(0.0, 0.0));
                pullback.pull(Tensor.of(1.0, 1.0));
              }
            })
        .hasMessageStartingWith("mul: input 1 [2] was changed in place")
        .hasMessageContaining("use a copy()");
    // What no rule reads may change.
    try (var pullback = Grad.vjp(() -> x.add(w), x)) {
      w.fill(9);
      assertThat(pullback.pull(Tensor.of(1.0, 1.0)).getFirst().toDoubleArray())
          .containsExactly(1, 1);
    }
  }

  @Test
  void outputsChangedInPlaceAreNoticed() {
    wrong(() ->
            Grad.of(
                () -> {
                  Tensor y = x.tanh();
                  Tensor z = y.sum();
                  Grad.off(() -> y.fill(0));
                  return z;
                },
                x))
        .hasMessageStartingWith("tanh: output 0 [2] was changed in place");
  }

  @Test
  void changesBehindACheckpointAreNoticed() {
    wrong(() ->
            Grad.of(
                () -> {
                  Tensor y = x.mul(2);
                  Tensor z = Grad.checkpoint(() -> y.square());
                  Grad.off(() -> y.fill(0));
                  return z.sum();
                },
                x))
        .hasMessageStartingWith("checkpoint: input 0 [2] was changed in place");
  }

  private static void read(Tensor target) {
    byte[] bytes = new byte[(int) target.size() * target.dtype().bytes()];
    try {
      target.readFrom(Channels.newChannel(new ByteArrayInputStream(bytes)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void update(Tensor target) {
    var trace = new FormulaTrace(target);
    trace.result(target, trace.run(() -> trace.input(target).mul(0)));
    InPlace.run(List.of(trace.call()));
  }

  /** All ways to overwrite a tensor, by names. */
  private static final Map<String, Consumer<Tensor>> WRITES =
      Map.of(
          "assign",
          y -> y.assign(y.zerosLike().detach()),
          "fill",
          y -> y.fill(0),
          "readFrom",
          GradErrorsTest::read,
          "update",
          GradErrorsTest::update);

  /** All ways to reach the memory of a result. */
  private static final Map<String, BiConsumer<Tensor, Consumer<Tensor>>> REACHES =
      Map.of(
          "the result", (y, write) -> write.accept(y),
          "a part", (y, write) -> write.accept(y.narrow(0, 0, 1)),
          "without a tape", (y, write) -> Grad.off(() -> run(y, write)),
          "detached", (y, write) -> write.accept(y.detach()),
          "a detached part", (y, write) -> write.accept(y.detach().select(0, 1)));

  private static Tensor run(Tensor y, Consumer<Tensor> write) {
    write.accept(y);
    return y;
  }

  /** What is computed of it later: by a rule that reads it, and by some that do not. */
  private static final Map<String, UnaryOperator<Tensor>> USES =
      Map.of(
          "square", y -> y.square().sum(),
          "sum", Tensor::sum,
          "checkpoint", y -> Grad.checkpoint(() -> y.add(1)).sum(),
          "composite", y -> y.softmax(0).sum());

  /** The rule of mul reads no output, so that a tape has saved nothing to compare. */
  @Test
  void noWriteOverAResultPasses() {
    WRITES.forEach((door, write) ->
        REACHES.forEach((reach, by) ->
            USES.forEach((use, loss) ->
                assertThatThrownBy(() ->
                        Grad.of(
                            () -> {
                              Tensor y = x.mul(3);
                              by.accept(y, write);
                              return loss.apply(y);
                            },
                            x))
                    .as("%s through %s, then %s", door, reach, use)
                    .isInstanceOf(TensorException.class)
                    .hasMessageContaining("a write is no op"))));
    wrong(() ->
            Grad.of(
                () -> {
                  Tensor y = x.sum();
                  Grad.off(() -> y.fill(0));
                  return y;
                },
                x))
        .hasMessageStartingWith("gradient: the result [] was changed in place after");
    // A copy is another memory.
    Tensor g =
        Grad.of(
                () -> {
                  Tensor y = x.mul(3);
                  read(y.detach().copy());
                  return y.square().sum();
                },
                x)
            .get(0);
    assertThat(g.toDoubleArray()).containsExactly(36, 54);
  }

  /** Where no rule reads what was overwritten, nothing would notice. */
  @Test
  void writesThatTheGradientWouldMissAreRefused() {
    Tensor buffer = Tensor.zeros(DType.F64, 2);
    wrong(() -> Grad.of(() -> x.mul(2).fill(0).mul(10).sum(), x))
        .hasMessageStartingWith(
            "fill: this F64 [2] is a result of the program that is being differentiated");
    wrong(() -> Grad.of(() -> buffer.assign(x.square()).mul(x).sum(), x))
        .hasMessageStartingWith("assign: the F64 [2] that is written depends on");
    wrong(() -> Grad.of(() -> buffer.assign(x).mul(x).sum(), x))
        .hasMessageContaining("none flows through a write; join parts with concat or stack");
    // Of an outer gradient, too.
    Tensor z = Tensor.of(1.0, 1);
    wrong(() -> Grad.of(() -> Grad.of(() -> buffer.assign(x).mul(z).sum(), z).get(0).sum(), x))
        .hasMessageStartingWith("assign: the F64 [2] that is written depends on");
    assertThat(buffer.toDoubleArray()).containsOnly(0);
    assertThat(Grad.of(() -> buffer.assign(x.detach()).mul(x).sum(), x).get(0).sameValues(x))
        .isTrue();
  }

  @Test
  void aPullbackServesOnce() {
    Tensor v = Tensor.of(1.0, 1.0);
    var pullback = Grad.vjp(() -> x.square(), x);
    wrong(() -> pullback.pull(Tensor.of(1.0)))
        .hasMessage("pull: the cotangent must be as the value, F64 [2], got F64 [1]");
    wrong(() -> pullback.pull(Tensor.of(1f, 1f))).hasMessageContaining("got F32 [2]");
    assertThat(pullback.pull(v).getFirst().toDoubleArray()).containsExactly(4, 6);
    wrong(() -> pullback.pull(v)).hasMessageContaining("used or closed before");
    var closed = Grad.vjp(() -> x.square(), x);
    closed.close();
    closed.close();
    wrong(() -> closed.pull(v)).hasMessageContaining("used or closed before");
  }

  @Test
  void directionsAreAsTheTensors() {
    wrong(() -> Grad.jvp(Tensor::square, x, Tensor.of(1.0)))
        .hasMessage("jvp: the direction must be as the tensor, F64 [2], got F64 [1]");
    wrong(() -> Grad.hvp(() -> x.sum(), List.of(x), List.of(Tensor.of(1f, 1f))))
        .hasMessage("hvp: the direction must be as the tensor, F64 [2], got F32 [2]");
    wrong(() -> Grad.hvp(() -> x.sum(), List.of(x), List.of()))
        .hasMessage("hvp: 1 tensors and 0 directions");
  }

  @Test
  void errorsInsideAProgramPassThroughAndLeaveNothingBehind() {
    var memory = scope.device().backend().memory();
    long before = memory.inUse();
    try (var inner = TensorScope.open()) {
      assertThatThrownBy(() ->
              Grad.of(
                  () -> {
                    x.square().exp();
                    throw new IllegalStateException("mine");
                  },
                  x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("mine");
    }
    assertThat(memory.inUse()).isEqualTo(before);
  }
}
