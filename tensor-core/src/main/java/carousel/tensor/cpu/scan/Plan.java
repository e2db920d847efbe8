package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Rows;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.scan.Value.Kind;
import carousel.tensor.cpu.scan.Value.Term;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * How a step and its gradient are run: stages of matrix products, each followed by one elementwise
 * program; and where every value lies.
 *
 * <p>What the gradient reads of the step is either stored by the step, or computed again where that
 * takes only sums and products: activated gates are stored, {@code i ⊙ g} is not. An activated gate
 * takes the place of the sum it was computed from.
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

  /** Bytes of code in one program; C1 runs out of registers from about 3,500 on, and C2 is then never asked. */
  static final int MOST = 2_400;

  final Step step;
  final List<Block> blocks = new ArrayList<>();
  final List<Group> groups = new ArrayList<>();
  final List<Stage> forward = new ArrayList<>();
  final List<Stage> backward = new ArrayList<>();

  /** Blocks up to here are kept for the gradient; those that follow are used on one way only. */
  final int savedBlocks;

  final Block[] stateBlocks;
  final Slot output;

  /** Heap arrays for the left operands of products: those of the step, then those of the gradient. */
  final Map<Value, Integer> sourceArrays = new LinkedHashMap<>();

  final Map<Value, Integer> cotangentArrays = new LinkedHashMap<>();
  final Map<Value, Block> vectorBlocks = new LinkedHashMap<>();
  final Map<Value, Block> vectorGradients = new LinkedHashMap<>();
  final Map<Group, Block> groupGradients = new HashMap<>();
  final Block outputGradient;
  final Block[] carries;

  /** Products onto the carried cotangents, which close a step of the gradient. */
  final List<Return> carried = new ArrayList<>();

  private final Map<Value, Slot> places = new HashMap<>();
  private final int[] stages;
  private final Set<Value> stepValues = new HashSet<>();
  private final Set<Value> gradient = new HashSet<>();

  private final ToIntFunction<Op> size;

  private Plan(Step step, ToIntFunction<Op> size) {
    this.step = step;
    this.size = size;
    List<Value> values = step.graph().values();
    this.stages = new int[values.size()];
    collect(step.outputs(), stepValues, Set.of());
    List<Value> results = new ArrayList<>(step.cotangents().values());
    results.addAll(step.before());
    results.addAll(step.vectors().values());
    collect(results, gradient, stepValues);
    for (Value value : values) {
      stages[value.id()] = stage(value);
    }
    group();
    this.stateBlocks = new Block[step.states()];
    for (int k = 0; k < stateBlocks.length; k++) {
      stateBlocks[k] = block(1, Rows.STATES);
      places.put(step.graph().state(k), new Slot(stateBlocks[k], 0, 0));
    }
    for (int k = 0; k < stateBlocks.length; k++) {
      Value next = step.outputs().get(k + 1);
      places.putIfAbsent(next, new Slot(stateBlocks[k], 0, 1));
    }
    for (Value value : values) {
      if (value.kind() == Kind.VECTOR) {
        vectorBlocks.put(value, block(1, Rows.ONE));
        places.put(value, new Slot(vectorBlocks.get(value), 0, 0));
      }
    }
    sources();
    save();
    Value y = step.outputs().getFirst();
    Slot at = places.get(y);
    this.output = at != null && y.kind() != Kind.SUM ? at : new Slot(block(1, Rows.STEPS), 0, 0);
    this.savedBlocks = blocks.size();
    planForward(y);

    this.outputGradient = block(1, Rows.STEPS);
    this.carries = new Block[step.states()];
    for (int k = 0; k < carries.length; k++) {
      carries[k] = block(1, Rows.BATCH);
    }
    planBackward();
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
    return java.util.Objects.requireNonNull(cotangentArrays.get(sum));
  }

  /** Where the cotangents of a group lie. */
  Block gradientOf(Group group) {
    return java.util.Objects.requireNonNull(groupGradients.get(group));
  }

  /** Where a left operand lies, for every step. */
  Slot historyOf(Value source) {
    return java.util.Objects.requireNonNull(places.get(source));
  }

  /** How many stages of products come before a value, on its own way: the step's or the gradient's. */
  private int stage(Value value) {
    int stage = 0;
    for (Value input : value.inputs()) {
      stage = Math.max(stage, stageFor(value, input));
    }
    for (Term term : value.terms()) {
      Value factor = value.kind() == Kind.BACK ? cotangent(term.factor()) : term.factor();
      stage = Math.max(stage, stageFor(value, factor) + 1);
    }
    return stage;
  }

  /** The gradient finds all values of the step ready. */
  private int stageFor(Value value, Value input) {
    return stepValues.contains(value) ? stages[input.id()] : stageOf(input);
  }

  private Value cotangent(Value sum) {
    return java.util.Objects.requireNonNull(step.cotangents().get(sum));
  }

  private Block block(int members, Rows rows) {
    Block block = new Block(blocks.size(), members, rows);
    blocks.add(block);
    return block;
  }

  /** Adds what the results are computed from, but for what {@code known} has. */
  private static void collect(List<Value> results, Set<Value> into, Set<Value> known) {
    List<Value> open = new ArrayList<>(results);
    while (!open.isEmpty()) {
      Value value = open.removeLast();
      if (!known.contains(value) && into.add(value)) {
        open.addAll(value.inputs());
        if (value.kind() == Kind.SUM) {
          value.terms().forEach(term -> open.add(term.factor()));
        }
      }
    }
  }

  /** Puts sums of one stage with the same factors side by side. */
  private void group() {
    record Key(int stage, List<Value> factors, boolean gated) {}
    Map<Key, List<Value>> together = new LinkedHashMap<>();
    for (Value sum : step.sums()) {
      List<Value> factors = sum.terms().stream().map(Term::factor).toList();
      var key = new Key(stages[sum.id()], factors, !sum.inputs().isEmpty());
      together.computeIfAbsent(key, k -> new ArrayList<>()).add(sum);
    }
    together.forEach((key, sums) -> {
      Block block = block(sums.size(), Rows.STEPS);
      List<Integer> arrays = new ArrayList<>();
      for (Value factor : key.factors()) {
        sourceArrays.putIfAbsent(factor, sourceArrays.size());
        arrays.add(sourceArrays.get(factor));
      }
      groups.add(new Group(List.copyOf(sums), block, List.copyOf(arrays), key.gated()));
      for (int j = 0; j < sums.size(); j++) {
        places.put(sums.get(j), new Slot(block, j, 0));
      }
    });
  }

  /** Left operands that the step computes are stored: the gradients of their weights read them. */
  private void sources() {
    for (Value source : sourceArrays.keySet()) {
      if (!places.containsKey(source)) {
        places.put(source, new Slot(block(1, Rows.STEPS), 0, 0));
      }
    }
  }

  /** Finds places for what the gradient, or a later stage, reads. */
  private void save() {
    Set<Value> saved = new HashSet<>();
    Set<Value> kept = new HashSet<>();
    Set<Value> seen = new HashSet<>();
    for (Value value : step.graph().values()) {
      boolean ofGradient = gradient.contains(value);
      if (!ofGradient && !stepValues.contains(value)) {
        continue;
      }
      for (Value input : value.inputs()) {
        boolean later = stages[input.id()] < stages[value.id()];
        if (stepValues.contains(input) && (ofGradient || later)) {
          need(input, saved, kept, seen);
        }
      }
    }
    step.cotangents().values().forEach(g -> needIfOfStep(g, saved, kept, seen));
    step.before().forEach(g -> needIfOfStep(g, saved, kept, seen));
    step.vectors().values().forEach(g -> needIfOfStep(g, saved, kept, seen));
    step.outputs().stream().filter(v -> v.kind() == Kind.SUM).forEach(kept::add);
    Set<Value> free = new HashSet<>(step.sums());
    free.removeAll(kept);
    free.removeIf(sum -> readers(sum) > 1); // or the second might read what the first has put there
    free.removeAll(sourceArrays.keySet());
    for (Value value : step.graph().values()) {
      if (saved.contains(value) && !places.containsKey(value)) {
        Value room = null;
        for (Value input : value.inputs()) {
          if (free.contains(input) && stages[input.id()] == stages[value.id()]) {
            room = input;
          }
        }
        if (room == null) {
          places.put(value, new Slot(block(1, Rows.STEPS), 0, 0));
        } else {
          free.remove(room);
          overlays.put(value, places.get(room));
        }
      }
    }
  }

  /** Stored values that take the place of the sum they were computed from, once that was read. */
  private final Map<Value, Slot> overlays = new HashMap<>();

  private void needIfOfStep(Value value, Set<Value> saved, Set<Value> kept, Set<Value> seen) {
    if (stepValues.contains(value)) {
      need(value, saved, kept, seen);
    }
  }

  private void need(Value value, Set<Value> saved, Set<Value> kept, Set<Value> seen) {
    if (!seen.add(value)) {
      return;
    }
    if (value.kind() == Kind.SUM) {
      kept.add(value);
    } else if (value.kind() == Kind.APPLY && !places.containsKey(value)) {
      if (isCheap(value.op())) {
        value.inputs().forEach(input -> need(input, saved, kept, seen));
      } else {
        saved.add(value);
      }
    }
  }

  private long readers(Value sum) {
    return stepValues.stream().filter(value -> value.inputs().contains(sum)).count();
  }

  private static boolean isCheap(@Nullable Op op) {
    return op == Unary.NEG
        || op == Unary.SQUARE
        || op == Binary.ADD
        || op == Binary.SUB
        || op == Binary.MUL
        || op == Ternary.FMA
        || op == Ternary.WHERE
        || (op != null && Pointwise.isTest(op)); // which cannot be stored
  }

  private void planForward(Value y) {
    int last = 0;
    for (Value value : stepValues) {
      last = Math.max(last, stages[value.id()]);
    }
    for (int s = 0; s <= last; s++) {
      int stage = s;
      List<Group> products = new ArrayList<>();
      for (Group group : groups) {
        if (stages[group.sums().getFirst().id()] == stage) {
          products.add(group);
        }
      }
      Set<Value> stored = new HashSet<>();
      var writer = new Program.Writer(value -> readInStep(value, stage, stored));
      for (Value value : step.graph().values()) {
        if (!stepValues.contains(value) || stages[value.id()] != stage || !isStored(value, y)) {
          continue;
        }
        if (!writer.isEmpty() && writer.size(size) + writer.cost(value, size) > MOST) {
          forward.add(new Stage(products, List.of(), writer.program()));
          products = List.of();
          stored.addAll(writer.stored());
          writer = new Program.Writer(later -> readInStep(later, stage, stored));
        }
        store(writer, value, y);
      }
      forward.add(new Stage(products, List.of(), writer.isEmpty() ? null : writer.program()));
    }
  }

  /** Whether a value of the step goes to memory. */
  private boolean isStored(Value value, Value y) {
    return value == y
        || step.outputs().contains(value)
        || overlays.containsKey(value)
        || (value.kind() == Kind.APPLY && places.containsKey(value))
        || (value.kind() != Kind.STATE && sourceArrays.containsKey(value));
  }

  private void store(Program.Writer writer, Value value, Value y) {
    for (int k = 0; k < stateBlocks.length; k++) {
      if (step.outputs().get(k + 1) == value) {
        writer.store(value, new Slot(stateBlocks[k], 0, 1));
        Integer ahead = sourceArrays.get(step.graph().state(k));
        if (ahead != null) {
          writer.keep(value, ahead);
        }
      }
    }
    boolean computed = value.kind() == Kind.APPLY;
    Slot place = computed ? places.get(value) : null;
    if (place != null && place.ahead() == 0) {
      writer.store(value, place);
    }
    Slot overlay = overlays.get(value);
    if (overlay != null) {
      writer.store(value, overlay);
    }
    Integer array = sourceArrays.get(value);
    if (array != null && value.kind() != Kind.STATE) {
      writer.keep(value, array);
    }
    if (value == y && place == null && !output.equals(places.get(value))) {
      writer.store(value, output);
    }
  }

  /** Where the step reads a value at a stage; null if it computes it. */
  private @Nullable Slot readInStep(Value value, int stage, Set<Value> stored) {
    if (value.kind() == Kind.APPLY && stages[value.id()] == stage && !stored.contains(value)) {
      return null;
    }
    Slot overlay = overlays.get(value);
    return overlay != null ? overlay : places.get(value);
  }

  private void planBackward() {
    places.put(step.graph().cotangent(0), new Slot(outputGradient, 0, 0));
    for (int k = 0; k < carries.length; k++) {
      places.put(step.graph().cotangent(k + 1), new Slot(carries[k], 0, 0));
    }
    for (Group group : groups) {
      groupGradients.put(group, block(group.sums().size(), Rows.STEPS));
      for (Value sum : group.sums()) {
        if (!sum.terms().isEmpty()) {
          cotangentArrays.put(sum, cotangentArrays.size());
        }
      }
    }
    int last = 0;
    for (Value value : gradient) {
      last = Math.max(last, stageOf(value));
    }
    List<Value> returned = new ArrayList<>();
    for (Value value : step.graph().values()) {
      if (gradient.contains(value) && value.kind() == Kind.BACK) {
        places.put(value, new Slot(block(1, Rows.BATCH), 0, 0));
        returned.add(value);
      }
    }
    Map<Value, Slot> handedOn = handedOn(last);
    for (int s = 0; s <= last; s++) {
      int stage = s;
      List<Return> products = new ArrayList<>();
      for (Value value : returned) {
        if (stages[value.id()] == stage) {
          Slot place = java.util.Objects.requireNonNull(places.get(value));
          products.add(new Return(place.block(), value.terms(), false));
        }
      }
      var writer = new Program.Writer(value -> readInGradient(value, stage, handedOn));
      handedOn.forEach((value, slot) -> {
        if (stageOf(value) == stage) {
          writer.store(value, slot);
        }
      });
      for (Group group : groups) {
        for (int j = 0; j < group.sums().size(); j++) {
          Value sum = group.sums().get(j);
          Value g = cotangent(sum);
          if (stageOf(g) == stage) {
            Block block = java.util.Objects.requireNonNull(groupGradients.get(group));
            writer.store(g, new Slot(block, j, 0));
            Integer array = cotangentArrays.get(sum);
            if (array != null) {
              writer.keep(g, array);
            }
          }
        }
      }
      step.vectors()
          .forEach((vector, g) -> {
            if (stageOf(g) == stage) {
              Block block = block(1, Rows.BATCH);
              vectorGradients.put(vector, block);
              writer.accumulate(g, new Slot(block, 0, 0));
            }
          });
      if (stage == last) {
        for (int k = 0; k < carries.length; k++) {
          writer.store(step.before().get(k), new Slot(carries[k], 0, 0));
        }
      }
      backward.add(new Stage(List.of(), products, writer.isEmpty() ? null : writer.program()));
    }
    for (int k = 0; k < carries.length; k++) {
      Value back = step.back().get(k);
      if (back != null) {
        carried.add(new Return(carries[k], back.terms(), true));
      }
    }
  }

  /** The stage of the gradient at which a value is there; what the step left is there from the start. */
  private int stageOf(Value value) {
    return stepValues.contains(value) ? 0 : stages[value.id()];
  }

  /** Values of the gradient that a later stage reads than the one that computes them. */
  private Map<Value, Slot> handedOn(int last) {
    Set<Value> handed = new HashSet<>();
    for (Value value : gradient) {
      for (Value input : value.inputs()) {
        if (input.kind() == Kind.APPLY
            && gradient.contains(input)
            && stageOf(input) < stageOf(value)) {
          handed.add(input);
        }
      }
    }
    for (Value value : step.before()) {
      if (value.kind() == Kind.APPLY && gradient.contains(value) && stageOf(value) < last) {
        handed.add(value);
      }
    }
    Map<Value, Slot> slots = new LinkedHashMap<>();
    for (Value value : step.graph().values()) {
      if (handed.contains(value)) {
        slots.put(value, new Slot(block(1, Rows.BATCH), 0, 0));
      }
    }
    return slots;
  }

  private @Nullable Slot readInGradient(Value value, int stage, Map<Value, Slot> handedOn) {
    Slot handed = handedOn.get(value);
    if (handed != null) {
      return stageOf(value) < stage ? handed : null;
    }
    Slot overlay = overlays.get(value);
    return overlay != null ? overlay : places.get(value);
  }
}
