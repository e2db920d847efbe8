package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes, but breaks one op of one gradient rule: the k-th that the rule applies gives something else. So
 * each term of a rule is broken in each way there is, without its source.
 */
final class Breaking implements Interpreter {
  /** What an op of a rule gives instead of its result. */
  enum Way {
    /** The opposite: a wrong sign. */
    NEGATED {
      @Override
      Tensor instead(Tensor y, Op op, Tensor... in) {
        return y.neg();
      }
    },
    /** Zeros: the term is missing. */
    MISSING {
      @Override
      Tensor instead(Tensor y, Op op, Tensor... in) {
        return y.zerosLike();
      }
    },
    /** Twice as much: a wrong factor. */
    DOUBLED {
      @Override
      Tensor instead(Tensor y, Op op, Tensor... in) {
        return y.mul(2);
      }
    },
    /** The first operand: what is done with it is forgotten. */
    FIRST {
      @Override
      @Nullable Tensor instead(Tensor y, Op op, Tensor... in) {
        return as(in[0], y);
      }
    },
    /** The second operand. */
    SECOND {
      @Override
      @Nullable Tensor instead(Tensor y, Op op, Tensor... in) {
        return in.length < 2 ? null : as(in[1], y);
      }
    },
    /** With the first two operands in each other's place. */
    SWAPPED {
      @Override
      @Nullable Tensor instead(Tensor y, Op op, Tensor... in) {
        if (in.length < 2) {
          return null;
        }
        Tensor[] swapped = in.clone();
        swapped[0] = in[1];
        swapped[1] = in[0];
        try {
          return as(op.evaluate(swapped)[0], y);
        } catch (TensorException e) {
          return null;
        }
      }
    };

    /** The wrong result; null if this op cannot go wrong so. */
    abstract @Nullable Tensor instead(Tensor y, Op op, Tensor... in);

    private static @Nullable Tensor as(Tensor x, Tensor y) {
      boolean fits = x.dtype() == y.dtype() && x.rank() <= y.rank();
      for (int i = 1; fits && i <= x.rank(); i++) {
        fits = x.dim(-i) == y.dim(-i) || x.dim(-i) == 1;
      }
      return fits ? x.expand(y.shape()).contiguous() : null;
    }
  }

  private final String label;
  private final int position;
  private final Way way;
  private final List<String> applied = new ArrayList<>();
  private boolean inside;
  private boolean changed;
  private int next;

  /** Breaks the rule of a label at a position; negative: nowhere, to see what it applies. */
  Breaking(String label, int position, Way way) {
    this.label = label;
    this.position = position;
    this.way = way;
  }

  /** Runs code whose gradients are broken. */
  void around(Runnable code) {
    ScopedValue.where(Tape.PULL, this::pull)
        .run(() ->
            run(() -> {
              code.run();
              return this;
            }));
  }

  /** The ops that the rule applied, at most, in one go. */
  List<String> applied() {
    return applied;
  }

  /** Whether anything was another number because of this. */
  boolean changed() {
    return changed;
  }

  private void pull(Node node) {
    boolean around = inside;
    int before = next;
    inside = node.label().equals(label);
    next = 0;
    try {
      node.pull();
    } finally {
      inside = around;
      next = before;
    }
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    Tensor[] results = EAGER.apply(op, inputs);
    if (!inside) {
      return results;
    }
    if (next == applied.size()) {
      applied.add(op.label());
    }
    if (next++ == position && results[0].dtype().isFloating()) {
      Tensor wrong = EAGER.run(() -> way.instead(results[0], op, inputs));
      if (wrong != null && !wrong.sameValues(results[0])) {
        changed = true;
        results[0] = wrong;
      }
    }
    return results;
  }
}
