package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.step.Step;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.cpu.step.Value.Term;
import carousel.tensor.op.Op;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * How a step and its gradient are run: stages of matrix products, each followed by one elementwise
 * program; and where every value lies.
 */
final class Plan {
  /**
   * Sums that are computed by one product, because what they multiply is the same.
   *
   * @param sums the members of the block
   * @param block where they lie
   * @param arrays for each term of a sum, the heap array that is its left operand
   * @param gated whether the projected input is added
   */
  record Group(List<Value> sums, Block block, List<Integer> arrays, boolean gated) {}

  /**
   * What flows back through products to one value.
   *
   * @param block where it is put
   * @param terms the products; each factor is the sum whose cotangent is multiplied
   * @param onto whether it is added to what is there
   */
  record Return(Block block, List<Term> terms, boolean onto) {}

  /** Products, then an elementwise program; either may be missing. */
  record Stage(List<Group> groups, List<Return> returns, @Nullable Program program) {}

  final Step step;

  /** Those kept for the gradient first, then those that are used on one way only. */
  final List<Block> blocks;

  /** How many blocks are kept for the gradient. */
  final int savedBlocks;

  final List<Group> groups;
  final List<Stage> forward;
  final List<Stage> backward;

  /** Products onto the carried cotangents, which close a step of the gradient. */
  final List<Return> carried;

  final Block[] stateBlocks;
  final Slot output;

  /** Heap arrays for the left operands of products: those of the step, then those of the gradient. */
  final Map<Value, Integer> sourceArrays;

  final Map<Value, Integer> cotangentArrays;
  final Map<Value, Block> vectorBlocks;
  final Map<Value, Block> vectorGradients;
  final Block outputGradient;
  final Block[] carries;

  private final Places places;
  private final Map<Group, Block> groupGradients;

  private Plan(Step step, ToIntFunction<Op> size) {
    this.step = step;
    Stages stages = new Stages(step);
    this.places = new Places(step, stages);
    this.groups = places.groups;
    this.stateBlocks = places.stateBlocks;
    this.output = places.output;
    this.sourceArrays = places.sourceArrays;
    this.vectorBlocks = places.vectorBlocks;
    this.savedBlocks = places.blocks().size();
    this.forward = new StepPlan(step, stages, places).plan(size);
    GradientPlan gradient = new GradientPlan(step, stages, places);
    this.backward = gradient.plan();
    this.carried = gradient.carried;
    this.cotangentArrays = gradient.cotangentArrays;
    this.vectorGradients = gradient.vectorGradients;
    this.groupGradients = gradient.groupGradients;
    this.outputGradient = gradient.outputGradient;
    this.carries = gradient.carries;
    this.blocks = places.blocks();
  }

  /**
   * A plan.
   *
   * @param step the step
   * @param size bytes of code that a row takes
   */
  static Plan of(Step step, ToIntFunction<Op> size) {
    return new Plan(step, size);
  }

  /** Whether a left operand of the step is a tensor of the state. */
  boolean isState(int array) {
    return sourceArrays.entrySet().stream()
        .anyMatch(e -> e.getValue() == array && e.getKey().kind() == Kind.STATE);
  }

  /** The heap array of a sum's cotangent. */
  int cotangentArray(Value sum) {
    return Objects.requireNonNull(cotangentArrays.get(sum));
  }

  /** Where the cotangents of a group lie. */
  Block gradientOf(Group group) {
    return Objects.requireNonNull(groupGradients.get(group));
  }

  /** Where a left operand lies, for every step. */
  Slot historyOf(Value source) {
    return Objects.requireNonNull(places.of(source));
  }
}
