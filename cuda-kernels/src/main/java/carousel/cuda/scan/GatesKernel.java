package carousel.cuda.scan;

import carousel.cuda.driver.BatchedGemm.Matrix;
import carousel.cuda.driver.Precision;
import carousel.cuda.launch.Launcher;
import carousel.cuda.scan.RecurrentKernels.Kind;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.spi.Fused;
import org.jspecify.annotations.Nullable;

/**
 * The composites of {@link carousel.tensor.op.GateComposites}: the pointwise part of one step, by one
 * kernel. The inputs are {@code z [N,G·H], c [N,H]} and the cell's vectors {@code [H]}, or of a GRU {@code
 * z, u [N,3H], bh [H], h [N,H]}.
 */
public final class GatesKernel implements Fused {
  private final Launcher launcher;
  private final RecurrentCell cell;

  private GatesKernel(Launcher launcher, RecurrentCell cell) {
    this.launcher = launcher;
    this.cell = cell;
  }

  /** The kernel of a cell's composite; null if its inputs are wrong. */
  public static @Nullable Fused of(Launcher launcher, RecurrentCell cell, Tensor... inputs) {
    var fused = new GatesKernel(launcher, cell);
    return fused.fits(inputs) ? fused : null;
  }

  /** Where the state is among the inputs. */
  private int state() {
    return cell.hasC() ? 1 : 3;
  }

  /** Where the products with the state before are; −1 where z holds the sums. */
  private int products() {
    return cell.hasC() ? -1 : 1;
  }

  private int vector(int i) {
    return 2 + i;
  }

  private boolean fits(Tensor... in) {
    if (in.length != 2 + cell.vectors() + (cell.hasC() ? 0 : 1)
        || in[state()].rank() != 2
        || in[state()].size() == 0
        || !in[0].dtype().isFloating()) {
      return false;
    }
    int hidden = in[state()].dim(1);
    var sums = Shape.of(in[state()].dim(0), cell.gates() * hidden);
    for (int i = 0; i < in.length; i++) {
      Shape wanted =
          i == state() ? in[state()].shape() : i == 0 || i == products() ? sums : Shape.of(hidden);
      if (!in[i].shape().equals(wanted)
          || in[i].dtype() != in[0].dtype()
          || !in[i].device().equals(in[0].device())) {
        return false;
      }
    }
    return true;
  }

  @Override
  public Result forward(Tensor[] given) {
    Tensor[] outputs = new Tensor[cell.states()];
    for (int i = 0; i < outputs.length; i++) {
      outputs[i] = like(given[state()]);
    }
    Tensor gates = like(given[0]);
    Tensor[] saved =
        cell.keeps() ? new Tensor[] {gates, like(given[state()])} : new Tensor[] {gates};
    try (var scope = TensorScope.openUnwatched()) {
      Tensor[] in = dense(given);
      var arguments =
          launcher
              .call(
                  RecurrentKernels.of(
                      Kind.GATES_FORWARD, cell, CellScanType.of(in[0].dtype(), Precision.F32)))
              .pointer(Engine.address(in[0]))
              .pointer(products() < 0 ? 0 : Engine.address(in[products()]));
      start(
          states(arguments, in)
              .pointer(Engine.address(gates))
              .pointer(cell.keeps() ? Engine.address(saved[1]) : 0)
              .pointer(Engine.address(outputs[0]))
              .pointer(cell.hasC() ? Engine.address(outputs[1]) : 0),
          in);
    }
    return new Result(outputs, saved);
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[given.length];
    try (var scope = TensorScope.openUnwatched()) {
      Tensor[] in = dense(given);
      Tensor[] saved = result.saved();
      Tensor dz = like(in[0]);
      Tensor du = products() < 0 ? null : like(in[0]);
      Tensor dstate = like(in[state()]);
      gradients[0] = dz;
      gradients[state()] = dstate;
      if (du != null) {
        gradients[products()] = du;
      }
      var arguments =
          launcher
              .call(
                  RecurrentKernels.of(
                      Kind.GATES_BACKWARD, cell, CellScanType.of(in[0].dtype(), Precision.F32)))
              .pointer(Engine.address(saved[0]));
      start(
          states(arguments, in)
              .pointer(cell.keeps() ? Engine.address(saved[1]) : 0)
              .pointer(cell.hasC() ? Engine.address(result.outputs()[1]) : 0)
              .pointer(cotangent(cotangents[0]))
              .pointer(cell.hasC() ? cotangent(cotangents[1]) : 0)
              .pointer(Engine.address(dz))
              .pointer(CellScanCall.address(du))
              .pointer(cell.readsH() ? Engine.address(dstate) : 0)
              .pointer(cell.hasC() ? Engine.address(dstate) : 0),
          in);
      for (int i = 0; i < cell.vectors(); i++) {
        if (wanted[vector(i)]) {
          gradients[vector(i)] = vectorGradient(i, in, du == null ? dz : du, result);
        }
      }
      for (int i = 0; i < given.length; i++) {
        Tensor gradient = gradients[i];
        gradients[i] = gradient != null && wanted[i] ? scope.keep(gradient) : null;
      }
    }
    return gradients;
  }

  /** Sums over the rows: of a gate's gradient times c, before or after; or of the product's alone. */
  private Tensor vectorGradient(int i, Tensor[] in, Tensor pulled, Result result) {
    int gate = cell.hasPeepholes() ? cell.peepholeGate(i) : cell.gates() - 1;
    long factor = 0;
    if (cell.hasPeepholes()) {
      factor = Engine.address((cell.seesNext(i) ? result.outputs()[1] : in[state()]));
    }
    Tensor gradient = like(in[vector(i)]);
    int hidden = gradient.dim(0);
    long column = Engine.address(pulled) + (long) gate * hidden * pulled.dtype().bytes();
    RecurrentKernels.columnSums(
        launcher,
        gradient,
        Matrix.of(column, (long) cell.gates() * hidden),
        Matrix.of(factor, hidden),
        in[state()].dim(0),
        hidden);
    return gradient;
  }

  private Launcher.Call states(Launcher.Call arguments, Tensor... in) {
    for (int i = 0; i < CellScanCall.MOST_VECTORS; i++) {
      arguments.pointer(i < cell.vectors() ? Engine.address(in[vector(i)]) : 0);
    }
    return arguments
        .pointer(cell.readsH() ? Engine.address(in[state()]) : 0)
        .pointer(cell.hasC() ? Engine.address(in[state()]) : 0);
  }

  private void start(Launcher.Call arguments, Tensor... in) {
    Tensor state = in[state()];
    arguments.i32(state.dim(0)).i32(state.dim(1)).start(launcher.elements(state.size()));
  }

  private static Tensor like(Tensor tensor) {
    return Engine.empty("gates", tensor.device(), tensor.dtype(), tensor.shape());
  }

  private static long cotangent(@Nullable Tensor cotangent) {
    return cotangent == null ? 0 : Engine.address(CellScanCall.dense(cotangent));
  }

  private static Tensor[] dense(Tensor... given) {
    Tensor[] dense = new Tensor[given.length];
    for (int i = 0; i < dense.length; i++) {
      dense[i] = CellScanCall.dense(given[i]);
    }
    return dense;
  }
}
