package carousel.nn.recurrent;

import carousel.autograd.KernelCheck;
import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.ScanTrace;
import carousel.tensor.trace.Untraced;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One run of a cell over time: as one composite, of which a backend may have a kernel, or step by step.
 *
 * @param <S> what the cell carries
 */
final class Scanner<S extends State> {
  private final Cell<S> cell;
  private final boolean reverse;
  private final Tensor x;
  private final S begin;
  private final IntFunction<S> start;
  private final Marks marks;
  private final int full;
  private final int steps;

  /**
   * A run.
   *
   * @param reverse whether the last step comes first
   * @param x {@code [T,N,D]}
   * @param begin the state before the first step
   * @param start the layer's own initial state of so many rows, from which rows start anew
   * @param marks on the device of x
   * @param full up to this step no row has ended
   */
  Scanner(
      Cell<S> cell,
      boolean reverse,
      Tensor x,
      S begin,
      IntFunction<S> start,
      Marks marks,
      int full) {
    this.cell = cell;
    this.reverse = reverse;
    this.x = x;
    this.begin = begin;
    this.start = start;
    this.marks = marks;
    this.full = full;
    this.steps = x.dim(0);
  }

  /** Runs by a kernel, if there is one. */
  Run run() {
    boolean kernels =
        Agreement.isFusionOn()
            && Interpreter.current().takesKernels()
            && x.device().backend().makesKernels();
    if (!kernels || steps == 0 || x.dim(1) == 0) {
      return loop();
    }
    try {
      return byKernel(true);
    } catch (Untraced e) {
      SlowCells.note(cell, steps, e);
      return loop();
    }
  }

  /**
   * Runs as one composite.
   *
   * @param compare whether to compare a kernel that is new with the step it was made of
   * @throws Untraced if there can be no kernel
   */
  private Run byKernel(boolean compare) {
    try (var scope = Scope.openUnwatched()) {
      Scan.Call call = trace(scope);
      boolean trusted = Cells.isRegistered(cell);
      Composite.Body body =
          in -> {
            List<Tensor> states =
                List.of(in).subList(call.places().states(), call.places().states() + states());
            return results(
                new Scanner<>(cell, reverse, x, with(states), start, marks, full).loop());
          };
      var scan = new Scan(call.step(), body, call.places(), steps, x.dim(1), reverse);
      if (compare && !agrees(call, scan.identity(begin.tensors().getFirst()), trusted)) {
        return kept(scope, loop());
      }
      Tensor[] out =
          Op.applyAll(
              new Composite(cell.label() + ".scan", scan, trusted),
              call.inputs().toArray(new Tensor[0]));
      S last = with(List.of(out).subList(1, 1 + states()));
      return kept(scope, new Run(out[0], cell.output(last), List.of(last)));
    }
  }

  /** Whether a kernel may be used: one of a user's step is compared the first time. */
  private boolean agrees(Scan.Call call, Object kernel, boolean trusted) {
    if (Agreement.isRefused(kernel)) {
      return false;
    }
    boolean recorded = Interpreter.current() != Interpreter.EAGER;
    if (!Agreement.isDue(kernel, trusted, recorded)) {
      return true;
    }
    Set<Tensor> leaves = new LinkedHashSet<>(List.of(x));
    leaves.addAll(begin.tensors());
    leaves.addAll(call.roots());
    cell.parameters().forEach(parameter -> leaves.add(parameter.value()));
    leaves.removeIf(tensor -> !tensor.dtype().isFloating());
    return KernelCheck.agrees(
        kernel,
        cell.getClass().getName(),
        recorded,
        () -> List.of(results(byKernel(false))),
        () -> List.of(results(loop())),
        leaves.toArray(new Tensor[0]));
  }

  /** Traces a step; throws {@link Untraced} if there can be no kernel. */
  Scan.Call trace(Scope scope) {
    List<Scan.Input> inputs = new ArrayList<>();
    inputs.add(
        cell instanceof AffineCell<S> affine && AffineCells.isAffine(cell)
            ? new Scan.Affine(x, affine.wx().value(), affine.b().value())
            : new Scan.Sequence(projected()));
    Flags flags = flags();
    if (flags != null) {
      inputs.add(new Scan.Sequence(flags.columns()));
    }
    var given = new Scan.Given(inputs, begin.tensors(), marks.lengths(), steps);
    return ScanTrace.of((in, states) -> step(in, with(List.of(states)), flags), given, scope);
  }

  private Tensor projected() {
    Tensor z = cell.project(x);
    if (z.rank() != 3 || z.dim(0) != steps || z.dim(1) != x.dim(1) || z.dtype() != x.dtype()) {
      throw new Untraced("project gives " + z.dtype() + " " + z.shape() + " of " + x.shape());
    }
    return z;
  }

  private Tensor[] step(Tensor[] in, S state, @Nullable Flags flags) {
    S before = state;
    if (flags != null && flags.resets() >= 0) {
      Tensor anew = in[1].narrow(1, flags.resets(), 1).gt(0.5);
      before = State.zip(start.apply(x.dim(1)), state, (a, b) -> Tensor.where(anew, a, b));
    }
    S next = cell.step(in[0], before);
    Tensor y = cell.output(next);
    if (flags != null && flags.taken() >= 0) {
      Tensor taken = in[1].narrow(1, flags.taken(), 1).gt(0.5);
      next = State.zip(next, before, (a, b) -> Tensor.where(taken, a, b));
      y = Tensor.where(taken, y, y.scalarLike(0));
    }
    return results(y, next);
  }

  /**
   * Flags as columns of numbers beside the input.
   *
   * @param columns {@code [T,N,1]} or {@code [T,N,2]}
   * @param resets which column says where rows start anew; −1 if none does
   * @param taken which column says which steps are taken; −1 if none does
   */
  private record Flags(Tensor columns, int resets, int taken) {}

  private @Nullable Flags flags() {
    if (!marks.areFlags()) {
      return null;
    }
    List<Tensor> columns = new ArrayList<>();
    Tensor resets = resetsBefore();
    Tensor taken = marks.taken();
    if (resets != null) {
      columns.add(resets.cast(x.dtype()).unsqueeze(2));
    }
    if (taken != null) {
      columns.add(taken.cast(x.dtype()).unsqueeze(2));
    }
    return new Flags(
        Tensor.concat(2, columns),
        resets == null ? -1 : 0,
        taken == null ? -1 : columns.size() - 1);
  }

  /** Where the state starts anew before a step is taken; in reverse, that is one step earlier. */
  private @Nullable Tensor resetsBefore() {
    Tensor resets = marks.resets();
    if (resets == null || !reverse || steps == 0) {
      return resets;
    }
    Tensor none = Tensor.zerosAs(resets, Shape.of(1, x.dim(1)));
    return Tensor.concat(0, List.of(resets.narrow(0, 1, steps - 1), none));
  }

  /** Runs all steps by ops. */
  Run loop() {
    List<Tensor> outputs = new ArrayList<>(Collections.nCopies(steps, x));
    S state = begin;
    try (var whole = Scope.openUnwatched()) {
      List<Tensor> z = steps == 0 ? List.of() : cell.project(x).unbind(0);
      List<Tensor> resets = rows(resetsBefore());
      List<Tensor> taken = rows(marks.taken());
      List<Tensor> valid = rows(valid());
      S anew = resets.isEmpty() ? state : start.apply(x.dim(1));
      for (int k = 0; k < steps; k++) {
        int t = reverse ? steps - 1 - k : k;
        // What a step makes on the way is freed with it; a tape holds what it needs.
        try (var step = Scope.openUnwatched()) {
          S before = resets.isEmpty() ? state : State.zip(anew, state, choose(resets.get(t)));
          S next = cell.step(z.get(t), before);
          Tensor y = cell.output(next);
          if (!taken.isEmpty()) {
            next = State.zip(next, before, choose(taken.get(t)));
            y = choose(taken.get(t)).apply(y, y.scalarLike(0));
          }
          if (t >= full) {
            next = State.zip(next, state, choose(valid.get(t)));
            y = choose(valid.get(t)).apply(y, y.scalarLike(0));
          }
          state = State.map(next, step::keep);
          outputs.set(t, step.keep(y));
        }
      }
      Tensor y =
          steps == 0
              ? Tensor.zerosAs(x, Shape.of(0, x.dim(1), cell.outputs()))
              : Tensor.stack(0, outputs);
      return kept(whole, new Run(y, cell.output(state), List.of(state)));
    }
  }

  private @Nullable Tensor valid() {
    Tensor lengths = marks.lengths();
    return lengths == null || full == steps ? null : Recurrent.valid(steps, lengths);
  }

  private static List<Tensor> rows(@Nullable Tensor flags) {
    return flags == null ? List.of() : flags.unbind(0);
  }

  /** Rows of the first tensor where the mask {@code [N]} holds, of the second elsewhere. */
  private static BinaryOperator<Tensor> choose(Tensor mask) {
    return (a, b) -> {
      int[] dims = new int[a.rank()];
      Arrays.fill(dims, 1);
      dims[0] = a.dim(0);
      return Tensor.where(mask.reshape(dims), a, b);
    };
  }

  private int states() {
    return begin.tensors().size();
  }

  private S with(List<Tensor> tensors) {
    return State.with(begin, tensors);
  }

  private Tensor[] results(Run run) {
    return results(run.y(), run.states().getFirst());
  }

  private static Tensor[] results(Tensor y, State state) {
    List<Tensor> out = new ArrayList<>(List.of(y));
    out.addAll(state.tensors());
    return out.toArray(new Tensor[0]);
  }

  static Run kept(Scope scope, Run run) {
    scope.keep(run.y());
    scope.keep(run.last());
    run.states().forEach(state -> state.tensors().forEach(scope::keep));
    return run;
  }
}
