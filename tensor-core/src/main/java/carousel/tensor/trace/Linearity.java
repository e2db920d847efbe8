package carousel.tensor.trace;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CumSum;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Joins;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Transfer;
import carousel.tensor.op.Unary;
import carousel.tensor.op.Views;
import carousel.tensor.op.Vjp;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a rule is linear in the cotangents, by what ops it applies to them: then it makes the same of a
 * sum of cotangents as of each, added up. Says no where it is not sure.
 */
final class Linearity implements Interpreter {
  /** What is linear in the cotangents. */
  private final Set<Tensor> linear = new HashSet<>();

  private boolean broken;

  private Linearity() {}

  /** Whether the rule of an application is linear. */
  static boolean holds(CustomOp op, Tensor[] inputs, Tensor... outputs) {
    Vjp vjp = op.vjp();
    boolean[] wanted = new boolean[inputs.length];
    boolean any = false;
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = vjp.flows(i) && inputs[i].dtype().isFloating();
      any |= wanted[i];
    }
    if (!any) {
      return true;
    }
    try (var scope = TensorScope.openUnwatched()) {
      var watch = new Linearity();
      Tensor[] arriving = new Tensor[outputs.length];
      for (int k = 0; k < arriving.length; k++) {
        arriving[k] = outputs[k].fullLike(outputs[k].shape(), 1);
        watch.linear.add(arriving[k]);
      }
      var context = new RuleContext(op.label(), wanted, inputs, outputs, arriving);
      @Nullable Tensor[] pulled = watch.run(() -> vjp.pull(context, wanted));
      for (int i = 0; i < Math.min(pulled.length, wanted.length); i++) {
        Tensor g = pulled[i];
        watch.broken |= wanted[i] && g != null && !watch.isLinear(g);
      }
      return !watch.broken;
    }
  }

  @Override
  public Interpreter unrecorded() {
    return this;
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    if (op instanceof CustomOp own) {
      return own.forward(inputs);
    }
    Tensor[] results = EAGER.apply(op, inputs);
    if (Arrays.stream(inputs).anyMatch(linear::contains)) {
      broken |= !keeps(op, inputs);
      linear.addAll(Arrays.asList(results));
    }
    return results;
  }

  /** Whether what a row gives is linear in the cotangents. */
  private boolean keeps(Op op, Tensor... in) {
    return switch (op) {
      case Unary row -> row == Unary.NEG;
      case Binary row ->
          switch (row) {
            case ADD, SUB -> isLinear(in[0]) && isLinear(in[1]);
            case MUL -> !linear.contains(in[0]) || !linear.contains(in[1]);
            case DIV -> !linear.contains(in[1]);
            default -> false;
          };
      case Ternary row ->
          row == Ternary.WHERE && !linear.contains(in[0]) && isLinear(in[1]) && isLinear(in[2]);
      case MatMul _ -> !linear.contains(in[0]) || !linear.contains(in[1]);
      case ReduceAxes row -> row.reduce() == Reduce.SUM || row.reduce() == Reduce.MEAN;
      case Cast cast -> cast.to().isFloating();
      case Joins _ -> Arrays.stream(in).allMatch(this::isLinear);
      case Views _, Transfer _, CumSum _ -> true;
      default -> false;
    };
  }

  private boolean isLinear(Tensor x) {
    var filled = Engine.storage(x).filled();
    return linear.contains(x) || (filled.isPresent() && filled.getAsDouble() == 0);
  }
}
