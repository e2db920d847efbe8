package carousel.tensor.op;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rule that runs unrecorded. What it gives goes through an op that depends on all that the rule has
 * read, and whose own rule fails: so nobody fails but who differentiates through it.
 */
final class OnceRule extends Vjp {
  private final Vjp rule;

  OnceRule(Vjp rule) {
    this.rule = rule;
  }

  @Override
  public boolean readsInput(int input, boolean[] wanted) {
    return rule.readsInput(input, wanted);
  }

  @Override
  public boolean readsOutput(boolean[] wanted) {
    return rule.readsOutput(wanted);
  }

  @Override
  public boolean flows(int input) {
    return rule.flows(input);
  }

  @Override
  public void release() {
    rule.release();
  }

  @Override
  public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
    var around = Interpreter.current();
    @Nullable Tensor[] cotangents = around.unrecorded().run(() -> rule.pull(c, wanted));
    if (around == Interpreter.EAGER) {
      return cotangents;
    }
    List<Tensor> read = read(c, wanted);
    CustomOp end = new End(c.label());
    @Nullable Tensor[] ended = cotangents.clone();
    for (int i = 0; i < ended.length; i++) {
      Tensor g = cotangents[i];
      if (g != null) {
        List<Tensor> all = new ArrayList<>(read);
        all.addFirst(g);
        ended[i] = end.apply(all.toArray(new Tensor[0]));
      }
    }
    return ended;
  }

  /** What the rule may have computed from. */
  private List<Tensor> read(Context c, boolean... wanted) {
    List<Tensor> read = new ArrayList<>();
    boolean outputs = rule.readsOutput(wanted);
    for (int k = 0; k < c.outputs(); k++) {
      if (c.reached(k)) {
        read.add(c.g(k));
      }
      if (outputs) {
        read.add(c.out(k));
      }
    }
    for (int i = 0; i < c.inputs(); i++) {
      if (rule.readsInput(i, wanted)) {
        read.add(c.in(i));
      }
    }
    return read;
  }

  /**
   * The first input, where gradients end: with an error.
   *
   * @param of the op whose rule it is
   */
  private record End(String of) implements CustomOp {
    @Override
    public String label() {
      return of + ".once";
    }

    @Override
    public Tensor[] forward(Tensor... inputs) {
      return new Tensor[] {inputs[0]};
    }

    @Override
    public Vjp vjp() {
      return Vjp.linearAll((c, inputs) -> {
        throw new TensorException(
            of
                + ": its rule is declared differentiable once, and a gradient of its gradient is taken"
                + " (Grad.hvp, Grad.jvp, or a gradient inside a differentiated program); write the rule in"
                + " tensor ops, without Vjp.once, so that it can be differentiated again");
      });
    }
  }
}
