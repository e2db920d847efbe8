package carousel.tensor.cpu.scan;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The way there: outputs, final states, and what the gradient reads. */
final class ScanForward {
  private final ScanCall call;
  private final Plan plan;

  /** The numbers of this call, by index. */
  private final List<Double> numbers;

  ScanForward(ScanCall call, List<Double> numbers) {
    this.call = call;
    this.plan = call.plan;
    this.numbers = numbers;
  }

  /** Computes the outputs. */
  void run(Tensor[] outputs) {
    Frame frame = call.frame;
    plan.givenBlocks.forEach(this::give);
    enter();
    Object[][] arrays = call.arrays(plan.sourceArrays);
    Map<Block, Object> initial = new HashMap<>();
    for (int k = 0; k < plan.stateBlocks.size(); k++) {
      Value state = plan.step.states().get(k);
      Block block = plan.stateBlocks.get(k);
      Tensor from = call.input(call.places.states() + state.index());
      call.copier.scatter(call.matrix(from, 0, state.offset()), Slot.of(block), 0);
      Integer array = plan.sourceArrays.get(state);
      if (array != null) {
        initial.put(block, arrays[array][0]);
      }
    }
    long weightBytes = 0;
    List<PlacedStage> stages = new ArrayList<>();
    for (Stage stage : plan.forward) {
      List<PlacedStage.Product> products = new ArrayList<>();
      for (Stage.Group group : stage.groups()) {
        PlacedStage.Product product = product(group, arrays);
        products.add(product);
        for (int depth : product.depths()) {
          weightBytes += call.packer.bytes(group.members().size(), group.block().width(), depth);
        }
      }
      call.add(stage, products, arrays, true, stages);
    }
    new Recurrence(frame, call.tiles, call.lengths, call.reverse, call.zeros(), weightBytes)
        .forward(stages, initial, call.copy);
    leave(outputs);
  }

  /** What is the same at every step. */
  private void give(Value value, Block block) {
    long element = (long) value.offset() * call.frame.size();
    switch (value.kind()) {
      case VECTOR ->
          call.copier.scatterVector(
              Engine.address(call.captured(value.index())) + element, Slot.of(block));
      case ROWS ->
          call.copier.scatter(
              call.matrix(call.captured(value.index()), 0, value.offset()), Slot.of(block), 0);
      default -> {
        double number = numbers.get(value.index());
        long at = call.frame.panel(block, 0);
        for (int lane = 0; lane < call.frame.lanes(); lane++) {
          if (call.frame.size() == Float.BYTES) {
            Bytes.f32(at + 4L * lane, (float) number);
          } else {
            Bytes.f64(at + 8L * lane, number);
          }
        }
      }
    }
  }

  /** The inputs of all steps, into the blocks that they are the start of. */
  private void enter() {
    List<InputProduct.Gates> gates = new ArrayList<>();
    for (Stage.Group group : plan.groups) {
      switch (group.origin()) {
        case PRODUCT -> gates.add(gates(group));
        case SEQUENCE -> {
          for (int j = 0; j < group.members().size(); j++) {
            Value input = Stage.Group.inputOf(group.members().get(j));
            Tensor z = call.input(call.places.sequences().get(input.index()));
            call.copier.scatter(call.matrix(z, 0, input.offset()), new Slot(group.block(), j, 0));
          }
        }
        case NOTHING -> {
          // the sums start from zero
        }
      }
    }
    if (!gates.isEmpty()) {
      new InputProduct(call.frame, call.tiles, call.copy, call.depth())
          .project(DenseRows.of(call.input(Scan.Inputs.X)), gates);
    }
  }

  private void leave(Tensor... outputs) {
    Frame frame = call.frame;
    Tensor y = outputs[0];
    int column = 0;
    for (Slot slot : plan.outputs) {
      call.copier.gather(slot, call.matrix(y, 0, column));
      column += slot.block().width();
    }
    clearPadding(DenseRows.of(y));
    for (int k = 0; k < plan.stateBlocks.size(); k++) {
      Value state = plan.step.states().get(k);
      DenseRows to = call.matrix(outputs[1 + state.index()], 0, state.offset());
      call.copier.gather(Slot.of(plan.stateBlocks.get(k)), frame.steps(), to);
    }
  }

  /** Past a row's end the output is 0. */
  private void clearPadding(DenseRows y) {
    int[] lengths = call.lengths;
    if (lengths == null) {
      return;
    }
    Frame frame = call.frame;
    for (int n = 0; n < frame.batch(); n++) {
      for (int t = lengths[n]; t < frame.steps(); t++) {
        Bytes.clear(y.address() + ((long) t * frame.batch() + n) * y.rowBytes(), y.rowBytes());
      }
    }
  }

  private InputProduct.Gates gates(Stage.Group group) {
    List<DenseRows> weights = new ArrayList<>();
    List<DenseRows> biases = new ArrayList<>();
    for (Value member : group.members()) {
      int column = Stage.Group.inputOf(member).offset();
      weights.add(call.matrix(call.input(Scan.Inputs.WX), 0, column));
      biases.add(call.matrix(call.input(Scan.Inputs.B), 0, column));
    }
    int width = group.block().width();
    long packed = call.memory(call.packer.bytes(weights.size(), width, call.depth()));
    long bias = call.memory(call.packer.bytes(weights.size(), width, 1));
    call.packer.interleave(weights, width, call.depth(), packed);
    call.packer.interleave(biases, width, 1, bias);
    return new InputProduct.Gates(group.block(), packed, bias);
  }

  private PlacedStage.Product product(Stage.Group group, Object[][] arrays) {
    int count = group.arrays().size();
    int width = group.block().width();
    Object[][] left = new Object[count][];
    int[] depths = new int[count];
    long[] weights = new long[count];
    for (int q = 0; q < count; q++) {
      left[q] = arrays[group.arrays().get(q)];
      List<DenseRows> blocks = new ArrayList<>();
      for (Value sum : group.members()) {
        Term term = sum.terms().get(q);
        depths[q] = term.factor().width();
        blocks.add(call.matrix(call.captured(term.weight()), term.row(), term.column()));
      }
      weights[q] = call.memory(call.packer.bytes(blocks.size(), width, depths[q]));
      call.packer.interleave(blocks, width, depths[q], weights[q]);
    }
    boolean onto = group.origin() != Stage.Origin.NOTHING;
    return new PlacedStage.Product(group.block(), onto, left, depths, weights);
  }
}
