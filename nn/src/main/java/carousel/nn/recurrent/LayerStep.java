package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One step of a layer: that of its cell, and what marks and noise do around it. Rows start anew, the cell
 * reads a state of which some is dropped, units keep what they had, outputs are dropped, and a step that is
 * skipped leaves everything as it was. A kernel is made of this, and without one it runs as it stands.
 *
 * @param <S> what the cell carries
 */
final class LayerStep<S extends RecurrentState> {
  private final Cell<S> cell;
  private final Masks masks;
  private final Flags flags = new Flags();
  private final Flags.@Nullable Field resets;
  private final Flags.@Nullable Field taken;
  private final Flags.@Nullable Field ended;
  private final List<Tensor> first;
  private final List<Flags.@Nullable Field> kept = new ArrayList<>();
  private final Flags.@Nullable Field candidate;

  /** What a step gives: the output {@code [N,H]}, and the state after it. */
  record Result<S extends RecurrentState>(Tensor y, S state) {
    /** This in rows that have the step, BOOL {@code [N]} or {@code [N,1]}; in others the state before it. */
    Result<S> in(Tensor rows, S before) {
      return new Result<>(
          Flags.choose(rows, y, y.scalarLike(0)),
          RecurrentState.zip(state, before, (a, b) -> Flags.choose(rows, a, b)));
    }
  }

  /**
   * The steps of one run.
   *
   * @param filled what the cell sees where no step is taken, and where rows start anew before a step
   * @param taken which steps are taken, BOOL {@code [T,N]}
   * @param masks the noise of the run
   */
  LayerStep(Cell<S> cell, Filled filled, @Nullable Tensor taken, Masks masks) {
    this.cell = cell;
    this.masks = masks;
    this.first = filled.first();
    Tensor resets = filled.resets();
    Tensor last = filled.ended();
    this.resets = resets == null ? null : flags.add(resets);
    this.taken = taken == null ? null : flags.add(taken);
    this.ended = last == null ? null : flags.add(last);
    for (Tensor mask : masks.kept()) {
      kept.add(mask == null ? null : flags.add(mask));
    }
    Tensor mask = masks.candidate().kept();
    this.candidate = mask == null || mask.rank() == 2 ? null : flags.add(mask);
  }

  /** What is read at every step beside the input. */
  Flags flags() {
    return flags;
  }

  /** Whether this is the cell's step, and nothing around it. */
  boolean isPlain() {
    return flags.isEmpty() && masks.leaveSteps();
  }

  /** Whether rows start anew within the sequence. */
  boolean startsAnew() {
    return resets != null;
  }

  /**
   * Takes one step.
   *
   * @param z the projected input, {@code [N,G]}
   * @param here the flags of the step
   * @param state the state before it
   * @param anew the tensors of a state from which rows start anew, {@code [N, ..]} or the same for all rows;
   *     read only if some do
   */
  Result<S> take(Tensor z, Flags.Step here, S state, List<Tensor> anew) {
    if (isPlain()) {
      S next = given(cell.step(z, state));
      return new Result<>(cell.output(next), next);
    }
    S old = state;
    if (resets != null) {
      Tensor where = resets.of(here);
      old = each(state, (k, s) -> Flags.choose(where, anew.get(k), s));
    }
    S seen = ended == null ? old : orFirst(ended.of(here), old);
    S read = each(seen, (k, s) -> masks.states().get(k).apply(s));
    S next = zoned(old, cellStep(z, here, read, seen), here);
    var result = new Result<>(output(next), next);
    return taken == null ? result : result.in(taken.of(here), old);
  }

  /** Takes one step in rows that have it, BOOL {@code [N]}; others are left as they were. */
  Result<S> takeIn(Tensor rows, Tensor z, Flags.Step here, S state, List<Tensor> anew) {
    return take(z, here, orFirst(rows.not(), state), anew).in(rows, state);
  }

  /** A state, and in rows that have ended that which their first step sees. */
  private S orFirst(Tensor ended, S state) {
    return each(state, (k, s) -> Flags.choose(ended, first.get(k), s));
  }

  /** What the layer gives of a state, {@code [N,H]}. */
  Tensor output(S state) {
    return masks.outputs().apply(cell.output(state));
  }

  private S cellStep(Tensor z, Flags.Step here, S read, S carried) {
    if (masks.candidate().isNone()) {
      return given(cell.step(z, read, carried));
    }
    Mask mask = candidate == null ? masks.candidate() : masks.candidate().of(candidate.of(here));
    return given(((CandidateCell<S>) cell).step(z, read, carried, mask::apply));
  }

  /** What users' code gives, if it gives something. */
  private S given(@Nullable S next) {
    if (next == null) {
      throw new TensorException(
          "cell "
              + CellShapes.name(cell)
              + ": step gives null; it is to give the state after the step");
    }
    return next;
  }

  private S zoned(S old, S next, Flags.Step here) {
    List<Tensor> before = old.tensors();
    return each(
        next,
        (k, s) -> {
          double rate = Noise.rate(masks.noise().zoneout(), k);
          Flags.Field field = kept.get(k);
          if (field != null) {
            return Flags.chooseEach(field.of(here), before.get(k), s);
          }
          boolean expected = rate > 0 && !masks.isTraining() && s.dtype().isFloating();
          return expected ? before.get(k).mul(rate).add(s.mul(1 - rate)) : s;
        });
  }

  @FunctionalInterface
  private interface Each {
    Tensor apply(int k, Tensor tensor);
  }

  private static <S extends RecurrentState> S each(S state, Each f) {
    List<Tensor> tensors = new ArrayList<>(state.tensors());
    for (int k = 0; k < tensors.size(); k++) {
      tensors.set(k, f.apply(k, tensors.get(k)));
    }
    return RecurrentState.with(state, tensors);
  }
}
