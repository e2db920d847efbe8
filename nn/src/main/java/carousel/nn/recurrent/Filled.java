package carousel.nn.recurrent;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a cell sees where a row takes no step: a step that it takes elsewhere. Code that runs op by op computes
 * all rows at every step and throws away what is not wanted. What flows back into that is 0, but 0 times a
 * slope that is not finite is NaN; so it is computed of numbers of which it is computed anyway, and is as
 * finite as these. In the order of the scan:
 *
 * <ul>
 *   <li>a step that is skipped sees the next one that its row takes: that input, and the state, which is carried
 *       on until then. Where a row starts anew after the skipped steps it does before them, which is the same;
 *   <li>a step after the last, or past the length, sees the first that its row takes, input and state;
 *   <li>a row that takes no step sees the first of one that does; zeros if there is none.
 * </ul>
 *
 * <p>All of this is constant: no gradient flows to it.
 *
 * @param x {@code [T,N,D]}, with these inputs
 * @param resets where rows start anew before a step, BOOL {@code [T,N]}; null if nowhere
 * @param ended the steps that see their row's first, BOOL {@code [T,N]}; null if they are those past lengths
 * @param first the tensors of the state that the first step of each row sees
 */
record Filled(Tensor x, @Nullable Tensor resets, @Nullable Tensor ended, List<Tensor> first) {

  /**
   * Fills.
   *
   * @param x {@code [T,N,D]}
   * @param marks those of the run, on the device of x
   * @param reverse whether the last step comes first
   * @param begin the tensors of the state before the first step
   * @param anew those from which rows start anew
   */
  static Filled of(
      Tensor x, Marks marks, boolean reverse, List<Tensor> begin, Supplier<List<Tensor>> anew) {
    Tensor resets = marks.resetsBefore(reverse);
    if ((marks.lengths() == null && marks.taken() == null) || x.dim(0) == 0 || x.dim(1) == 0) {
      return new Filled(x, resets, null, begin);
    }
    Tensor lengths = marks.lengths();
    Tensor taken = marks.taken();
    if (lengths == null) {
      return new Order(x, Objects.requireNonNull(taken), reverse).filled(resets, begin, anew);
    }
    Tensor within = Marks.valid(x.dim(0), lengths);
    Tensor fresh = resets == null ? null : resets.and(within);
    return taken == null
        ? ofLengths(x, lengths, within, fresh, reverse, begin, anew)
        : new Order(x, taken.and(within), reverse).filled(fresh, begin, anew);
  }

  /** The first step of a row stands at 0, or at its end; all are taken. */
  private static Filled ofLengths(
      Tensor x,
      Tensor lengths,
      Tensor within,
      @Nullable Tensor resets,
      boolean reverse,
      List<Tensor> begin,
      Supplier<List<Tensor>> anew) {
    var rows = Rows.where(lengths.gt(0));
    Tensor at = reverse ? rows.of(lengths).add(-1).maximum(0) : lengths.zerosLike();
    Tensor first = rows.inputs(x, at.unsqueeze(0));
    Tensor fresh = resets == null ? null : resets.gather(at.unsqueeze(0), 0).select(0, 0);
    return new Filled(
        Tensor.where(within.unsqueeze(2), x, first), resets, null, rows.states(begin, fresh, anew));
  }

  /** The steps that are taken, in the order of the scan. */
  private static final class Order {
    private final Tensor x;
    private final boolean reverse;
    private final Tensor taken;

    /** How many steps that its row takes come before each, I32 {@code [T,N]}. */
    private final Tensor before;

    /** How many there are, I32 {@code [N]}. */
    private final Tensor all;

    /** Which these are, I32 {@code [T+1,N]}; zeros after the last. */
    private final Tensor steps;

    Order(Tensor x, Tensor taken, boolean reverse) {
      this.x = x;
      this.reverse = reverse;
      this.taken = inOrder(taken);
      int length = x.dim(0);
      Tensor count = this.taken.cast(DType.I32);
      before = count.cumsum(0).sub(count);
      all = count.sum(0);
      Tensor numbers = Tensor.arange(length).to(x.device()).unsqueeze(1).expand(taken.shape());
      Tensor none = count.zerosLike(Shape.of(length + 1, x.dim(1)));
      // Steps that are not taken add 0 to a place of their own.
      steps =
          none.scatterAdd(
              Tensor.where(this.taken, before, before.scalarLike(length)),
              Tensor.where(this.taken, numbers, numbers.scalarLike(0)),
              0);
    }

    private Tensor inOrder(Tensor flags) {
      return reverse ? flags.flip(0) : flags;
    }

    Filled filled(@Nullable Tensor resets, List<Tensor> begin, Supplier<List<Tensor>> anew) {
      var rows = Rows.where(all.gt(0));
      Tensor ended = before.ge(all);
      Tensor first = steps.narrow(0, 0, 1);
      Tensor next = Tensor.where(ended, first, steps.gather(before, 0));
      Tensor early = resets == null ? null : early(inOrder(resets), ended, next);
      Tensor fresh = early == null ? null : early.gather(first, 0).select(0, 0);
      Tensor at = Tensor.where(rows.some().gt(0), next, rows.of(first));
      if (reverse) {
        at = at.neg().add(x.dim(0) - 1);
      }
      Tensor see = rows.inputs(x, inOrder(at));
      return new Filled(
          Tensor.where(inOrder(taken).unsqueeze(2), x, see),
          early == null ? null : inOrder(early),
          inOrder(ended),
          rows.states(begin, fresh, anew));
    }

    /** Whether a row starts anew after the last step that it takes, up to the next. */
    private Tensor early(Tensor resets, Tensor ended, Tensor next) {
      Tensor count = resets.cast(DType.I32).cumsum(0);
      Tensor last = count.narrow(0, x.dim(0) - 1, 1);
      Tensor to = Tensor.where(ended, last, count.gather(next, 0));
      Tensor previous = steps.gather(before.add(-1).maximum(0), 0);
      Tensor from = count.gather(previous, 0);
      return to.gt(Tensor.where(before.gt(0), from, from.scalarLike(0)));
    }
  }

  /**
   * Rows that stand for rows that take no step.
   *
   * @param some whether each takes one, as 0 or 1, I32 {@code [N]}
   * @param which the row that stands for each, I32 {@code [N]}
   */
  private record Rows(Tensor some, Tensor which) {
    static Rows where(Tensor takes) {
      Tensor some = takes.cast(DType.I32);
      Tensor own = Tensor.arange(takes.dim(0)).to(takes.device());
      return new Rows(some, Tensor.where(takes, own, some.argmax(0)));
    }

    /** What stands for each row, of {@code [..,N]}. */
    Tensor of(Tensor rows) {
      return rows.indexSelect(which, -1);
    }

    /** Inputs at steps {@code [K,N]}, each of the row that stands there: {@code [K,N,D]}. */
    Tensor inputs(Tensor x, Tensor at) {
      Tensor place = at.mul(x.dim(1)).add(which);
      Tensor all = x.detach().reshape(x.dim(0) * x.dim(1), x.dim(2));
      Tensor inputs = all.indexSelect(place, 0);
      return Tensor.where(some.max().gt(0), inputs, inputs.scalarLike(0));
    }

    /** The states that these rows begin with. */
    List<Tensor> states(List<Tensor> begin, @Nullable Tensor fresh, Supplier<List<Tensor>> anew) {
      List<Tensor> other = fresh == null ? List.of() : anew.get();
      List<Tensor> states = new ArrayList<>();
      for (int k = 0; k < begin.size(); k++) {
        Tensor state = begin.get(k).detach();
        if (fresh != null) {
          state = Flags.choose(fresh, other.get(k).detach(), state);
        }
        states.add(state.indexSelect(which, 0));
      }
      return states;
    }
  }
}
