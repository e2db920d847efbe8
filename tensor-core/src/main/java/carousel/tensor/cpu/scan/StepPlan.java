package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Plans the stages of the step. */
final class StepPlan {
  private final JointGraph step;
  private final Stages stages;
  private final Places places;
  private final Machine machine;

  StepPlan(JointGraph step, Stages stages, Places places, Machine machine) {
    this.step = step;
    this.stages = stages;
    this.places = places;
    this.machine = machine;
  }

  /** The stages, in their order. */
  List<Stage> plan() {
    List<Stage> planned = new ArrayList<>();
    int last = stages.ofStep().stream().mapToInt(stages::of).max().orElse(0);
    for (int s = 0; s <= last; s++) {
      int stage = s;
      List<Stage.Group> products =
          places.groups.stream()
              .filter(g -> !g.arrays().isEmpty() && stages.of(g.members().getFirst()) == stage)
              .toList();
      List<StageProgram> folds = new ArrayList<>();
      var passes = new StagePasses(value -> read(value, stage), places, machine);
      for (Value value : step.graph().values()) {
        if (!stages.isOfStep(value) || stages.of(value) != stage) {
          continue;
        }
        if (value.kind() == Kind.FOLD) {
          Slot from = Objects.requireNonNull(places.read(value.inputs().getFirst()));
          Slot to = Objects.requireNonNull(places.of(value));
          folds.addAll(FoldProgram.of(value, from, to, machine.lanes()));
        }
        if (isStored(value)) {
          store(passes.of(value.width()), value);
        }
      }
      planned.add(new Stage(folds, products, List.of(), passes.programs()));
    }
    return planned;
  }

  /** Whether a program writes a value to memory. */
  private boolean isStored(Value value) {
    return step.outputs().subList(step.ys(), step.outputs().size()).contains(value)
        || places.overlay(value) != null
        || (value.kind() == Kind.APPLY && places.of(value) != null)
        || (value.kind() != Kind.STATE && places.sourceArrays.containsKey(value));
  }

  private void store(Passes passes, Value value) {
    for (int k = 0; k < places.stateBlocks.size(); k++) {
      if (step.outputs().get(step.ys() + k) == value) {
        passes.store(value, new Slot(places.stateBlocks.get(k), 0, 1));
        Integer ahead = places.sourceArrays.get(step.states().get(k));
        if (ahead != null) {
          passes.keep(value, ahead);
        }
      }
    }
    Slot place = value.kind() == Kind.APPLY ? places.of(value) : null;
    if (place != null && place.ahead() == 0) {
      passes.store(value, place);
    }
    Slot overlay = places.overlay(value);
    if (overlay != null) {
      passes.store(value, overlay);
    }
    Integer array = places.sourceArrays.get(value);
    if (array != null && value.kind() != Kind.STATE) {
      passes.keep(value, array);
      if (places.hasHistory(value)) {
        passes.store(value, places.historyOf(value));
      }
    }
  }

  /** Where a value is read at a stage; null if it is computed there. */
  private @Nullable Slot read(Value value, int stage) {
    return value.kind() == Kind.APPLY && stages.of(value) == stage ? null : places.read(value);
  }
}
