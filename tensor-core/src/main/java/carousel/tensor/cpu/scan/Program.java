package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The elementwise part of a stage: a {@link Pointwise} program, and which memory its slots and arrays
 * are.
 */
record Program(Pointwise code, List<Slot> slots, List<Integer> arrays) {

  /** Writes a program: everything that is computed or read first, all stores last. */
  static final class Writer {
    private final Function<Value, @Nullable Slot> places;
    private final List<Pointwise.Instruction> code = new ArrayList<>();
    private final List<Pointwise.Instruction> stores = new ArrayList<>();
    private final Map<Value, Integer> registers = new HashMap<>();
    private final Map<Slot, Integer> slots = new LinkedHashMap<>();
    private final List<Integer> arrays = new ArrayList<>();
    private final Set<Value> kept = new HashSet<>();

    /**
     * A writer.
     *
     * @param places where a value can be read from; null if it is computed here
     */
    Writer(Function<Value, @Nullable Slot> places) {
      this.places = places;
    }

    int register(Value value) {
      Integer known = registers.get(value);
      if (known != null) {
        return known;
      }
      Pointwise.Instruction instruction;
      Slot place = places.apply(value);
      if (value.kind() == Kind.CONSTANT) {
        instruction = new Pointwise.Constant(value.number());
      } else if (place != null) {
        instruction = new Pointwise.Load(slot(place));
      } else if (value.op() != null) {
        List<Integer> operands = value.inputs().stream().map(this::register).toList();
        instruction = new Pointwise.Apply(value.op(), operands);
      } else {
        throw new IllegalStateException("nowhere to read from: " + value.kind());
      }
      code.add(instruction);
      registers.put(value, code.size() - 1);
      return code.size() - 1;
    }

    private int slot(Slot slot) {
      return slots.computeIfAbsent(slot, s -> slots.size());
    }

    /** Stores a value in memory. */
    void store(Value value, Slot to) {
      stores.add(new Pointwise.Store(register(value), slot(to)));
      kept.add(value);
    }

    /** Stores a value in a heap array, as a left operand of products. */
    void keep(Value value, int array) {
      if (!arrays.contains(array)) {
        arrays.add(array);
      }
      stores.add(new Pointwise.Keep(register(value), arrays.indexOf(array)));
    }

    /** Adds a value to what a slot holds. */
    void accumulate(Value value, Slot at) {
      code.add(new Pointwise.Load(slot(at)));
      int before = code.size() - 1;
      code.add(new Pointwise.Apply(Binary.ADD, List.of(before, register(value))));
      stores.add(new Pointwise.Store(code.size() - 1, slot(at)));
    }

    /** Bytes of code so far. */
    int size(ToIntFunction<Op> size) {
      int sum = 0;
      for (var instruction : code) {
        sum += instruction instanceof Pointwise.Apply apply ? size.applyAsInt(apply.op()) : 0;
      }
      return sum;
    }

    /** Bytes of code that one value more takes. */
    int cost(Value value, ToIntFunction<Op> size) {
      if (value.op() == null || registers.containsKey(value) || places.apply(value) != null) {
        return 0;
      }
      int sum = size.applyAsInt(value.op());
      for (Value input : value.inputs()) {
        sum += cost(input, size);
      }
      return sum;
    }

    /** What was stored in memory. */
    Set<Value> stored() {
      return kept;
    }

    /** Does nothing? */
    boolean isEmpty() {
      return stores.isEmpty();
    }

    Program program() {
      List<Pointwise.Instruction> all = new ArrayList<>(code);
      all.addAll(stores);
      List<Boolean> fixed =
          slots.keySet().stream().map(slot -> slot.block().rows() == Block.Rows.ONE).toList();
      return new Program(
          new Pointwise(all, fixed, arrays.size()), List.copyOf(slots.keySet()), arrays);
    }
  }
}
