package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.Rows;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.step.Step;
import carousel.tensor.cpu.step.StepTrace;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Plans the stages of the gradient of a step, and where the values of the gradient lie. */
final class GradientPlan {
  private final Step step;
  private final Stages stages;
  private final Places places;
  private final int last;

  /** Values that a later stage reads than the one that computes them. */
  private final Map<Value, Slot> handedOn;

  /** What products leave. */
  private final List<Value> returned = new ArrayList<>();

  final Map<Value, Integer> cotangentArrays = new LinkedHashMap<>();
  final Map<Value, Block> vectorGradients = new LinkedHashMap<>();
  final Map<Plan.Group, Block> groupGradients = new HashMap<>();
  final Block outputGradient;
  final Block[] carries;

  /** Products onto the carried cotangents, which close a step. */
  final List<Plan.Return> carried = new ArrayList<>();

  GradientPlan(Step step, Stages stages, Places places) {
    this.step = step;
    this.stages = stages;
    this.places = places;
    this.last = stages.ofGradient().stream().mapToInt(stages::inGradient).max().orElse(0);
    this.outputGradient = places.block(1, Rows.STEPS);
    this.carries = new Block[step.states()];
    for (int k = 0; k < carries.length; k++) {
      carries[k] = places.block(1, Rows.BATCH);
    }
    places.put(step.graph().cotangent(0), new Slot(outputGradient, 0, 0));
    for (int k = 0; k < carries.length; k++) {
      places.put(step.graph().cotangent(k + 1), new Slot(carries[k], 0, 0));
    }
    for (Plan.Group group : places.groups) {
      groupGradients.put(group, places.block(group.sums().size(), Rows.STEPS));
      for (Value sum : group.sums()) {
        if (!sum.terms().isEmpty()) {
          cotangentArrays.put(sum, cotangentArrays.size());
        }
      }
    }
    for (Value value : step.graph().values()) {
      if (stages.isOfGradient(value) && value.kind() == Kind.BACK) {
        places.put(value, new Slot(places.block(1, Rows.BATCH), 0, 0));
        returned.add(value);
      }
    }
    this.handedOn = handedOn();
    for (int k = 0; k < carries.length; k++) {
      Value back = step.back().get(k);
      if (back != null) {
        carried.add(new Plan.Return(carries[k], back.terms(), true));
      }
    }
  }

  private Map<Value, Slot> handedOn() {
    Set<Value> handed = new HashSet<>();
    for (Value value : stages.ofGradient()) {
      value.inputs().forEach(input -> hand(input, stages.inGradient(value), handed));
    }
    for (Value value : step.before()) {
      if (value.kind() == Kind.APPLY
          && stages.isOfGradient(value)
          && stages.inGradient(value) < last) {
        handed.add(value);
      }
    }
    Map<Value, Slot> slots = new LinkedHashMap<>();
    for (Value value : step.graph().values()) {
      if (handed.contains(value)) {
        slots.put(value, new Slot(places.block(1, Rows.BATCH), 0, 0));
      }
    }
    return slots;
  }

  /** Hands an input to a stage; a test cannot be stored, so what it looks at is handed on instead. */
  private void hand(Value input, int stage, Set<Value> handed) {
    if (input.kind() != Kind.APPLY
        || !stages.isOfGradient(input)
        || stages.inGradient(input) >= stage) {
      return;
    }
    if (StepTrace.isTest(input)) {
      input.inputs().forEach(looked -> hand(looked, stage, handed));
    } else {
      handed.add(input);
    }
  }

  /** The stages, in their order. */
  List<Plan.Stage> plan() {
    List<Plan.Stage> planned = new ArrayList<>();
    for (int s = 0; s <= last; s++) {
      int stage = s;
      List<Plan.Return> products = new ArrayList<>();
      for (Value value : returned) {
        if (stages.of(value) == stage) {
          Slot place = Objects.requireNonNull(places.of(value));
          products.add(new Plan.Return(place.block(), value.terms(), false));
        }
      }
      var writer = new Program.Writer(value -> read(value, stage));
      handedOn.forEach((value, slot) -> {
        if (stages.inGradient(value) == stage) {
          writer.store(value, slot);
        }
      });
      sums(writer, stage);
      vectors(writer, stage);
      if (stage == last) {
        for (int k = 0; k < carries.length; k++) {
          writer.store(step.before().get(k), new Slot(carries[k], 0, 0));
        }
      }
      planned.add(new Plan.Stage(List.of(), products, writer.isEmpty() ? null : writer.program()));
    }
    return planned;
  }

  /** Stores the cotangents of sums. */
  private void sums(Program.Writer writer, int stage) {
    for (Plan.Group group : places.groups) {
      Block block = Objects.requireNonNull(groupGradients.get(group));
      for (int j = 0; j < group.sums().size(); j++) {
        Value sum = group.sums().get(j);
        Value g = Objects.requireNonNull(step.cotangents().get(sum));
        if (stages.inGradient(g) == stage) {
          writer.store(g, new Slot(block, j, 0));
          Integer array = cotangentArrays.get(sum);
          if (array != null) {
            writer.keep(g, array);
          }
        }
      }
    }
  }

  /** Adds up the gradients of vectors, row by row of the batch. */
  private void vectors(Program.Writer writer, int stage) {
    step.vectors()
        .forEach((vector, g) -> {
          if (stages.inGradient(g) == stage) {
            Block block = places.block(1, Rows.BATCH);
            vectorGradients.put(vector, block);
            writer.accumulate(g, new Slot(block, 0, 0));
          }
        });
  }

  /** Where a value is read at a stage; null if it is computed there. */
  private @Nullable Slot read(Value value, int stage) {
    Slot handed = handedOn.get(value);
    if (handed != null) {
      return stages.inGradient(value) < stage ? handed : null;
    }
    return places.read(value);
  }
}
