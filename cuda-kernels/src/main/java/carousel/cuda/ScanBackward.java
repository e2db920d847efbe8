package carousel.cuda;

import carousel.cuda.RecurrentKernels.Kind;
import carousel.cuda.ScanCall.Matrix;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The way back: the gradients of the gates' sums step by step, then those of all weights, each by one
 * product or one sum over all steps.
 */
final class ScanBackward {
  /** Of a cell that looks: how many of the first gates see the c before. */
  private static final int LOOKING_BEFORE = 2;

  /** The gate that sees the c after. */
  private static final int LOOKING_AFTER = RecurrentCell.MATRIX_PEEPHOLE.order().indexOf("o");

  private final ScanCall call;
  private final ScanForward.Saved saved;
  private final RecurrentCell cell;
  private final int hidden;
  private final Tensor dz; // [T,N,B·H]

  ScanBackward(ScanCall call, ScanForward.Saved saved) {
    this.call = call;
    this.saved = saved;
    this.cell = call.cell;
    this.hidden = call.hidden;
    this.dz = call.empty(call.steps, call.rows, cell.pulled() * hidden);
  }

  /**
   * Computes gradients of the inputs.
   *
   * @param cotangents of y and the final states; null for zeros
   * @param gradients filled where there is a tensor; those of the states are always there
   */
  void run(@Nullable Tensor[] cotangents, @Nullable Tensor[] gradients) {
    @Nullable Tensor[] dense = new Tensor[cotangents.length];
    for (int i = 0; i < dense.length; i++) {
      Tensor cotangent = cotangents[i];
      dense[i] = cotangent == null ? null : ScanCall.dense(cotangent);
    }
    ScanPlan plan = ScanPlan.backward(call.sizes, call.launcher.driver());
    if (plan != null) {
      together(plan, dense, gradients);
    } else {
      stepByStep(dense, gradients);
    }
    inputGradients(gradients);
    weightGradients(gradients);
  }

  private void together(
      ScanPlan plan, @Nullable Tensor[] cotangents, @Nullable Tensor[] gradients) {
    var arguments =
        call.kernel(Kind.SCAN_BACKWARD)
            .pointer(saved.gates().address())
            .pointer(call.wh())
            .pointer(call.wn());
    there(call.vectors(arguments));
    arguments
        .pointer(ScanCall.address(cotangents[0]))
        .pointer(ScanCall.address(cotangents[1]))
        .pointer(cell.hasC() ? ScanCall.address(cotangents[2]) : 0)
        .pointer(call.lengths)
        .pointer(dz.address())
        .pointer(ScanCall.address(gradients[ScanCall.STATES]))
        .pointer(cell.hasC() ? ScanCall.address(gradients[ScanCall.STATES + 1]) : 0)
        .pointer(call.room(plan.shares(call.sizes)))
        .pointer(call.room(plan.beyond()))
        .pointer(call.barrier());
    call.numbers(arguments).i32(plan.own()).i32(plan.resident()).start(plan.grid());
  }

  private Launcher.Call there(Launcher.Call arguments) {
    return arguments
        .pointer(saved.h().address())
        .pointer(ScanCall.address(saved.c()))
        .pointer(ScanCall.address(saved.kept()));
  }

  private void stepByStep(@Nullable Tensor[] cotangents, @Nullable Tensor[] gradients) {
    var backend = dz.device().backend();
    try (var scope = Scope.openUnwatched()) {
      Tensor product = call.empty(call.rows, hidden);
      Tensor[] passing = new Tensor[cell.states()];
      for (int i = 0; i < passing.length; i++) {
        passing[i] = call.empty(call.rows, hidden);
        Tensor cotangent = cotangents[1 + i];
        if (cotangent == null) {
          backend.fill(passing[i], 0);
        } else {
          backend.copy(cotangent, passing[i]);
        }
      }
      backend.fill(product, 0);
      for (int k = call.steps - 1; k >= 0; k--) {
        int t = call.time(k);
        step(k, cotangents[0], product, passing, 1);
        if (cell.resets()) {
          int n = cell.products();
          multiply(t, n, 1, Matrix.of(call.wn(), hidden), product, false);
          step(k, cotangents[0], product, passing, 0);
        } else if (cell.looks()) {
          multiply(t, LOOKING_AFTER, 1, looking(LOOKING_BEFORE), product, false);
          if (k < call.steps - 1) {
            multiply(call.time(k + 1), 0, LOOKING_BEFORE, looking(0), product, true);
          }
          step(k, cotangents[0], product, passing, 0);
        }
        int same = cell.splits() ? cell.products() - 1 : cell.products();
        long lead = (long) cell.products() * hidden;
        multiply(t, 0, same, Matrix.of(call.wh(), lead), product, false);
        if (cell.splits()) {
          long column = call.wh() + (long) same * hidden * call.type.bytes();
          multiply(t, cell.gates(), 1, Matrix.of(column, lead), product, true);
        }
      }
      backend.binary(Binary.ADD, passing[0], product, state(gradients, 0));
      if (cell.looks()) {
        multiply(call.time(0), 0, LOOKING_BEFORE, looking(0), product, false);
        backend.binary(Binary.ADD, passing[1], product, state(gradients, 1));
      } else if (cell.hasC()) {
        backend.copy(passing[1], state(gradients, 1));
      }
    }
  }

  /** The matrices from the i-th on of a cell that looks. */
  private Matrix looking(int i) {
    long first = call.wn() + (long) i * hidden * call.type.bytes();
    return Matrix.of(first, (long) cell.matrices() * hidden);
  }

  private static Tensor state(@Nullable Tensor[] gradients, int i) {
    return Objects.requireNonNull(gradients[ScanCall.STATES + i]);
  }

  private void step(int k, @Nullable Tensor dy, Tensor product, Tensor[] passing, int stage) {
    var arguments = call.kernel(Kind.STEP_BACKWARD).pointer(saved.gates().address());
    there(call.vectors(arguments))
        .pointer(ScanCall.address(dy))
        .pointer(call.lengths)
        .pointer(product.address())
        .pointer(passing[0].address())
        .pointer(cell.hasC() ? passing[1].address() : 0)
        .pointer(dz.address());
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
        Matrix.of(product.address(), hidden),
        add);
  }

  /** The rows of all steps of blocks of dz. */
  private Matrix pulled(int block) {
    return Matrix.of(call.at(dz, (long) block * hidden), (long) cell.pulled() * hidden);
  }

  private void inputGradients(@Nullable Tensor[] gradients) {
    int all = call.steps * call.rows;
    int columns = cell.gates() * hidden;
    Tensor dx = gradients[ScanCall.X];
    if (dx != null) {
      Matrix wx = Matrix.of(call.inputs[ScanCall.WX].address(), columns);
      Matrix to = Matrix.of(dx.address(), call.depth);
      call.multiply(all, call.depth, columns, pulled(0), wx.transpose(), to, false);
    }
    Tensor dwx = gradients[ScanCall.WX];
    if (dwx != null) {
      Matrix x = Matrix.of(call.inputs[ScanCall.X].address(), call.depth);
      Matrix to = Matrix.of(dwx.address(), columns);
      call.multiply(call.depth, columns, all, x.transpose(), pulled(0), to, false);
    }
    Tensor db = gradients[ScanCall.B];
    if (db != null) {
      columnSums(0, columns, 0, db);
    }
  }

  private void weightGradients(@Nullable Tensor[] gradients) {
    int products = cell.products();
    Tensor dwh = gradients[call.weights()];
    if (dwh != null) {
      int same = cell.splits() ? products - 1 : products;
      Matrix h = Matrix.of(before(saved.h()), call.lead);
      recurrentGradient(h, 0, same, Matrix.of(dwh.address(), (long) products * hidden));
      if (cell.splits()) {
        Matrix to = Matrix.of(call.at(dwh, (long) same * hidden), (long) products * hidden);
        recurrentGradient(h, cell.gates(), 1, to);
      }
    }
    Tensor kept = saved.kept();
    Tensor dwn = cell.resets() ? gradients[call.weights() + 1] : null;
    if (dwn != null && kept != null) {
      Matrix rows = Matrix.of(kept.address(), call.lead);
      recurrentGradient(rows, products, 1, Matrix.of(dwn.address(), hidden));
    }
    for (int i = 0; i < cell.matrices() && cell.looks(); i++) {
      Tensor dw = gradients[call.weights() + 1 + i];
      Tensor c = saved.c();
      if (dw != null && c != null) {
        boolean before = i < LOOKING_BEFORE;
        Matrix rows = Matrix.of(before ? before(c) : after(c), call.lead);
        recurrentGradient(rows, before ? i : LOOKING_AFTER, 1, Matrix.of(dw.address(), hidden));
      }
    }
    for (int i = 0; i < cell.vectors(); i++) {
      Tensor dv = gradients[call.vector(i)];
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
