package carousel.cuda.scan;

import carousel.cuda.driver.BatchedGemm.Matrix;
import carousel.cuda.launch.Launcher;
import carousel.cuda.scan.RecurrentKernels.Kind;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import org.jspecify.annotations.Nullable;

/**
 * The way back: the gradients of the gates' sums step by step, then those of all weights, each by one
 * product or one sum over all steps.
 */
final class CellScanBackward {
  /** Of a cell that looks: how many of the first gates see the c before. */
  private static final int LOOKING_BEFORE = 2;

  /** The gate that sees the c after. */
  private static final int LOOKING_AFTER = RecurrentCell.MATRIX_PEEPHOLE.order().indexOf("o");

  private final CellScanCall call;
  private final CellScanForward.Saved saved;
  private final CellScanGradients gradients;
  private final RecurrentCell cell;
  private final int hidden;
  private final Tensor dz; // [T,N,B·H]

  /**
   * A run.
   *
   * @param gradients filled by the run
   */
  CellScanBackward(CellScanCall call, CellScanForward.Saved saved, CellScanGradients gradients) {
    this.call = call;
    this.saved = saved;
    this.gradients = gradients;
    this.cell = call.cell;
    this.hidden = call.hidden;
    this.dz = call.empty(call.steps, call.rows, cell.pulled() * hidden);
  }

  /**
   * Computes gradients of the inputs.
   *
   * @param ofOutput the cotangent of y; null for zeros
   * @param ofLast those of the final states, likewise
   */
  void run(@Nullable Tensor ofOutput, @Nullable Tensor... ofLast) {
    Tensor dy = dense(ofOutput);
    var plan = CellScanPlan.backward(call.sizes, call.launcher.driver());
    if (plan != null) {
      together(plan, dy, dense(ofLast[0]), cell.hasC() ? dense(ofLast[1]) : null);
    } else {
      stepByStep(dy, ofLast);
    }
    inputGradients();
    weightGradients();
  }

  private static @Nullable Tensor dense(@Nullable Tensor tensor) {
    return tensor == null ? null : CellScanCall.dense(tensor);
  }

  private void together(
      CellScanPlan plan, @Nullable Tensor dy, @Nullable Tensor dh, @Nullable Tensor dc) {
    var arguments =
        call.kernel(Kind.SCAN_BACKWARD)
            .pointer(Engine.address(saved.gates()))
            .pointer(call.wh())
            .pointer(call.wn());
    there(call.vectors(arguments));
    arguments
        .pointer(CellScanCall.address(dy))
        .pointer(CellScanCall.address(dh))
        .pointer(CellScanCall.address(dc))
        .pointer(call.lengths)
        .pointer(Engine.address(dz))
        .pointer(Engine.address(gradients.state(0)))
        .pointer(cell.hasC() ? Engine.address(gradients.state(1)) : 0)
        .pointer(call.room(plan.shares(call.sizes)))
        .pointer(call.room(plan.beyond()))
        .pointer(call.barrier());
    call.numbers(arguments).i32(plan.own()).i32(plan.resident()).start(plan.grid());
  }

  private Launcher.Call there(Launcher.Call arguments) {
    return arguments
        .pointer(Engine.address(saved.h()))
        .pointer(CellScanCall.address(saved.c()))
        .pointer(CellScanCall.address(saved.kept()));
  }

  private void stepByStep(@Nullable Tensor dy, @Nullable Tensor... ofLast) {
    var backend = dz.device().backend();
    try (var scope = TensorScope.openUnwatched()) {
      Tensor product = call.empty(call.rows, hidden);
      Tensor[] passing = new Tensor[cell.states()];
      for (int i = 0; i < passing.length; i++) {
        passing[i] = call.empty(call.rows, hidden);
        Tensor cotangent = ofLast[i];
        if (cotangent == null) {
          backend.fill(passing[i], 0);
        } else {
          backend.copy(cotangent, passing[i]);
        }
      }
      backend.fill(product, 0);
      for (int k = call.steps - 1; k >= 0; k--) {
        int t = call.time(k);
        step(k, dy, product, passing, 1);
        if (cell.resets()) {
          int n = cell.products();
          multiply(t, n, 1, Matrix.of(call.wn(), hidden), product, false);
          step(k, dy, product, passing, 0);
        } else if (cell.looks()) {
          multiply(t, LOOKING_AFTER, 1, looking(LOOKING_BEFORE), product, false);
          if (k < call.steps - 1) {
            multiply(call.time(k + 1), 0, LOOKING_BEFORE, looking(0), product, true);
          }
          step(k, dy, product, passing, 0);
        }
        int same = cell.splits() ? cell.products() - 1 : cell.products();
        long lead = (long) cell.products() * hidden;
        multiply(t, 0, same, Matrix.of(call.wh(), lead), product, false);
        if (cell.splits()) {
          long column = call.wh() + (long) same * hidden * call.type.bytes();
          multiply(t, cell.gates(), 1, Matrix.of(column, lead), product, true);
        }
      }
      backend.binary(Binary.ADD, passing[0], product, gradients.state(0));
      if (cell.looks()) {
        multiply(call.time(0), 0, LOOKING_BEFORE, looking(0), product, false);
        backend.binary(Binary.ADD, passing[1], product, gradients.state(1));
      } else if (cell.hasC()) {
        backend.copy(passing[1], gradients.state(1));
      }
    }
  }

  /** The matrices from the i-th on of a cell that looks. */
  private Matrix looking(int i) {
    long first = call.wn() + (long) i * hidden * call.type.bytes();
    return Matrix.of(first, (long) cell.matrices() * hidden);
  }

  private void step(int k, @Nullable Tensor dy, Tensor product, Tensor[] passing, int stage) {
    var arguments = call.kernel(Kind.STEP_BACKWARD).pointer(Engine.address(saved.gates()));
    there(call.vectors(arguments))
        .pointer(CellScanCall.address(dy))
        .pointer(call.lengths)
        .pointer(Engine.address(product))
        .pointer(Engine.address(passing[0]))
        .pointer(cell.hasC() ? Engine.address(passing[1]) : 0)
        .pointer(Engine.address(dz));
    call.numbers(arguments)
        .i32(k)
        .i32(stage)
        .start(call.launcher.elements((long) call.rows * hidden));
  }

  /** {@code product [N,H] = dz_t[blocks] · weightsᵀ}. */
  private void multiply(int t, int block, int blocks, Matrix weights, Tensor product, boolean add) {
    long first = ((long) t * call.rows * cell.pulled() + block) * hidden;
    call.multiply(
        call.rows,
        hidden,
        blocks * hidden,
        Matrix.of(call.at(dz, first), (long) cell.pulled() * hidden),
        weights.transpose(),
        Matrix.of(Engine.address(product), hidden),
        add);
  }

  /** The rows of all steps of blocks of dz. */
  private Matrix pulled(int block) {
    return Matrix.of(call.at(dz, (long) block * hidden), (long) cell.pulled() * hidden);
  }

  private void inputGradients() {
    int all = call.steps * call.rows;
    int columns = call.columns;
    Tensor z = gradients.z();
    if (z != null) {
      z.device().backend().copy(Engine.over(dz, Engine.layout(dz).slice(2, 0, 1, columns)), z);
    }
    Tensor dx = gradients.x();
    if (dx != null) {
      int depth = dx.dim(2);
      var wx = Matrix.of(Engine.address(call.wx()), columns);
      var to = Matrix.of(Engine.address(dx), depth);
      call.multiply(all, depth, columns, pulled(0), wx.transpose(), to, false);
    }
    Tensor dwx = gradients.wx();
    if (dwx != null) {
      int depth = dwx.dim(0);
      var x = Matrix.of(Engine.address(call.x()), depth);
      var to = Matrix.of(Engine.address(dwx), columns);
      call.multiply(depth, columns, all, x.transpose(), pulled(0), to, false);
    }
    Tensor db = gradients.b();
    if (db != null) {
      columnSums(0, columns, 0, db);
    }
  }

  private void weightGradients() {
    int products = cell.products();
    Tensor dwh = gradients.weight(CellSteps.WH);
    if (dwh != null) {
      int same = cell.splits() ? products - 1 : products;
      var h = Matrix.of(before(saved.h()), call.lead);
      recurrentGradient(h, 0, same, Matrix.of(Engine.address(dwh), (long) products * hidden));
      if (cell.splits()) {
        var to = Matrix.of(call.at(dwh, (long) same * hidden), (long) products * hidden);
        recurrentGradient(h, cell.gates(), 1, to);
      }
    }
    Tensor kept = saved.kept();
    Tensor dwn = cell.resets() ? gradients.weight(cell.matrixNames().getFirst()) : null;
    if (dwn != null && kept != null) {
      var rows = Matrix.of(Engine.address(kept), call.lead);
      recurrentGradient(rows, products, 1, Matrix.of(Engine.address(dwn), hidden));
    }
    for (int i = 0; i < cell.matrices() && cell.looks(); i++) {
      Tensor dw = gradients.weight(cell.matrixNames().get(i));
      Tensor c = saved.c();
      if (dw != null && c != null) {
        boolean before = i < LOOKING_BEFORE;
        var rows = Matrix.of(before ? before(c) : after(c), call.lead);
        recurrentGradient(
            rows, before ? i : LOOKING_AFTER, 1, Matrix.of(Engine.address(dw), hidden));
      }
    }
    for (int i = 0; i < cell.vectors(); i++) {
      Tensor dv = gradients.weight(cell.vectorNames().get(i));
      Tensor c = saved.c();
      if (dv != null && cell.splits()) {
        columnSums(cell.gates(), hidden, 0, dv);
      } else if (dv != null && c != null) {
        int gate = cell.peepholeGate(i);
        long factor = cell.seesNext(i) ? after(c) : before(c);
        columnSums(gate, hidden, factor, dv);
      }
    }
  }

  /** {@code dw [H,blocks·H] = rows [T·N,H]ᵀ · dz[blocks]}. */
  private void recurrentGradient(Matrix rows, int block, int blocks, Matrix dw) {
    int all = call.steps * call.rows;
    call.multiply(hidden, blocks * hidden, all, rows.transpose(), pulled(block), dw, false);
  }

  /** The states that steps start from, in the order of time. */
  private long before(Tensor states) {
    return call.at(states, (long) call.before(0) * call.rows * call.lead);
  }

  /** The states that steps end with, in the order of time. */
  private long after(Tensor states) {
    return call.at(states, (long) (1 - call.before(0)) * call.rows * call.lead);
  }

  /** {@code y [columns] = Σ dz[from the block on] ⊙ factor}, over all rows of all steps. */
  private void columnSums(int block, int columns, long factor, Tensor y) {
    RecurrentKernels.columnSums(
        call.launcher,
        y,
        pulled(block),
        Matrix.of(factor, call.lead),
        (long) call.steps * call.rows,
        columns);
  }
}
