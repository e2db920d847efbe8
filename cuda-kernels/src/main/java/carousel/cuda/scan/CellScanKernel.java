package carousel.cuda.scan;

import carousel.cuda.launch.Launcher;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import org.jspecify.annotations.Nullable;

/**
 * A recurrence over a whole sequence whose step is that of a cell with kernels. One product for the inputs of
 * all steps, then one launch for all of them, or one product and one kernel per step: see {@link CellScanPlan}.
 */
public final class CellScanKernel implements Fused {
  private final Launcher launcher;
  private final Scan scan;
  private final CellScanRoles roles;
  private final RecurrentCell cell;

  private CellScanKernel(Launcher launcher, Scan scan, CellScanRoles roles) {
    this.launcher = launcher;
    this.scan = scan;
    this.roles = roles;
    this.cell = roles.cell();
  }

  /** The kernels of a composite; null if it is no scan, or no cell's step, or its inputs do not fit. */
  public static @Nullable Fused of(Launcher launcher, Composite op, Tensor... inputs) {
    if (!(op.body() instanceof Scan scan)) {
      return null;
    }
    var roles = CellScanRoles.of(scan, inputs);
    return roles == null ? null : new CellScanKernel(launcher, scan, roles);
  }

  RecurrentCell cell() {
    return cell;
  }

  @Override
  public Result forward(Tensor[] given) {
    Tensor like = given[roles.state(0)];
    Shape state = like.shape();
    Tensor[] outputs = new Tensor[1 + cell.states()];
    Tensor[] last = new Tensor[cell.states()];
    outputs[0] = Engine.empty("scan", like.device(), like.dtype(), scan.shape());
    for (int k = 0; k < last.length; k++) {
      last[k] = Engine.empty("scan", like.device(), like.dtype(), state);
      outputs[roles.lastState(k)] = last[k];
    }
    try (var scope = TensorScope.openUnwatched()) {
      var call = new CellScanCall(launcher, roles, scan, given);
      CellScanForward.Saved saved = CellScanForward.room(call);
      new CellScanForward(call, saved, outputs[0]).run(last);
      for (Tensor tensor : saved.all()) {
        scope.keep(tensor);
      }
      return new Result(outputs, saved.all());
    }
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] ofLast = new Tensor[cell.states()];
    for (int k = 0; k < ofLast.length; k++) {
      ofLast[k] = cotangents[roles.lastState(k)];
    }
    @Nullable Tensor[] gradients = new Tensor[given.length];
    try (var scope = TensorScope.openUnwatched()) {
      var pulled = new CellScanGradients(roles, wanted, given);
      var call = new CellScanCall(launcher, roles, scan, given);
      new CellScanBackward(call, CellScanForward.Saved.of(cell, result.saved()), pulled)
          .run(cotangents[0], ofLast);
      pulled.into(gradients);
      for (Tensor gradient : gradients) {
        if (gradient != null) {
          scope.keep(gradient);
        }
      }
    }
    return gradients;
  }
}
