package carousel.autograd;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CumSum;
import carousel.tensor.op.Indexing;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Forward mode: runs a program op by op, and beside each value that depends on the inputs computes its derivative in
 * one direction. Nothing is recorded, so that memory is that of the values in use.
 *
 * <p>Ops have rules for the way back alone. Of an elementwise op the Jacobian is diagonal, and so its own transpose:
 * the rule serves. A linear op is applied to the tangents. Of any other the rule, which is linear in the cotangent,
 * is differentiated by that, op by op.
 */
final class Tangents implements Interpreter {
  private final Interpreter outer = Interpreter.current();

  /** Where what the program hands out of scopes of its own is still there. */
  private final TensorScope home = TensorScope.current();

  private final Map<Tensor, Tangent> known = new HashMap<>();

  /** The derivative of a value, as long as nobody writes to that. */
  private record Tangent(Tensor derivative, int version) {}

  /**
   * For one run of a program.
   *
   * @param inputs what it is differentiated by
   * @param directions one per input
   */
  Tangents(List<Tensor> inputs, List<Tensor> directions) {
    for (int i = 0; i < inputs.size(); i++) {
      Tensor x = inputs.get(i);
      Tangent before = known.get(x); // one tensor may be there twice: Σ J·v
      Tensor v = directions.get(i);
      remember(x, before == null ? v : before.derivative().add(v));
    }
  }

  private void remember(Tensor x, Tensor derivative) {
    known.put(x, new Tangent(derivative, Engine.storage(x).version()));
  }

  /** The derivative of a value; null if it depends on none of the inputs. */
  @Nullable Tensor of(Tensor x) {
    Tangent tangent = known.get(x);
    if (tangent == null) {
      return null;
    }
    if (tangent.version() != Engine.storage(x).version()) {
      throw new TensorException(
          "jvp: "
              + x.dtype()
              + " "
              + x.shape()
              + " was changed in place after the program computed it, and a write is no op: write to a copy()");
    }
    return tangent.derivative();
  }

  /** Bodies are to be seen. */
  @Override
  public boolean takesKernels() {
    return false;
  }

  @Override
  public void beforeWrite(String op, Tensor target, Tensor... sources) {
    for (Tensor source : sources) {
      if (of(source) != null) {
        throw new TensorException(
            op
                + ": what is written to "
                + target.shape()
                + " depends on what jvp differentiates by, and a write is no op; use a new tensor");
      }
    }
    outer.beforeWrite(op, target, sources);
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    Tensor[] results = outer.apply(op, inputs);
    @Nullable Tensor[] tangents = new Tensor[inputs.length];
    boolean flows = false;
    for (int i = 0; i < inputs.length; i++) {
      tangents[i] = op.vjp().flows(i) ? of(inputs[i]) : null;
      flows |= tangents[i] != null;
    }
    if (flows) {
      @Nullable Tensor[] derivatives =
          outer.run(() -> new Applied(op, inputs, results, tangents).derivatives());
      for (int k = 0; k < results.length; k++) {
        Tensor derivative = derivatives[k];
        if (derivative != null && results[k].dtype().isFloating()) {
          remember(results[k], home.adopt(derivative));
        }
      }
    }
    return results;
  }

  /** One op, at least one of whose inputs has a derivative. */
  private record Applied(Op op, Tensor[] inputs, Tensor[] results, @Nullable Tensor[] tangents) {

    @Nullable Tensor[] derivatives() {
      return switch (op) {
        case Unary _, Binary _, Ternary _ -> new @Nullable Tensor[] {diagonal()};
        case MatMul _ -> new @Nullable Tensor[] {bilinear()};
        case Views _, Joins _, Indexing _, Cast _, Transfer _, CumSum _ -> linear();
        case ReduceAxes reduction
            when reduction.reduce() == Reduce.SUM || reduction.reduce() == Reduce.MEAN ->
            linear();
        default -> transposed();
      };
    }

    /** Of an elementwise op, by its rule: {@code Σ_i ∂y/∂x_i · ẋ_i}, each of them broadcast. */
    private @Nullable Tensor diagonal() {
      Tensor sum = null;
      for (int i = 0; i < inputs.length; i++) {
        Tensor tangent = tangents[i];
        if (tangent != null) {
          boolean[] wanted = new boolean[inputs.length];
          wanted[i] = true;
          var node =
              new Node(
                  op.label(), op.vjp(), new @Nullable Edge[inputs.length], wanted, inputs, results);
          try {
            node.output(0).accumulate(tangent.expand(results[0].shape()));
            Tensor term = op.vjp().pull(node, wanted)[i];
            if (term != null) {
              sum = sum == null ? term : sum.add(term);
            }
          } finally {
            node.release();
          }
        }
      }
      return sum == null ? null : sum.expand(results[0].shape());
    }

    private @Nullable Tensor bilinear() {
      Tensor sum = null;
      for (int i = 0; i < inputs.length; i++) {
        Tensor tangent = tangents[i];
        if (tangent != null) {
          Tensor[] moved = inputs.clone();
          moved[i] = tangent;
          Tensor term = Op.apply(op, moved);
          sum = sum == null ? term : sum.add(term);
        }
      }
      return sum;
    }

    /** Of an op that is linear in all its floating inputs at once. */
    private Tensor[] linear() {
      Tensor[] moved = inputs.clone();
      for (int i = 0; i < inputs.length; i++) {
        Tensor tangent = tangents[i];
        if (tangent != null) {
          moved[i] = tangent;
        } else if (inputs[i].dtype().isFloating()) {
          moved[i] = inputs[i].zerosLike();
        }
      }
      return Op.applyAll(op, moved);
    }

    /** The rule gives {@code J(x)ᵀ·c}; the gradient by c of {@code ⟨Jᵀ·c, ẋ⟩} is {@code J·ẋ}. */
    private @Nullable Tensor[] transposed() {
      Map<Tensor, Tensor> moving = new LinkedHashMap<>(); // an input may be there twice
      for (int i = 0; i < inputs.length; i++) {
        Tensor tangent = tangents[i];
        if (tangent != null) {
          moving.put(inputs[i], tangent);
        }
      }
      @Nullable Tensor[] derivatives = new Tensor[results.length];
      for (int k = 0; k < results.length; k++) {
        if (results[k].dtype().isFloating()) {
          derivatives[k] = transposed(k, moving);
        }
      }
      return derivatives;
    }

    private Tensor transposed(int output, Map<Tensor, Tensor> moving) {
      var inner = Grad.inputs(moving.keySet().toArray(new Tensor[0]));
      List<Tensor> directions = new ArrayList<>(moving.values());
      Tensor probe = results[output].zerosLike();
      Supplier<Tensor> product =
          () -> {
            try (var pullback = Pullback.of(() -> Op.applyAll(op, inputs)[output], inner)) {
              List<Tensor> gradients = pullback.pull(probe);
              Tensor sum = null;
              for (int i = 0; i < directions.size(); i++) {
                Tensor term = gradients.get(i).mul(directions.get(i)).sum();
                sum = sum == null ? term : sum.add(term);
              }
              return sum == null ? probe.sum() : sum;
            }
          };
      return Grad.orZero(product, probe).get(0);
    }
  }
}
