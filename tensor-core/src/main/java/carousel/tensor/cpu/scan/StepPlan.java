package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.step.Step;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Plans the stages of the step. */
final class StepPlan {
  private final Step step;
  private final Stages stages;
  private final Places places;
  private final Value y;

  StepPlan(Step step, Stages stages, Places places) {
    this.step = step;
    this.stages = stages;
    this.places = places;
    this.y = step.outputs().getFirst();
  }

  /**
   * The stages, in their order.
   *
   * @param size bytes of code that a row takes
   */
  List<Plan.Stage> plan(ToIntFunction<Op> size) {
    List<Plan.Stage> planned = new ArrayList<>();
    int last = stages.ofStep().stream().mapToInt(stages::of).max().orElse(0);
    for (int s = 0; s <= last; s++) {
      int stage = s;
      List<Plan.Group> products = new ArrayList<>();
      for (Plan.Group group : places.groups) {
        if (stages.of(group.sums().getFirst()) == stage) {
          products.add(group);
        }
      }
      Set<Value> stored = new HashSet<>();
      var writer = new Program.Writer(value -> read(value, stage, stored));
      for (Value value : step.graph().values()) {
        if (!stages.isOfStep(value) || stages.of(value) != stage || !isStored(value)) {
          continue;
        }
        if (!writer.isEmpty()
            && writer.size(size) + writer.cost(value, size) > Pointwise.MOST_BYTES) {
          planned.add(new Plan.Stage(products, List.of(), writer.program()));
          products = List.of();
          stored.addAll(writer.stored());
          writer = new Program.Writer(later -> read(later, stage, stored));
        }
        store(writer, value);
      }
      planned.add(new Plan.Stage(products, List.of(), writer.isEmpty() ? null : writer.program()));
    }
    return planned;
  }

  /** Whether a value goes to memory. */
  private boolean isStored(Value value) {
    return value == y
        || step.outputs().contains(value)
        || places.overlay(value) != null
        || (value.kind() == Kind.APPLY && places.of(value) != null)
        || (value.kind() != Kind.STATE && places.sourceArrays.containsKey(value));
  }

  private void store(Program.Writer writer, Value value) {
    for (int k = 0; k < places.stateBlocks.length; k++) {
      if (step.outputs().get(k + 1) == value) {
        writer.store(value, new Slot(places.stateBlocks[k], 0, 1));
        Integer ahead = places.sourceArrays.get(step.graph().state(k));
        if (ahead != null) {
          writer.keep(value, ahead);
        }
      }
    }
    Slot place = value.kind() == Kind.APPLY ? places.of(value) : null;
    if (place != null && place.ahead() == 0) {
      writer.store(value, place);
    }
    Slot overlay = places.overlay(value);
    if (overlay != null) {
      writer.store(value, overlay);
    }
    Integer array = places.sourceArrays.get(value);
    if (array != null && value.kind() != Kind.STATE) {
      writer.keep(value, array);
    }
    if (value == y && place == null && !places.output.equals(places.of(value))) {
      writer.store(value, places.output);
    }
  }

  /** Where a value is read at a stage; null if it is computed there. */
  private @Nullable Slot read(Value value, int stage, Set<Value> stored) {
    if (value.kind() == Kind.APPLY && stages.of(value) == stage && !stored.contains(value)) {
      return null;
    }
    return places.read(value);
  }
}
