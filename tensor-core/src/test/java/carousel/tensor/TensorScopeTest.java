package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who owns a tensor's memory, for how long, and what is said when it is gone. */
class TensorScopeTest {
  private final TensorScope outer = TensorScope.open();

  @AfterEach
  void close() {
    outer.close();
  }

  private static long inUse() {
    return Device.cpu().backend().memory().inUse();
  }

  @Test
  void closingFreesWhatWasMadeInside() {
    long before = inUse();
    Tensor x;
    try (var inner = TensorScope.open()) {
      x = Tensor.zeros(1000);
      assertThat(inner.bytes()).isEqualTo(4000);
      assertThat(inUse()).isGreaterThanOrEqualTo(before + 4000);
      assertThat(x.storage().isOpen()).isTrue();
    }
    assertThat(inUse()).isEqualTo(before);
    assertThat(x.storage().isOpen()).isFalse();
  }

  @Test
  void theInnermostScopeOwns() {
    Tensor first = Tensor.zeros(10);
    try (var inner = TensorScope.open()) {
      assertThat(TensorScope.current()).isSameAs(inner);
      Tensor.zeros(20);
      assertThat(inner.bytes()).isEqualTo(80);
      assertThat(outer.bytes()).isEqualTo(40);
    }
    assertThat(TensorScope.current()).isSameAs(outer);
    assertThat(first.toFloatArray()).hasSize(10);
  }

  @Test
  void deviceIsInheritedOrNamed() {
    assertThat(outer.device()).isSameAs(Device.cpu());
    try (var inner = TensorScope.open(Device.reference());
        var innermost = TensorScope.open();
        var engine = TensorScope.openUnwatched()) {
      assertThat(inner.device()).isSameAs(Device.reference());
      assertThat(innermost.device()).isSameAs(Device.reference());
      assertThat(engine.device()).isSameAs(Device.reference());
      assertThat(Tensor.zeros(1).device()).isSameAs(Device.reference());
    }
  }

  @Test
  void keepHandsATensorOut() {
    Tensor kept;
    Tensor view;
    try (var inner = TensorScope.open()) {
      for (int i = 0; i < 20; i++) {
        Tensor.zeros(10);
      }
      kept = Tensor.ones(2, 3);
      view = kept.transpose(0, 1);
      Tensor.zeros(7);
      assertThat(inner.keep(view)).isSameAs(view);
      assertThat(inner.bytes()).isEqualTo(20 * 40 + 28);
      assertThat(outer.bytes()).isEqualTo(24);
    }
    assertThat(kept.sum().item()).as("views go along").isEqualTo(6);
    assertThat(view.storage().isOpen()).isTrue();
  }

  @Test
  void keepThroughSeveralScopes() {
    Tensor x;
    try (var middle = TensorScope.open()) {
      try (var inner = TensorScope.open()) {
        x = middle.keep(inner.keep(Tensor.ones(3)));
      }
      assertThat(x.sum().item()).isEqualTo(3);
    }
    assertThat(x.sum().item()).isEqualTo(3);
    assertThat(outer.bytes()).isGreaterThanOrEqualTo(12);
  }

  @Test
  void whatBelongsFurtherOutStaysThere() {
    Tensor x = Tensor.ones(3);
    try (var middle = TensorScope.open();
        var inner = TensorScope.open()) {
      inner.keep(x);
      middle.adopt(x);
      assertThat(middle.bytes()).isZero();
    }
    assertThat(x.sum().item()).isEqualTo(3);
  }

  @Test
  void adoptTakesAcrossScopes() {
    Tensor x;
    try (var middle = TensorScope.open();
        var inner = TensorScope.open()) {
      x = outer.adopt(Tensor.ones(3));
    }
    assertThat(x.sum().item()).isEqualTo(3);
  }

  @Test
  void keepNeedsAnEnclosingScope() {
    assertThatThrownBy(() -> outer.keep(Tensor.zeros(1)))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("keep: the scope opened at", "ScopeTest", "no enclosing scope");
  }

  @Test
  void useAfterCloseNamesTheScope() {
    Tensor x;
    try (var inner = TensorScope.open()) {
      x = Tensor.zeros(2, 3);
    }
    Tensor view = x.narrow(0, 0, 1);
    for (Supplier<Object> use :
        java.util.List.<Supplier<Object>>of(
            x::toFloatArray,
            () -> x.add(1),
            view::sum,
            () -> x.fill(1),
            () -> outer.adopt(x),
            () -> Engine.address(x))) {
      assertThatThrownBy(use::get)
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("use after close: this tensor (full [2,3])")
          .hasMessageContaining("TensorScopeTest.useAfterCloseNamesTheScope(TensorScopeTest.java:")
          .hasMessageContaining("scope.keep(tensor)");
    }
  }

  @Test
  void anEnginesScopeIsNamedAsSuch() {
    Tensor x;
    try (var engine = TensorScope.openUnwatched()) {
      assertThat(engine).hasToString("an engine's scope");
      x = Tensor.zeros(1);
    }
    assertThatThrownBy(x::item).hasMessageContaining("belonged to an engine's scope");
  }

  @Test
  void aClosedScopeTakesNothing() {
    var inner = TensorScope.open();
    inner.close();
    inner.close();
    assertThat(inner.toString()).contains("ScopeTest").endsWith("(closed)");
    assertThat(inner.bytes()).isZero();
    Tensor x = Tensor.zeros(1);
    assertThatThrownBy(() -> inner.adopt(x))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void noScopeOpen() throws Exception {
    var message =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Tensor.zeros(1).toString();
              } catch (TensorException e) {
                return String.valueOf(e.getMessage());
              }
            },
            task -> Thread.ofPlatform().name("scopeless").start(task));
    assertThat(message.get())
        .contains("no scope is open on thread scopeless")
        .contains("try (var scope = TensorScope.open())");
  }

  private static <T> T onAnotherThread(Supplier<T> work) {
    try {
      return CompletableFuture.supplyAsync(
              work, task -> Thread.ofPlatform().name("another").start(task))
          .get();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TensorException t) {
        throw t;
      }
      throw new AssertionError(e);
    }
  }

  @Test
  void aScopeBelongsToItsThread() {
    Tensor x = Tensor.ones(3);
    assertThat(
            onAnotherThread(() -> {
              try (var own = TensorScope.open()) {
                return x.sum().item();
              }
            }))
        .as("reading is allowed")
        .isEqualTo(3);
    assertThatThrownBy(() ->
            onAnotherThread(() -> {
              outer.close();
              return 0;
            }))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("close: the scope", "belongs to thread", "closed by another");
    assertThatThrownBy(() -> onAnotherThread(() -> outer.adopt(x)))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll(
            "adopt: the scope", "used on another", "open a scope on this thread");
    assertThatThrownBy(() ->
            onAnotherThread(() -> {
              try (var own = TensorScope.open()) {
                return own.adopt(x);
              }
            }))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("belongs to thread", "not to another", "copy the tensor instead");
  }

  // ---- holds ----

  @Test
  void aHoldOutlivesTheScope() {
    long before = inUse();
    Storage held;
    try (var inner = TensorScope.open()) {
      Tensor x = Tensor.ones(1000);
      held = x.storage();
      held.retain();
      held.retain();
    }
    assertThat(held.isOpen()).isTrue();
    held.release();
    assertThat(held.isOpen()).isTrue();
    held.release();
    assertThat(held.isOpen()).isFalse();
    assertThat(inUse()).isEqualTo(before);
  }

  @Test
  void aHoldThatEndsFirstChangesNothing() {
    try (var inner = TensorScope.open()) {
      Storage s = Tensor.ones(10).storage();
      s.retain();
      s.release();
      assertThat(s.isOpen()).isTrue();
    }
  }

  @Test
  void whatIsHeldCanStillBeAdopted() {
    Tensor x;
    try (var inner = TensorScope.open()) {
      x = Tensor.ones(10);
      x.storage().retain();
    }
    try (var another = TensorScope.open()) {
      another.keep(x);
      x.storage().release();
    }
    assertThat(x.sum().item()).isEqualTo(10);
  }

  @Test
  void holdsAreCounted() {
    Storage s = Tensor.ones(10).storage();
    assertThatThrownBy(s::release)
        .isInstanceOf(TensorException.class)
        .hasMessage("release: the memory of full [10] is not held");
    Storage gone;
    try (var inner = TensorScope.open()) {
      gone = Tensor.ones(1).storage();
    }
    assertThatThrownBy(gone::retain).hasMessageContaining("use after close");
    assertThat(s.bytes()).isEqualTo(40);
    assertThat(s.origin()).isEqualTo("full [10]");
  }
}
