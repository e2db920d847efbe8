package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A recurrence over a whole sequence, forward and backward: one product for the inputs of all steps,
 * the steps themselves on packed weights, one product for each weight's gradient.
 */
final class ScanKernel implements Fused {
  private final Plan plan;
  private final Tiles tiles;
  private final DType type;
  private final Pointwise.Loop copy;
  private final List<Pointwise.@Nullable Loop> forward;
  private final List<Pointwise.@Nullable Loop> backward;
  private final boolean reverse;
  private final boolean ragged;

  ScanKernel(
      Plan plan,
      Tiles tiles,
      DType type,
      Pointwise.Loop copy,
      List<Pointwise.@Nullable Loop> forward,
      List<Pointwise.@Nullable Loop> backward,
      Scan scan) {
    this.plan = plan;
    this.tiles = tiles;
    this.type = type;
    this.copy = copy;
    this.forward = forward;
    this.backward = backward;
    this.reverse = scan.reverse();
    this.ragged = scan.ragged();
  }

  @Override
  public Result forward(Tensor[] given) {
    Tensor x = given[ScanCall.X];
    int steps = x.dim(0);
    int batch = x.dim(1);
    int units = given[ScanCall.STATES].dim(1);
    Tensor y = Tensor.empty("scan", x.device(), type, Shape.of(steps, batch, units));
    Tensor[] outputs = new Tensor[1 + plan.step.states()];
    outputs[0] = y;
    for (int i = 1; i < outputs.length; i++) {
      outputs[i] = Tensor.empty("scan", x.device(), type, Shape.of(batch, units));
    }
    List<Block> saved = plan.blocks.subList(0, plan.savedBlocks);
    Tensor[] kept = new Tensor[1];
    try (var scope = Scope.openUnwatched()) {
      ScanCall call = call(given);
      Frame frame = call.frame;
      kept[0] = scope.keep(call.empty(frame.bytes(saved)));
      frame.place(saved, kept[0].address());
      new ScanForward(call, forward).run(outputs);
      call.giveBack();
    }
    return new Result(outputs, kept);
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[given.length];
    boolean weights = wanted[ScanCall.WX] || wanted[ScanCall.B];
    for (int i = ScanCall.STATES + plan.step.states(); i < given.length; i++) {
      weights |= wanted[i];
    }
    try (var scope = Scope.openUnwatched()) {
      for (int i = 0; i < given.length; i++) {
        // The gradients of all weights come from one pass, whether all are wanted or one.
        boolean state = i >= ScanCall.STATES && i < ScanCall.STATES + plan.step.states();
        boolean weight = i != ScanCall.X && !state && weights && given[i].dtype().isFloating();
        if (wanted[i] || weight) {
          gradients[i] = Tensor.empty("scan", given[i].device(), type, given[i].shape());
        }
      }
      ScanCall call = call(given);
      Frame frame = call.frame;
      frame.place(plan.blocks.subList(0, plan.savedBlocks), result.saved()[0].address());
      List<Block> blocks = plan.blocks.subList(plan.savedBlocks, plan.blocks.size());
      frame.place(blocks, call.memory(frame.bytes(blocks)));
      new ScanBackward(call, backward).run(cotangents, gradients);
      call.giveBack();
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

  private ScanCall call(Tensor... given) {
    return new ScanCall(plan, tiles, type, copy, reverse, ragged, given);
  }
}
