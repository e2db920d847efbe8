package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.RowKind;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.scan.Stage.Group;
import carousel.tensor.cpu.scan.Stage.Origin;
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

/**
 * Where the values of a step lie: what products and the input give, what is given to it, and what
 * {@link Needs} to be there later. An activated gate takes the place of the sum it was computed from.
 */
final class Places {
  private final JointGraph step;
  private final Stages stages;
  private final boolean affine;
  private final List<Block> blocks = new ArrayList<>();
  private final Map<Value, Slot> slots = new HashMap<>();

  /** Stored values that take the place of the sum they were computed from, once that was read. */
  private final Map<Value, Slot> overlays = new HashMap<>();

  /** What is there during a step only. */
  private final Set<Value> passing = new HashSet<>();

  /** Left operands of products, for every step, where that is not the value's own place. */
  private final Map<Value, Slot> histories = new HashMap<>();

  // What the two ways and the run read:
  final List<Group> groups = new ArrayList<>();
  final Map<Value, Integer> sourceArrays = new LinkedHashMap<>();
  final Map<Value, Block> givenBlocks = new LinkedHashMap<>();
  final List<Block> stateBlocks = new ArrayList<>();
  final List<Slot> outputs = new ArrayList<>();

  /**
   * The places of a step's values.
   *
   * @param affine whether input 0 is a product with the block of its sums as the result
   * @param variable which of the numbers may be others at every call
   */
  Places(JointGraph step, Stages stages, boolean affine, Set<Integer> variable) {
    this.step = step;
    this.stages = stages;
    this.affine = affine;
    group();
    given(variable);
    sources();
    save();
    for (Value y : step.outputs().subList(0, step.ys())) {
      outputs.add(Objects.requireNonNull(read(y)));
    }
  }

  /** All blocks so far. */
  List<Block> blocks() {
    return blocks;
  }

  /** A new block. */
  Block block(int members, int width, RowKind rows) {
    var block = new Block(blocks.size(), members, width, rows);
    blocks.add(block);
    return block;
  }

  /** A new place, of one value. */
  Slot slot(int width, RowKind rows) {
    return Slot.of(block(1, width, rows));
  }

  /** Gives a value a place. */
  void put(Value value, Slot slot) {
    slots.put(value, slot);
  }

  /** Its own place; null if it has none. */
  @Nullable Slot of(Value value) {
    return slots.get(value);
  }

  /** The place that it takes over from a sum; null if it takes none. */
  @Nullable Slot overlay(Value value) {
    return overlays.get(value);
  }

  /** Where it can be read once it was stored. */
  @Nullable Slot read(Value value) {
    Slot overlay = overlays.get(value);
    return overlay != null ? overlay : slots.get(value);
  }

  /** Where it can be read when all steps are done. */
  @Nullable Slot readLater(Value value) {
    return passing.contains(value) ? null : read(value);
  }

  /** Where a left operand lies, for every step. */
  Slot historyOf(Value source) {
    Slot history = histories.get(source);
    return history != null ? history : Objects.requireNonNull(slots.get(source));
  }

  /** Whether its history is another place than its own. */
  boolean hasHistory(Value source) {
    return histories.containsKey(source);
  }

  /**
   * Puts sums of one stage, width and factors side by side; and those columns of inputs that are no
   * sum's, each as what it is.
   */
  private void group() {
    record Key(int stage, List<Value> factors, Origin origin, int width) {}
    Map<Key, List<Value>> together = new LinkedHashMap<>();
    Set<Value> starts = new HashSet<>();
    step.sums().forEach(sum -> starts.addAll(sum.inputs()));
    for (Value value : step.graph().values()) {
      boolean input = value.kind() == Kind.INPUT && !starts.contains(value);
      if (stages.isOfStep(value) && (input || value.kind() == Kind.SUM)) {
        List<Value> factors = value.terms().stream().map(Term::factor).toList();
        var key = new Key(stages.of(value), factors, origin(value), value.width());
        together.computeIfAbsent(key, k -> new ArrayList<>()).add(value);
      }
    }
    together.forEach((key, members) -> {
      Block block = block(members.size(), key.width(), RowKind.STEPS);
      List<Integer> arrays = new ArrayList<>();
      for (Value factor : key.factors()) {
        sourceArrays.putIfAbsent(factor, sourceArrays.size());
        arrays.add(sourceArrays.get(factor));
      }
      groups.add(new Group(List.copyOf(members), block, List.copyOf(arrays), key.origin()));
      for (int j = 0; j < members.size(); j++) {
        slots.put(members.get(j), new Slot(block, j, 0));
      }
    });
  }

  private Origin origin(Value member) {
    if (member.kind() == Kind.SUM && member.inputs().isEmpty()) {
      return Origin.NOTHING;
    }
    return affine && Group.inputOf(member).index() == 0 ? Origin.PRODUCT : Origin.SEQUENCE;
  }

  private void given(Set<Integer> variable) {
    for (Value state : step.states()) {
      Block block = block(1, state.width(), RowKind.STATES);
      stateBlocks.add(block);
      slots.put(state, Slot.of(block));
    }
    for (int k = 0; k < stateBlocks.size(); k++) {
      Value next = step.outputs().get(step.ys() + k);
      if (next.kind() == Kind.APPLY) {
        slots.putIfAbsent(next, new Slot(stateBlocks.get(k), 0, 1));
      }
    }
    for (Value value : step.graph().values()) {
      if (!stages.isOfStep(value) && !stages.isOfGradient(value)) {
        continue;
      }
      Block block =
          switch (value.kind()) {
            case VECTOR -> block(1, value.width(), RowKind.ONE);
            case ROWS -> block(1, value.width(), RowKind.BATCH);
            case NUMBER -> variable.contains(value.index()) ? block(1, 1, RowKind.ONE) : null;
            default -> null;
          };
      if (block != null) {
        givenBlocks.put(value, block);
        slots.put(value, Slot.of(block));
      }
    }
  }

  /** Left operands are kept for all steps: the gradients of their weights read them. */
  private void sources() {
    for (Value source : sourceArrays.keySet()) {
      switch (source.kind()) {
        case SPREAD, VECTOR, ROWS -> histories.put(source, slot(source.width(), RowKind.STEPS));
        default -> {
          if (!slots.containsKey(source)) {
            slots.put(source, slot(source.width(), RowKind.STEPS));
          }
        }
      }
    }
  }

  /** Finds places for what the gradient, or a later stage, reads. */
  private void save() {
    var needs = new Needs(step, stages, slots::containsKey);
    List<Value> summands = new ArrayList<>();
    groups.forEach(group -> summands.addAll(group.members()));
    Set<Value> free = needs.replaceable(summands);
    free.removeAll(sourceArrays.keySet());
    for (Value value : step.graph().values()) {
      boolean later = needs.byGradient.contains(value);
      boolean fold = value.kind() == Kind.FOLD && stages.isOfStep(value);
      if (slots.containsKey(value) || !(later || fold || needs.byStep.contains(value))) {
        continue;
      }
      Value room = null;
      for (Value input : value.inputs()) {
        if (free.contains(input) && stages.of(input) == stages.of(value) && !fold) {
          room = input;
        }
      }
      if (room != null) {
        free.remove(room);
        overlays.put(value, slots.get(room));
      } else {
        slots.put(value, slot(value.width(), later ? RowKind.STEPS : RowKind.BATCH));
        if (!later) {
          passing.add(value);
        }
      }
    }
  }
}
