package carousel.cuda;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import org.jspecify.annotations.Nullable;

/**
 * {@code lstm.scan} and its like: a recurrence over a whole sequence. One product for the inputs of all
 * steps, then one launch for all of them, or one product and one kernel per step: see {@link ScanPlan}.
 */
final class ScanFused implements Fused {
  private static final String SUFFIX = ".scan";

  /** Of T·N, which kernels number by int. */
  private static final int MOST_ROWS = 1 << 30;

  private final Launcher launcher;
  private final RecurrentCell cell;
  private final Scan scan;

  private ScanFused(Launcher launcher, RecurrentCell cell, Scan scan) {
    this.launcher = launcher;
    this.cell = cell;
    this.scan = scan;
  }

  /** The kernels of a composite; null if it is no scan of a cell that has some, or its inputs are wrong. */
  static @Nullable Fused of(Launcher launcher, Composite op, Tensor... inputs) {
    RecurrentCell cell = RecurrentCell.of(op.label(), SUFFIX);
    if (cell == null || !(op.body() instanceof Scan scan)) {
      return null;
    }
    return fits(cell, scan, inputs) ? new ScanFused(launcher, cell, scan) : null;
  }

  /** Whether there is something to do, on tensors that go together; the body says what is wrong. */
  private static boolean fits(RecurrentCell cell, Scan scan, Tensor... in) {
    int weights = ScanCall.STATES + cell.states();
    int vectors = weights + 1 + cell.matrices();
    int count = vectors + cell.vectors();
    Tensor x = in[ScanCall.X];
    if (scan.states() != cell.states()
        || in.length != count + (scan.ragged() ? 1 : 0)
        || !x.dtype().isFloating()
        || x.rank() != 3
        || x.size() == 0
        || (long) x.dim(0) * x.dim(1) > MOST_ROWS
        || in[ScanCall.STATES].rank() != 2) {
      return false;
    }
    int rows = x.dim(1);
    int hidden = in[ScanCall.STATES].dim(1);
    Shape[] shapes = new Shape[in.length];
    shapes[ScanCall.X] = x.shape();
    shapes[ScanCall.WX] = Shape.of(x.dim(2), cell.gates() * hidden);
    shapes[ScanCall.B] = Shape.of(cell.gates() * hidden);
    for (int i = 0; i < cell.states(); i++) {
      shapes[ScanCall.STATES + i] = Shape.of(rows, hidden);
    }
    shapes[weights] = Shape.of(hidden, cell.products() * hidden);
    for (int i = weights + 1; i < vectors; i++) {
      shapes[i] = Shape.of(hidden, hidden);
    }
    for (int i = vectors; i < count; i++) {
      shapes[i] = Shape.of(hidden);
    }
    if (scan.ragged()) {
      shapes[count] = Shape.of(rows);
    }
    for (int i = 0; i < in.length; i++) {
      DType type = i < count ? x.dtype() : DType.I32;
      if (!in[i].shape().equals(shapes[i])
          || in[i].dtype() != type
          || !in[i].device().equals(x.device())) {
        return false;
      }
    }
    return hidden > 0;
  }

  @Override
  public Result forward(Tensor[] given) {
    Tensor x = given[ScanCall.X];
    Shape state = given[ScanCall.STATES].shape();
    Tensor[] outputs = new Tensor[1 + cell.states()];
    Tensor[] last = new Tensor[cell.states()];
    outputs[0] =
        Tensor.empty("scan", x.device(), x.dtype(), Shape.of(x.dim(0), x.dim(1), state.dim(1)));
    for (int i = 0; i < last.length; i++) {
      last[i] = Tensor.empty("scan", x.device(), x.dtype(), state);
      outputs[1 + i] = last[i];
    }
    try (var scope = Scope.openUnwatched()) {
      var call = new ScanCall(launcher, cell, scan, given);
      ScanForward.Saved saved = ScanForward.room(call);
      new ScanForward(call, saved, outputs[0]).run(last);
      for (Tensor tensor : saved.all()) {
        scope.keep(tensor);
      }
      return new Result(outputs, saved.all());
    }
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[given.length];
    try (var scope = Scope.openUnwatched()) {
      for (int i = 0; i < given.length; i++) {
        boolean state = i >= ScanCall.STATES && i < ScanCall.STATES + cell.states();
        if (wanted[i] || state) {
          gradients[i] =
              Tensor.empty("scan", given[i].device(), given[i].dtype(), given[i].shape());
        }
      }
      var call = new ScanCall(launcher, cell, scan, given);
      new ScanBackward(call, ScanForward.Saved.of(cell, result.saved())).run(cotangents, gradients);
      for (int i = 0; i < given.length; i++) {
        Tensor gradient = gradients[i];
        if (gradient != null && wanted[i]) {
          scope.keep(gradient);
        } else {
          gradients[i] = null;
        }
      }
    }
    return gradients;
  }
}
