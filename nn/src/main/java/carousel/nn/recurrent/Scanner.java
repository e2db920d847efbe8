package carousel.nn.recurrent;

import carousel.autograd.KernelCheck;
import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.Draws;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.ScanTrace;
import carousel.tensor.trace.Untraced;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a cell over time: as one composite, of which a backend may have a kernel, or step by step.
 *
 * @param <S> what the cell carries
 */
final class Scanner<S extends RecurrentState> {
  private final Cell<S> cell;
  private final LayerStep<S> step;
  private final boolean reverse;
  private final Tensor x;
  private final S begin;
  private final IntFunction<List<Tensor>> anew;
  private final @Nullable Tensor lengths;
  private final int full;
  private final int steps;
  private final Drawn drawn;

  /** What {@link #projected} has computed, by which interpreter, and what owns it. */
  private @Nullable Tensor z;

  private @Nullable Interpreter by;
  private @Nullable TensorScope home;

  /** What a projection drew the first time. */
  private static final class Drawn {
    private final Draws draws = new Draws();
    private boolean recorded;

    Tensor get(Supplier<Tensor> code) {
      if (recorded) {
        return draws.replay(code);
      }
      recorded = true;
      return draws.record(code);
    }
  }

  /**
   * A run.
   *
   * @param step what every step does
   * @param reverse whether the last step comes first
   * @param x {@code [T,N,D]}
   * @param begin the state before the first step
   * @param anew the tensors of a state, for so many rows, from which rows start anew
   * @param lengths of the rows, I32 {@code [N]} on the device of x; null if all are T long
   * @param full up to this step no row has ended
   */
  Scanner(
      Cell<S> cell,
      LayerStep<S> step,
      boolean reverse,
      Tensor x,
      S begin,
      IntFunction<List<Tensor>> anew,
      @Nullable Tensor lengths,
      int full) {
    this(cell, step, reverse, x, begin, anew, lengths, full, new Drawn());
  }

  private Scanner(
      Cell<S> cell,
      LayerStep<S> step,
      boolean reverse,
      Tensor x,
      S begin,
      IntFunction<List<Tensor>> anew,
      @Nullable Tensor lengths,
      int full,
      Drawn drawn) {
    this.drawn = drawn;
    this.cell = cell;
    this.step = step;
    this.reverse = reverse;
    this.x = x;
    this.begin = begin;
    this.anew = anew;
    this.lengths = lengths;
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
    try (var whole = TensorScope.openUnwatched()) {
      home = whole;
      try {
        return kept(whole, byKernel(true));
      } catch (Untraced e) {
        SlowCells.note(cell, steps, e);
        return kept(whole, loop());
      }
    } finally {
      home = null;
      z = null;
    }
  }

  /**
   * The projection of the input, computed once for whoever runs here. Where it has to be computed again, as on
   * another tape, it draws the same random numbers.
   */
  private Tensor projected() {
    var here = Interpreter.current();
    Tensor known = z;
    if (known != null && here == by) {
      return known;
    }
    Tensor made = drawn.get(() -> CellShapes.projected(cell, x));
    if (home != null) {
      home.adopt(made);
      z = made;
      by = here;
    }
    return made;
  }

  /** What runs this, in a user's words. */
  String explanation() {
    String name = CellShapes.name(cell) + " on " + x.device() + ": ";
    if (!Agreement.isFusionOn()) {
      return name + "no kernel, as -Dcarousel.fused=off says; it runs op by op\n";
    }
    try (var scope = TensorScope.openUnwatched()) {
      Scan.Call call = trace(scope);
      Tensor like = begin.tensors().getFirst();
      var scan = new Scan(call.step(), in -> in, call.places(), steps, x.dim(1), reverse);
      if (Agreement.isRefused(scan.identity(like))) {
        return name
            + "no kernel; it runs op by op, as the one that was made of it gave something else the first time that it"
            + " ran: see the log\n";
      }
      return name
          + "one kernel for all steps, forward and backward\n"
          + x.device().backend().description(call.step(), like, call.places().affine());
    } catch (Untraced e) {
      return name
          + "no kernel; it runs op by op, with the same results\n  "
          + e.getMessage()
          + "\n";
    }
  }

  /**
   * Runs as one composite.
   *
   * @param compare whether to compare a kernel that is new with the step it was made of
   * @throws Untraced if there can be no kernel
   */
  private Run byKernel(boolean compare) {
    try (var scope = TensorScope.openUnwatched()) {
      Scan.Call call = trace(scope);
      int states = begin.tensors().size();
      Composite.Body body =
          in -> {
            int first = call.places().states();
            return tensors(from(with(List.of(in).subList(first, first + states))).loop());
          };
      // What is known of the cell holds of its own step, not of one with marks or noise around it.
      boolean trusted = step.isPlain() && Cells.isRegistered(cell);
      String label = cell.label() + (step.isPlain() ? ".scan" : ".layer.scan");
      var scan = new Scan(call.step(), body, call.places(), steps, x.dim(1), reverse);
      if (scan.columns() != cell.outputs()) {
        return kept(scope, loop()); // which says what is wrong
      }
      if (compare && !agrees(call, scan.identity(begin.tensors().getFirst()), trusted)) {
        return kept(scope, loop());
      }
      Tensor[] out =
          Op.applyAll(new Composite(label, scan, trusted), call.inputs().toArray(new Tensor[0]));
      S last = with(List.of(out).subList(1, 1 + states));
      return kept(scope, new Run(out[0], step.output(last), List.of(last)));
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
    // What the cell holds besides these, its step does not read.
    Set<Tensor> leaves = new LinkedHashSet<>(List.of(x));
    leaves.addAll(call.inputs().subList(0, call.places().states()));
    leaves.addAll(begin.tensors());
    leaves.addAll(call.roots());
    leaves.removeIf(tensor -> !tensor.dtype().isFloating());
    return KernelCheck.agrees(
        kernel,
        cell.getClass().getName(),
        recorded,
        () -> List.of(tensors(from(begin).byKernel(false))),
        () -> List.of(tensors(from(begin).loop())),
        leaves.toArray(new Tensor[0]));
  }

  private Scanner<S> from(S state) {
    return new Scanner<>(cell, step, reverse, x, state, anew, lengths, full, drawn);
  }

  /** Traces a step; throws {@link Untraced} if there can be no kernel. */
  private Scan.Call trace(TensorScope scope) {
    List<Scan.Input> inputs = new ArrayList<>();
    inputs.add(
        cell instanceof AffineCell<S> affine && AffineCells.isAffine(cell)
            ? new Scan.Affine(x, affine.wx().value(), Weights.bias(affine))
            : new Scan.Sequence(projected()));
    if (!step.flags().isEmpty()) {
      inputs.add(
          new Scan.Sequence(step.flags().columns().cast(begin.tensors().getFirst().dtype())));
    }
    Scan.Step traced =
        (in, states) -> {
          Flags.Step here = (from, width) -> in[1].narrow(1, from, width).gt(0.5);
          var next = step.take(in[0], here, with(List.of(states)), anew());
          return tensors(next.y(), next.state());
        };
    return ScanTrace.of(
        traced, new Scan.Given(inputs, begin.tensors(), lengths, steps, x.dim(1)), scope);
  }

  private List<Tensor> anew() {
    return step.startsAnew() ? anew.apply(x.dim(1)) : List.of();
  }

  /** Runs all steps by ops. */
  Run loop() {
    List<Tensor> outputs = new ArrayList<>(Collections.nCopies(steps, x));
    S state = begin;
    try (var whole = TensorScope.openUnwatched()) {
      List<Tensor> z = steps == 0 ? List.of() : projected().unbind(0);
      List<Tensor> flags = step.flags().isEmpty() ? List.of() : step.flags().columns().unbind(0);
      List<Tensor> valid = lengths == null ? List.of() : Marks.valid(steps, lengths).unbind(0);
      List<Tensor> fresh = anew();
      for (int k = 0; k < steps; k++) {
        int t = reverse ? steps - 1 - k : k;
        // What a step makes on the way is freed with it; a tape holds what it needs.
        try (var making = TensorScope.openUnwatched()) {
          Flags.Step here = (from, width) -> flags.get(t).narrow(1, from, width);
          LayerStep.Result<S> next =
              t < full
                  ? step.take(z.get(t), here, state, fresh)
                  : step.takeIn(valid.get(t), z.get(t), here, state, fresh);
          if (k == 0) {
            CellShapes.checkStep(cell, x.dim(1), state, next.state(), next.y());
          }
          state = RecurrentState.map(next.state(), making::keep);
          outputs.set(t, making.keep(next.y()));
        }
      }
      Tensor y =
          steps == 0
              ? x.zerosLike(Shape.of(0, x.dim(1), cell.outputs()))
              : Tensor.stack(outputs, 0);
      return kept(whole, new Run(y, step.output(state), List.of(state)));
    }
  }

  private S with(List<Tensor> tensors) {
    return RecurrentState.with(begin, tensors);
  }

  private static Tensor[] tensors(Run run) {
    return tensors(run.y(), run.states().getFirst());
  }

  private static Tensor[] tensors(Tensor y, RecurrentState state) {
    List<Tensor> out = new ArrayList<>(List.of(y));
    out.addAll(state.tensors());
    return out.toArray(new Tensor[0]);
  }

  static Run kept(TensorScope scope, Run run) {
    scope.keep(run.y());
    scope.keep(run.last());
    run.keepStates(scope);
    return run;
  }
}
