package carousel.tensor.cpu.scan;

import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.LastStep;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import carousel.tensor.trace.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A recurrence over a whole sequence, forward and backward: one product for the inputs of all steps,
 * the steps themselves on packed weights, one product for each weight's gradient.
 */
final class ScanKernel implements Fused {
  private final Compiled compiled;
  private final Plan plan;
  private final Scan scan;
  private final Scans kernels;

  /** The numbers of this call. */
  private final List<Double> numbers;

  /**
   * A kernel for one call.
   *
   * @param kernels where there are more
   */
  ScanKernel(Compiled compiled, Scan scan, Scans kernels) {
    this.kernels = kernels;
    this.compiled = compiled;
    this.plan = compiled.plan();
    this.scan = scan;
    this.numbers = List.copyOf(scan.step().graph().numbers());
  }

  @Override
  public Result forward(Tensor[] given) {
    List<Tensor> outputs = new ArrayList<>(List.of(empty(given[0], scan.shape())));
    for (List<Value> state : scan.step().state()) {
      int width = state.stream().mapToInt(Value::width).sum();
      outputs.add(empty(given[0], Shape.of(scan.rows(), width)));
    }
    Tensor[] results = outputs.toArray(new Tensor[0]);
    List<Block> saved = plan.blocks.subList(0, plan.savedBlocks);
    Tensor[] kept = new Tensor[1];
    try (var scope = TensorScope.openUnwatched()) {
      var call = new ScanCall(compiled, scan, given);
      kept[0] = scope.keep(call.empty(call.frame.bytes(saved)));
      call.frame.place(saved, Engine.address(kept[0]));
      new ScanForward(call, numbers).run(results);
      call.giveBack();
    }
    return new Result(results, kept);
  }

  /**
   * Where nothing flows to an output, zero does, which is the same if slopes are finite, and costs no kernel of
   * its own. If they are not, the gradient is that of a kernel from whose outputs nothing flows but what has
   * arrived; that keeps something else of the way forward, which it takes again. Where other values are reached of
   * the last step than of those before, it is taken by itself.
   */
  @Override
  public @Nullable Tensor[] backward(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = pull(given, result, cotangents, wanted);
    Scan reached = scan.reached(cotangents);
    boolean isSteady = scan.isSteady(cotangents);
    if ((reached == scan && isSteady) || !Fused.anyNaN(gradients)) {
      return gradients;
    }
    if (!isSteady) {
      return LastStep.backward(scan, given, cotangents, wanted, this::like);
    }
    ScanKernel kernel = kernels.of(reached, given);
    if (kernel == null) {
      return gradients;
    }
    try (var scope = TensorScope.openUnwatched()) {
      @Nullable Tensor[] exact = kernel.pull(given, kernel.forward(given), cotangents, wanted);
      for (Tensor gradient : exact) {
        if (gradient != null) {
          scope.keep(gradient);
        }
      }
      return exact;
    }
  }

  /** The same kernel over parts of the inputs. */
  private Fused like(Scan part, Tensor... inputs) {
    return new ScanKernel(compiled, part, kernels);
  }

  private @Nullable Tensor[] pull(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[given.length];
    Set<Integer> weights = weights();
    boolean anyWeight = weights.stream().anyMatch(i -> wanted[i]);
    try (var scope = TensorScope.openUnwatched()) {
      for (int i = 0; i < given.length; i++) {
        // The gradients of all weights come from one pass, whether all are wanted or one.
        if (wanted[i] || (anyWeight && weights.contains(i))) {
          gradients[i] = empty(given[0], given[i].shape());
        }
      }
      var call = new ScanCall(compiled, scan, given);
      Frame frame = call.frame;
      frame.place(plan.blocks.subList(0, plan.savedBlocks), Engine.address(result.saved()[0]));
      List<Block> blocks = plan.blocks.subList(plan.savedBlocks, plan.blocks.size());
      frame.place(blocks, call.memory(frame.bytes(blocks)));
      new ScanBackward(call).run(cotangents, gradients);
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

  /** The places of weights: what is multiplied, or added, at every step. */
  private Set<Integer> weights() {
    Set<Integer> weights = new TreeSet<>();
    if (scan.inputs().affine()) {
      weights.addAll(List.of(Scan.Inputs.WX, Scan.Inputs.B));
    }
    scan.inputs().captured().stream().filter(place -> place >= 0).forEach(weights::add);
    return weights;
  }

  private Tensor empty(Tensor like, Shape shape) {
    return Engine.empty("scan", like.device(), compiled.type(), shape);
  }
}
