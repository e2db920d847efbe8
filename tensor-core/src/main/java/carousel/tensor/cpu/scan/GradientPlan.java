package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.RowKind;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
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
  private final JointGraph step;
  private final Stages stages;
  private final Places places;
  private final Machine machine;

  /** What flows where nothing does. */
  private final Value zero;

  private final int last;

  /** Values that a later stage reads than the one that computes them. */
  private final Map<Value, Slot> handedOn = new LinkedHashMap<>();

  /** What products leave. */
  private final List<Value> returned = new ArrayList<>();

  final Map<Value, Integer> cotangentArrays = new LinkedHashMap<>();
  final Map<Value, Block> givenGradients = new LinkedHashMap<>();
  final Map<Stage.Group, Block> groupGradients = new HashMap<>();
  final List<Block> outputGradients = new ArrayList<>();
  final List<Block> carries = new ArrayList<>();

  /** Products onto the carried cotangents, which close a step. */
  final List<Stage.Return> carried = new ArrayList<>();

  GradientPlan(JointGraph step, Stages stages, Places places, Machine machine, Value zero) {
    this.step = step;
    this.stages = stages;
    this.places = places;
    this.machine = machine;
    this.zero = zero;
    this.last = stages.ofGradient().stream().mapToInt(stages::inGradient).max().orElse(0);
    for (int k = 0; k < step.outputs().size(); k++) {
      boolean isY = k < step.ys();
      int width = step.outputs().get(k).width();
      Block block = places.block(1, width, isY ? RowKind.STEPS : RowKind.BATCH);
      (isY ? outputGradients : carries).add(block);
      places.put(step.graph().cotangent(k, width), Slot.of(block));
    }
    for (Stage.Group group : places.groups) {
      Block block = group.block();
      groupGradients.put(group, places.block(block.members(), block.width(), RowKind.STEPS));
    }
    for (Value value : step.graph().values()) {
      if (stages.isOfGradient(value) && (value.kind() == Kind.BACK || value.kind() == Kind.FOLD)) {
        places.put(value, places.slot(value.width(), RowKind.BATCH));
      }
      if (stages.isOfGradient(value) && value.kind() == Kind.BACK) {
        returned.add(value);
        multiplied(value);
      }
      if (stages.isOfStep(value) && (value.kind() == Kind.VECTOR || value.kind() == Kind.ROWS)) {
        if (step.given().containsKey(value)) {
          givenGradients.put(value, places.block(1, value.width(), RowKind.BATCH));
        }
      }
    }
    handOn();
    for (int k = 0; k < carries.size(); k++) {
      Value back = step.back().get(step.states().get(k));
      if (back != null) {
        multiplied(back);
        carried.add(new Stage.Return(carries.get(k), back.terms(), true));
      }
    }
  }

  /** The cotangents of sums that a product reads are left operands. */
  private void multiplied(Value back) {
    for (Term term : back.terms()) {
      cotangentArrays.putIfAbsent(term.factor(), cotangentArrays.size());
    }
  }

  private void handOn() {
    Set<Value> handed = new HashSet<>();
    for (Value value : stages.ofGradient()) {
      value.inputs().forEach(input -> hand(input, stages.inGradient(value), handed));
    }
    step.cotangents().values().forEach(g -> hand(g, stages.inGradient(g), handed));
    step.given().values().forEach(g -> hand(g, stages.inGradient(g), handed));
    for (int k = 0; k < carries.size(); k++) {
      hand(step.before().get(k), closing(k), handed);
    }
    for (Value value : step.graph().values()) {
      if (handed.contains(value)) {
        handedOn.put(value, places.slot(value.width(), RowKind.BATCH));
      }
    }
  }

  /** Hands an input to a stage; a test cannot be stored, so what it looks at is handed on instead. */
  private void hand(Value input, int stage, Set<Value> handed) {
    Value value = Passes.bare(input);
    if (value.kind() != Kind.APPLY
        || value.isNumber()
        || !stages.isOfGradient(value)
        || stages.inGradient(value) >= stage) {
      return;
    }
    if (value.isTest()) {
      value.inputs().forEach(looked -> hand(looked, stage, handed));
    } else {
      handed.add(value);
    }
  }

  /**
   * The stage that writes what is carried to the step before, over what came from the step behind: when
   * nothing reads that any more. Of a single column that is after the last stage, where wider values may
   * read it.
   */
  private int closing(int k) {
    boolean passed = step.before().stream().anyMatch(g -> Passes.bare(g).kind() == Kind.COTANGENT);
    if (carries.get(k).isNarrow()) {
      return last + 1;
    }
    if (passed) {
      return last;
    }
    int stage = stages.inGradient(step.before().get(k));
    Value arriving = step.graph().cotangent(step.ys() + k, carries.get(k).width());
    for (Value value : stages.ofGradient()) {
      if (value.inputs().contains(arriving)) {
        stage = value.isTest() ? last : Math.max(stage, stages.inGradient(value));
      }
    }
    return stage;
  }

  /** The stages, in their order. */
  List<Stage> plan() {
    List<Stage> planned = new ArrayList<>();
    int end = last;
    for (int k = 0; k < carries.size(); k++) {
      end = Math.max(end, closing(k));
    }
    for (int s = 0; s <= end; s++) {
      int stage = s;
      List<Stage.Return> products = new ArrayList<>();
      for (Value value : returned) {
        if (stages.of(value) == stage) {
          Slot place = Objects.requireNonNull(places.of(value));
          products.add(new Stage.Return(place.block(), value.terms(), false));
        }
      }
      var passes = new StagePasses(value -> read(value, stage), places, machine);
      handedOn.forEach((value, slot) -> {
        if (stages.inGradient(value) == stage) {
          passes.of(value.width()).store(value, slot);
        }
      });
      for (Stage.Group group : places.groups) {
        for (int j = 0; j < group.members().size(); j++) {
          member(passes, stage, group, j);
        }
      }
      givenGradients.forEach((value, block) -> {
        Value g = Objects.requireNonNull(step.given().get(value));
        if (stages.inGradient(g) == stage) {
          passes.of(value.width()).accumulate(g, Slot.of(block));
        }
      });
      for (int k = 0; k < carries.size(); k++) {
        if (closing(k) == stage) {
          Block carry = carries.get(k);
          passes.of(carry.width()).storeLast(step.before().get(k), Slot.of(carry));
        }
      }
      planned.add(new Stage(folds(stage), List.of(), products, passes.programs()));
    }
    return planned;
  }

  private List<StageProgram> folds(int stage) {
    List<StageProgram> folds = new ArrayList<>();
    for (Value value : step.graph().values()) {
      if (value.kind() == Kind.FOLD
          && stages.isOfGradient(value)
          && stages.inGradient(value) == stage) {
        Slot from = Objects.requireNonNull(read(value.inputs().getFirst(), stage));
        Slot to = Objects.requireNonNull(places.of(value));
        folds.addAll(FoldProgram.of(value, from, to, machine.lanes()));
      }
    }
    return folds;
  }

  /** Stores the cotangent of a sum, or of columns of an input. */
  private void member(StagePasses passes, int stage, Stage.Group group, int j) {
    Value member = group.members().get(j);
    Map<Value, Value> flowing = member.kind() == Kind.SUM ? step.cotangents() : step.given();
    Value g = flowing.getOrDefault(member, zero);
    if (stages.inGradient(g) != stage) {
      return;
    }
    Block block = Objects.requireNonNull(groupGradients.get(group));
    passes.of(block.width()).store(g, new Slot(block, j, 0));
    Integer array = cotangentArrays.get(member);
    if (array != null) {
      passes.of(block.width()).keep(g, array);
    }
  }

  /** Where a value is read at a stage; null if it is computed there. */
  private @Nullable Slot read(Value value, int stage) {
    Slot handed = handedOn.get(value);
    if (handed != null) {
      return stages.inGradient(value) < stage ? handed : null;
    }
    return stages.isOfStep(value) ? places.readLater(value) : places.of(value);
  }
}
