package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a step and its gradient are run: stages of folds, matrix products and elementwise programs; and
 * where every value lies.
 */
final class Plan {
  final JointGraph step;

  /** Those kept for the gradient first, then those that are used on one way only. */
  final List<Block> blocks;

  /** How many blocks are kept for the gradient. */
  final int savedBlocks;

  final List<Stage.Group> groups;
  final List<Stage> forward;
  final List<Stage> backward;

  /** Products onto the carried cotangents, which close a step of the gradient. */
  final List<Stage.Return> carried;

  /** For each part of the state. */
  final List<Block> stateBlocks;

  /** For each part of y. */
  final List<Slot> outputs;

  /** Heap arrays for the left operands of products: those of the step, then those of the gradient. */
  final Map<Value, Integer> sourceArrays;

  final Map<Value, Integer> cotangentArrays;

  /** Vectors, rows, and numbers that may be others at every call. */
  final Map<Value, Block> givenBlocks;

  /** What vectors and rows gather, step by step. */
  final Map<Value, Block> givenGradients;

  /** For each part of y. */
  final List<Block> outputGradients;

  /** For each part of the state. */
  final List<Block> carries;

  private final Places places;
  private final Map<Stage.Group, Block> groupGradients;

  /**
   * A plan.
   *
   * @param step the step
   * @param affine whether input 0 is {@code x·wx + b}
   * @param variable which of the numbers may be others at every call
   */
  Plan(JointGraph step, Machine machine, boolean affine, Set<Integer> variable) {
    this.step = step;
    Value zero = step.graph().constant(0);
    var stages = new Stages(step, machine.size());
    this.places = new Places(step, stages, affine, variable);
    this.groups = places.groups;
    this.stateBlocks = places.stateBlocks;
    this.outputs = places.outputs;
    this.sourceArrays = places.sourceArrays;
    this.givenBlocks = places.givenBlocks;
    this.forward = new StepPlan(step, stages, places, machine).plan();
    this.savedBlocks = places.blocks().size();
    var gradient = new GradientPlan(step, stages, places, machine, zero);
    this.backward = gradient.plan();
    this.carried = gradient.carried;
    this.cotangentArrays = gradient.cotangentArrays;
    this.givenGradients = gradient.givenGradients;
    this.groupGradients = gradient.groupGradients;
    this.outputGradients = gradient.outputGradients;
    this.carries = gradient.carries;
    this.blocks = places.blocks();
  }

  /** All programs. */
  List<StageProgram> programs() {
    List<StageProgram> all = new ArrayList<>();
    for (List<Stage> way : List.of(forward, backward)) {
      for (Stage stage : way) {
        all.addAll(stage.folds());
        all.addAll(stage.programs());
      }
    }
    return all;
  }

  /** Whether a left operand of the step is part of the state. */
  boolean isState(int array) {
    return sourceArrays.entrySet().stream()
        .anyMatch(e -> e.getValue() == array && e.getKey().kind() == Kind.STATE);
  }

  /** The heap array of a sum's cotangent. */
  int cotangentArray(Value sum) {
    return Objects.requireNonNull(cotangentArrays.get(sum));
  }

  /** Where the cotangents of a group lie. */
  Block gradientOf(Stage.Group group) {
    return Objects.requireNonNull(groupGradients.get(group));
  }

  /** Where a value lies; null if it is computed where it is read. */
  @Nullable Slot placeOf(Value value) {
    return places.read(value);
  }

  /** Where a left operand lies, for every step. */
  Slot historyOf(Value source) {
    return places.historyOf(source);
  }
}
