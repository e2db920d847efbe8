package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Rows;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.step.Step;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.cpu.step.Value.Term;
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
import org.jspecify.annotations.Nullable;

/**
 * Where the values of a step lie.
 *
 * <p>What the gradient reads of the step is either stored by the step, or computed again where that
 * takes only sums and products: activated gates are stored, {@code i ⊙ g} is not. An activated gate
 * takes the place of the sum it was computed from.
 */
final class Places {
  private final Step step;
  private final Stages stages;
  private final List<Block> blocks = new ArrayList<>();
  private final Map<Value, Slot> slots = new HashMap<>();

  /** Stored values that take the place of the sum they were computed from, once that was read. */
  private final Map<Value, Slot> overlays = new HashMap<>();

  // What the two ways and the run read:
  final List<Plan.Group> groups = new ArrayList<>();
  final Map<Value, Integer> sourceArrays = new LinkedHashMap<>();
  final Map<Value, Block> vectorBlocks = new LinkedHashMap<>();
  final Block[] stateBlocks;
  final Slot output;

  Places(Step step, Stages stages) {
    this.step = step;
    this.stages = stages;
    group();
    this.stateBlocks = new Block[step.states()];
    for (int k = 0; k < stateBlocks.length; k++) {
      stateBlocks[k] = block(1, Rows.STATES);
      slots.put(step.graph().state(k), new Slot(stateBlocks[k], 0, 0));
    }
    for (int k = 0; k < stateBlocks.length; k++) {
      Value next = step.outputs().get(k + 1);
      slots.putIfAbsent(next, new Slot(stateBlocks[k], 0, 1));
    }
    for (Value value : step.graph().values()) {
      if (value.kind() == Kind.VECTOR) {
        vectorBlocks.put(value, block(1, Rows.ONE));
        slots.put(value, new Slot(vectorBlocks.get(value), 0, 0));
      }
    }
    sources();
    save();
    Value y = step.outputs().getFirst();
    Slot at = slots.get(y);
    this.output = at != null && y.kind() != Kind.SUM ? at : new Slot(block(1, Rows.STEPS), 0, 0);
  }

  /** All blocks so far. */
  List<Block> blocks() {
    return blocks;
  }

  /** A new block. */
  Block block(int members, Rows rows) {
    Block block = new Block(blocks.size(), members, rows);
    blocks.add(block);
    return block;
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

  /** Puts sums of one stage with the same factors side by side. */
  private void group() {
    record Key(int stage, List<Value> factors, boolean gated) {}
    Map<Key, List<Value>> together = new LinkedHashMap<>();
    for (Value sum : step.sums()) {
      List<Value> factors = sum.terms().stream().map(Term::factor).toList();
      var key = new Key(stages.of(sum), factors, !sum.inputs().isEmpty());
      together.computeIfAbsent(key, k -> new ArrayList<>()).add(sum);
    }
    together.forEach((key, sums) -> {
      Block block = block(sums.size(), Rows.STEPS);
      List<Integer> arrays = new ArrayList<>();
      for (Value factor : key.factors()) {
        sourceArrays.putIfAbsent(factor, sourceArrays.size());
        arrays.add(sourceArrays.get(factor));
      }
      groups.add(new Plan.Group(List.copyOf(sums), block, List.copyOf(arrays), key.gated()));
      for (int j = 0; j < sums.size(); j++) {
        slots.put(sums.get(j), new Slot(block, j, 0));
      }
    });
  }

  /** Left operands that the step computes are stored: the gradients of their weights read them. */
  private void sources() {
    for (Value source : sourceArrays.keySet()) {
      if (!slots.containsKey(source)) {
        slots.put(source, new Slot(block(1, Rows.STEPS), 0, 0));
      }
    }
  }

  /** Finds places for what the gradient, or a later stage, reads. */
  private void save() {
    var needs = new Needs();
    Set<Value> free = new HashSet<>(step.sums());
    free.removeAll(needs.kept);
    free.removeIf(sum -> readers(sum) > 1); // or the second might read what the first has put there
    free.removeAll(sourceArrays.keySet());
    for (Value value : step.graph().values()) {
      if (needs.saved.contains(value) && !slots.containsKey(value)) {
        Value room = null;
        for (Value input : value.inputs()) {
          if (free.contains(input) && stages.of(input) == stages.of(value)) {
            room = input;
          }
        }
        if (room == null) {
          slots.put(value, new Slot(block(1, Rows.STEPS), 0, 0));
        } else {
          free.remove(room);
          overlays.put(value, slots.get(room));
        }
      }
    }
  }

  private long readers(Value sum) {
    return stages.ofStep().stream().filter(value -> value.inputs().contains(sum)).count();
  }

  /** What has to be there after the stage that computes it: values to save, and sums to keep as they are. */
  private final class Needs {
    final Set<Value> saved = new HashSet<>();
    final Set<Value> kept = new HashSet<>();
    private final Set<Value> seen = new HashSet<>();

    Needs() {
      for (Value value : step.graph().values()) {
        boolean ofGradient = stages.isOfGradient(value);
        if (!ofGradient && !stages.isOfStep(value)) {
          continue;
        }
        for (Value input : value.inputs()) {
          boolean later = stages.of(input) < stages.of(value);
          if (stages.isOfStep(input) && (ofGradient || later)) {
            need(input);
          }
        }
      }
      step.cotangents().values().forEach(this::needIfOfStep);
      step.before().forEach(this::needIfOfStep);
      step.vectors().values().forEach(this::needIfOfStep);
      step.outputs().stream().filter(v -> v.kind() == Kind.SUM).forEach(kept::add);
    }

    private void needIfOfStep(Value value) {
      if (stages.isOfStep(value)) {
        need(value);
      }
    }

    private void need(Value value) {
      if (!seen.add(value)) {
        return;
      }
      if (value.kind() == Kind.SUM) {
        kept.add(value);
      } else if (value.kind() == Kind.APPLY && !slots.containsKey(value)) {
        if (isCheap(value.op())) {
          value.inputs().forEach(this::need);
        } else {
          saved.add(value);
        }
      }
    }
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
}
