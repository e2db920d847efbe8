package carousel.tensor.cpu.scan;

import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The way there: outputs, final states, and what the gradient reads. */
final class ScanForward {
  private final ScanCall call;
  private final List<Pointwise.@Nullable Loop> loops;

  ScanForward(ScanCall call, List<Pointwise.@Nullable Loop> loops) {
    this.call = call;
    this.loops = loops;
  }

  /** Computes the outputs. */
  void run(Tensor[] outputs) {
    Frame frame = call.frame;
    Packer packer = call.packer;
    call.packVectors();
    List<InputProduct.Gates> gates = new ArrayList<>();
    for (Plan.Group group : call.plan.groups) {
      if (group.gated()) {
        gates.add(gates(group));
      }
    }
    if (!gates.isEmpty()) {
      new InputProduct(frame, call.tiles, call.copy, call.depth)
          .project(Matrix.of(call.inputs[ScanCall.X]), gates);
    }

    Object[][] arrays = call.arrays(call.plan.sourceArrays.size());
    Map<Block, Object> initial = new HashMap<>();
    for (int k = 0; k < call.plan.stateBlocks.length; k++) {
      Block block = call.plan.stateBlocks[k];
      packer.scatter(Matrix.of(call.inputs[ScanCall.STATES + k]), block, 0);
      Integer array = call.plan.sourceArrays.get(call.plan.step.graph().state(k));
      if (array != null) {
        initial.put(block, arrays[array][0]);
      }
    }
    long weightBytes = 0;
    List<Recurrence.Stage> stages = new ArrayList<>();
    for (int s = 0; s < call.plan.forward.size(); s++) {
      Plan.Stage stage = call.plan.forward.get(s);
      List<Recurrence.Product> products = new ArrayList<>();
      for (Plan.Group group : stage.groups()) {
        if (group.arrays().isEmpty()) {
          continue;
        }
        products.add(product(group, arrays));
        weightBytes += packer.bytes(group.sums().size(), frame.units()) * group.arrays().size();
      }
      if (!products.isEmpty() || stage.program() != null) {
        stages.add(call.stage(stage, loops.get(s), products, arrays, true));
      }
    }
    new Recurrence(frame, call.tiles, call.lengths, call.reverse, call.zeros(), weightBytes)
        .forward(stages, initial, call.copy);

    Matrix y = Matrix.of(outputs[0]);
    packer.gather(call.plan.output, y);
    clearPadding(y);
    for (int k = 0; k < call.plan.stateBlocks.length; k++) {
      packer.gather(call.plan.stateBlocks[k], frame.steps(), Matrix.of(outputs[1 + k]));
    }
  }

  /** Past a row's end the output is 0. */
  private void clearPadding(Matrix y) {
    int[] lengths = call.lengths;
    if (lengths == null) {
      return;
    }
    Frame frame = call.frame;
    for (int n = 0; n < frame.batch(); n++) {
      for (int t = lengths[n]; t < frame.steps(); t++) {
        Bytes.clear(
            y.address() + ((long) t * frame.batch() + n) * y.rowBytes(),
            (long) frame.units() * frame.size());
      }
    }
  }

  private InputProduct.Gates gates(Plan.Group group) {
    List<Matrix> weights = new ArrayList<>();
    List<Matrix> biases = new ArrayList<>();
    for (Value sum : group.sums()) {
      int gate = sum.inputs().getFirst().index();
      weights.add(call.weight(ScanCall.WX, 0, gate));
      biases.add(call.weight(ScanCall.B, 0, gate));
    }
    long packed = call.memory(call.packer.bytes(weights.size(), call.depth));
    long bias = call.memory(call.packer.bytes(weights.size(), 1));
    call.packer.interleave(weights, call.depth, packed);
    call.packer.interleave(biases, 1, bias);
    return new InputProduct.Gates(group.block(), packed, bias);
  }

  private Recurrence.Product product(Plan.Group group, Object[][] arrays) {
    int count = group.arrays().size();
    Object[][] left = new Object[count][];
    long[] weights = new long[count];
    for (int q = 0; q < count; q++) {
      left[q] = arrays[group.arrays().get(q)];
      List<Matrix> blocks = new ArrayList<>();
      for (Value sum : group.sums()) {
        Term term = sum.terms().get(q);
        blocks.add(call.weight(term.weight(), term.row(), term.column()));
      }
      weights[q] = call.memory(call.packer.bytes(blocks.size(), call.frame.units()));
      call.packer.interleave(blocks, call.frame.units(), weights[q]);
    }
    return new Recurrence.Product(group.block(), group.gated(), left, weights);
  }
}
