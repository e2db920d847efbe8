package carousel.cuda.scan;

import carousel.cuda.driver.BatchedGemm.Matrix;
import carousel.cuda.launch.Launcher;
import carousel.cuda.scan.RecurrentKernels.Kind;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.jspecify.annotations.Nullable;

/** The way there: outputs, final states, and what the gradient reads. */
final class CellScanForward {
  /**
   * What the gradient reads.
   *
   * @param gates {@code [T,N,G·H]}, activated
   * @param h all states, {@code [T+1,N,lead]}
   * @param c likewise; null where the cell has none
   * @param kept {@code [T,N,lead]}; null where the cell keeps nothing else
   */
  record Saved(Tensor gates, Tensor h, @Nullable Tensor c, @Nullable Tensor kept) {
    static Saved of(RecurrentCell cell, Tensor... all) {
      Tensor last = all[all.length - 1];
      return new Saved(all[0], all[1], cell.hasC() ? all[2] : null, cell.keeps() ? last : null);
    }

    Tensor[] all() {
      if (c == null) {
        return kept == null ? new Tensor[] {gates, h} : new Tensor[] {gates, h, kept};
      }
      return new Tensor[] {gates, h, c};
    }
  }

  private final CellScanCall call;
  private final Saved saved;
  private final Tensor y;
  private final long bias;

  /**
   * A run.
   *
   * @param call the inputs
   * @param saved filled by the run
   * @param y the outputs, likewise
   */
  CellScanForward(CellScanCall call, Saved saved, Tensor y) {
    this.call = call;
    this.saved = saved;
    this.y = y;
    this.bias = call.bias();
  }

  /** Room for what the gradient reads. */
  static Saved room(CellScanCall call) {
    RecurrentCell cell = call.cell;
    Tensor kept = null;
    if (cell.keeps()) {
      kept = call.states(call.steps);
    }
    return new Saved(
        call.empty(call.steps, call.rows, cell.gates() * call.hidden),
        call.states(call.steps + 1),
        cell.hasC() ? call.states(call.steps + 1) : null,
        kept);
  }

  /** Computes outputs and final states. */
  void run(Tensor[] lastStates) {
    beginWithInput();
    copyState(call.state(0), saved.h());
    Tensor c = saved.c();
    if (c != null) {
      copyState(call.state(1), c);
    }
    var plan = CellScanPlan.forward(call.sizes, call.launcher.driver());
    if (plan != null) {
      together(plan);
    } else {
      stepByStep();
    }
    int last = call.reverse ? 0 : call.steps;
    var backend = y.device().backend();
    backend.copy(call.state(saved.h(), last), lastStates[0]);
    if (c != null) {
      backend.copy(call.state(c, last), lastStates[1]);
    }
  }

  /** {@code x·wx}, or the input as it is, where the gates will be. */
  private void beginWithInput() {
    if (!call.roles.isAffine()) {
      y.device().backend().copy(call.z(), saved.gates());
      return;
    }
    int depth = call.x().dim(2);
    call.multiply(
        call.steps * call.rows,
        call.columns,
        depth,
        Matrix.of(Engine.address(call.x()), depth),
        Matrix.of(Engine.address(call.wx()), call.columns),
        Matrix.of(Engine.address(saved.gates()), call.columns),
        false);
  }

  private void copyState(Tensor given, Tensor states) {
    int first = call.before(call.time(0));
    given.device().backend().copy(given, call.state(states, first));
  }

  private void together(CellScanPlan plan) {
    var arguments =
        call.kernel(Kind.SCAN_FORWARD)
            .pointer(Engine.address(saved.gates()))
            .pointer(bias)
            .pointer(call.wh())
            .pointer(call.wn());
    results(call.vectors(arguments))
        .pointer(call.rounded())
        .pointer(call.room(plan.beyond()))
        .pointer(call.barrier());
    call.numbers(arguments)
        .i32(plan.own())
        .i32(plan.resident())
        .i32(plan.chunk())
        .start(plan.grid());
  }

  private void stepByStep() {
    try (var scope = TensorScope.openUnwatched()) {
      RecurrentCell cell = call.cell;
      int second = cell.products();
      Tensor u = call.empty(call.rows, cell.allProducts() * call.hidden);
      Tensor c = saved.c();
      Tensor kept = saved.kept();
      if (cell.looks() && c != null) {
        product(c, call.before(call.time(0)), call.wn(), second, cell.matrices(), u);
      }
      for (int k = 0; k < call.steps; k++) {
        int t = call.time(k);
        product(saved.h(), call.before(t), call.wh(), 0, second, u);
        step(k, u, 0);
        if (cell.resets() && kept != null) {
          product(kept, t, call.wn(), second, cell.matrices(), u);
          step(k, u, 1);
        } else if (cell.looks() && c != null) {
          product(c, call.after(t), call.wn(), second, cell.matrices(), u);
          step(k, u, 1);
        }
      }
    }
  }

  /** Blocks of {@code u [N,K·H] = rows [N,H] · weights}; rows are those of one of several times. */
  private void product(Tensor rows, int slot, long weights, int block, int blocks, Tensor u) {
    call.multiply(
        call.rows,
        blocks * call.hidden,
        call.hidden,
        Matrix.of(call.at(rows, (long) slot * call.rows * call.lead), call.lead),
        Matrix.of(weights, (long) blocks * call.hidden),
        Matrix.of(
            call.at(u, (long) block * call.hidden), (long) call.cell.allProducts() * call.hidden),
        false);
  }

  private void step(int k, Tensor u, int stage) {
    var arguments =
        call.kernel(Kind.STEP_FORWARD)
            .pointer(Engine.address(saved.gates()))
            .pointer(bias)
            .pointer(Engine.address(u));
    results(call.vectors(arguments));
    call.numbers(arguments)
        .i32(k)
        .i32(stage)
        .start(call.launcher.elements((long) call.rows * call.hidden));
  }

  private Launcher.Call results(Launcher.Call arguments) {
    return arguments
        .pointer(Engine.address(saved.h()))
        .pointer(CellScanCall.address(saved.c()))
        .pointer(CellScanCall.address(saved.kept()))
        .pointer(Engine.address(y))
        .pointer(call.lengths);
  }
}
