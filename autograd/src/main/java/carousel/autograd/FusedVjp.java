package carousel.autograd;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Observer;
import carousel.tensor.op.Scan;
import carousel.tensor.op.Vjp;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rule of a composite that a backend computed by one kernel: that kernel's own backward. It takes an output
 * that nothing flows to for one that zero flows to; where that is not the same, as a slope is not finite, the
 * composite's body is differentiated. Recurrences see to that by themselves.
 */
final class FusedVjp extends Vjp.Applied {
  private final Composite op;
  private final Fused fused;
  private final Tensor[] inputs;
  private final Fused.Result result;

  FusedVjp(Composite op, Fused fused, Tensor[] inputs, Fused.Result result) {
    this.op = op;
    this.fused = fused;
    this.inputs = inputs;
    this.result = result;
    for (Tensor x : result.saved()) {
      Engine.storage(x).retain();
    }
  }

  @Override
  public boolean readsInput(int input, boolean[] wanted) {
    return true;
  }

  @Override
  public boolean readsOutput(boolean[] wanted) {
    return true;
  }

  @Override
  public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
    for (int i = 0; i < inputs.length; i++) {
      Tensor _ = c.in(i); // throws if it was changed in place
    }
    @Nullable Tensor[] cotangents = new Tensor[result.outputs().length];
    for (int k = 0; k < cotangents.length; k++) {
      Tensor _ = c.out(k);
      cotangents[k] = c.reached(k) ? c.g(k) : null;
    }
    @Nullable Tensor[] gradients =
        Observer.around(
            op.label(), inputs, () -> fused.backward(inputs, result, cotangents, wanted));
    boolean all = Arrays.stream(cotangents).allMatch(Objects::nonNull);
    return all || op.body() instanceof Scan || isTrusted() || !Fused.anyNaN(gradients)
        ? gradients
        : byBody(cotangents, wanted);
  }

  /** Kernels of devices that would have to be waited for are of our own composites, whose slopes are finite. */
  private boolean isTrusted() {
    return inputs[0].device().backend().isAsynchronous();
  }

  private @Nullable Tensor[] byBody(@Nullable Tensor[] cotangents, boolean[] wanted) {
    List<Tensor> leaves = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      if (wanted[i]) {
        leaves.add(inputs[i]);
      }
    }
    var tape = new Tape(leaves);
    List<Tensor> outputs = List.of(tape.run(() -> op.body().apply(inputs)));
    Iterator<@Nullable Gradient> pulled =
        Arrays.asList(tape.backward(outputs, cotangents, leaves)).iterator();
    @Nullable Tensor[] gradients = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      Gradient g = wanted[i] ? pulled.next() : null;
      gradients[i] = g == null ? null : g.dense();
    }
    return gradients;
  }

  @Override
  public void release() {
    for (Tensor x : result.saved()) {
      Engine.storage(x).release();
    }
  }
}
