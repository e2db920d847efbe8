package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Writes the elementwise programs of one stage for values of one width. There is one, unless it grows
 * too long for the compilers: then it is cut, and what the next one still wants is left in temporaries.
 *
 * <p>A program computes or reads everything first, and stores last.
 */
final class Passes {
  /** Instructions of a program, whatever they do. */
  private static final int MOST_INSTRUCTIONS = 120;

  private final int width;
  private final Function<Value, @Nullable Slot> places;
  private final ToIntFunction<Op> size;
  private final IntFunction<Block> temporary;
  private final List<Output> outputs = new ArrayList<>();
  private final List<Output> last = new ArrayList<>();
  private final List<StageProgram> programs = new ArrayList<>();

  /** What is computed here, and by which of the others each is read. */
  private final Map<Value, Set<Value>> readers = new HashMap<>();

  /** The same, each after what it reads. */
  private final Set<Value> order = new LinkedHashSet<>();

  private final Set<Value> done = new HashSet<>();
  private final Set<Output> written = new HashSet<>();

  /** What an earlier program of this stage has left in memory. */
  private final Map<Value, Slot> left = new HashMap<>();

  // Of the program at hand:
  private List<Pointwise.Instruction> code = new ArrayList<>();
  private List<Pointwise.Instruction> stores = new ArrayList<>();
  private Map<Value, Integer> registers = new LinkedHashMap<>();
  private Map<Value, Slot> stored = new HashMap<>();
  private Set<Slot> slots = new LinkedHashSet<>();
  private Set<Integer> arrays = new LinkedHashSet<>();
  private int bytes;
  private boolean whole;

  /** How often a program has ended, also where it left nothing, and so is none. */
  private int cuts;

  /** What becomes of a value: it goes to a slot, is added to what that holds, or goes to an array. */
  private record Output(Value value, @Nullable Slot slot, boolean adds, int array) {}

  /**
   * The programs of a stage.
   *
   * @param width of what is stored
   * @param places where a value can be read from; null if it is computed here
   * @param size bytes of code that a row takes
   * @param temporary makes a place for rows of the batch, of a width
   */
  Passes(
      int width,
      Function<Value, @Nullable Slot> places,
      ToIntFunction<Op> size,
      IntFunction<Block> temporary) {
    this.width = width;
    this.places = places;
    this.size = size;
    this.temporary = temporary;
  }

  /** What a program reads of it: a single column is the same in all columns. */
  static Value bare(Value value) {
    return value.kind() == Kind.SPREAD ? value.inputs().getFirst() : value;
  }

  /** Stores a value in memory. */
  void store(Value value, Slot to) {
    outputs.add(new Output(bare(value), to, false, -1));
  }

  /** Stores a value where others that are computed here are read from: when all is read. */
  void storeLast(Value value, Slot to) {
    last.add(new Output(bare(value), to, false, -1));
  }

  /** Stores a value in a heap array, as a left operand of products. */
  void keep(Value value, int array) {
    outputs.add(new Output(bare(value), null, false, array));
  }

  /** Adds a value to what a slot holds. */
  void accumulate(Value value, Slot at) {
    outputs.add(new Output(bare(value), at, true, -1));
  }

  /** Writes the programs. */
  List<StageProgram> programs() {
    List<Integer> ends = new ArrayList<>();
    for (Output output : outputs) {
      note(output.value());
      ends.add(order.size());
    }
    for (Output output : last) {
      note(output.value());
    }
    for (Value value : order) {
      for (Value input : value.inputs()) {
        Set<Value> of = readers.get(bare(input));
        if (of != null) {
          of.add(value);
        }
      }
    }
    List<Value> ordered = List.copyOf(order);
    int next = 0;
    for (int i = 0; i < outputs.size(); i++) {
      compute(ordered.subList(next, ends.get(i)));
      next = ends.get(i);
      write(outputs.get(i), registers(List.of(outputs.get(i).value())).getFirst());
    }
    compute(ordered.subList(next, ordered.size()));
    List<Integer> values = registers(last.stream().map(Output::value).toList());
    for (int i = 0; i < values.size(); i++) {
      write(last.get(i), values.get(i));
    }
    end();
    return programs;
  }

  /** In this order each finds what it reads computed. */
  private void compute(List<Value> values) {
    for (Value value : values) {
      int _ = register(value);
    }
  }

  /** Finds what is computed for a value, each after what it reads: not by recursion, for a chain may be long. */
  private void note(Value output) {
    var path = new ArrayDeque<Value>(List.of(output));
    while (!path.isEmpty()) {
      Value value = path.getLast();
      if (!isComputed(value) || order.contains(value)) {
        path.removeLast();
        continue;
      }
      if (readers.putIfAbsent(value, new HashSet<>()) != null) {
        order.add(path.removeLast());
        continue;
      }
      value.inputs().reversed().forEach(input -> path.add(bare(input)));
    }
  }

  private boolean isComputed(Value value) {
    return value.kind() == Kind.APPLY && places.apply(value) == null;
  }

  private void write(Output output, int register) {
    Slot slot = output.slot();
    if (slot == null) {
      arrays.add(output.array());
      stores.add(new Pointwise.Keep(register, List.copyOf(arrays).indexOf(output.array())));
    } else if (output.adds()) {
      code.add(new Pointwise.Load(slot(slot)));
      code.add(new Pointwise.Apply(Binary.ADD, List.of(code.size() - 1, register)));
      stores.add(new Pointwise.Store(code.size() - 1, slot(slot)));
    } else {
      stores.add(new Pointwise.Store(register, slot(slot)));
      if (isComputed(output.value())) {
        stored.put(output.value(), slot);
      }
    }
    written.add(output);
  }

  /** The registers of values, all in the program at hand. */
  private List<Integer> registers(List<Value> values) {
    int before = cuts;
    List<Integer> found = values.stream().map(this::register).toList();
    if (before == cuts) {
      return found;
    }
    // Cut in between: what was there already is in memory now. Once more, and in one piece.
    boolean outer = whole;
    whole = true;
    found = values.stream().map(this::register).toList();
    whole = outer;
    return found;
  }

  private int register(Value value) {
    Integer known = registers.get(value);
    if (known != null) {
      return known;
    }
    Slot place = left.containsKey(value) ? left.get(value) : places.apply(value);
    Pointwise.Instruction instruction;
    if (place != null) {
      instruction = new Pointwise.Load(slot(place));
    } else if (value.kind() == Kind.CONSTANT || value.kind() == Kind.NUMBER) {
      instruction = new Pointwise.Constant(value.number());
    } else if (value.op() != null && value.kind() == Kind.APPLY) {
      int bodies = size.applyAsInt(value.op());
      List<Value> inputs = value.inputs().stream().map(Passes::bare).toList();
      endIfFull(bodies);
      List<Integer> operands = registers(inputs);
      if (endIfFull(bodies)) {
        operands = registers(inputs);
      }
      instruction = new Pointwise.Apply(value.op(), operands);
      bytes += bodies;
      done.add(value);
    } else {
      throw new IllegalStateException("nowhere to read from: " + value);
    }
    code.add(instruction);
    registers.put(value, code.size() - 1);
    return code.size() - 1;
  }

  private int slot(Slot slot) {
    slots.add(slot);
    return List.copyOf(slots).indexOf(slot);
  }

  private boolean endIfFull(int more) {
    boolean full =
        !whole
            && bytes > 0
            && (bytes + more + Pointwise.SLOT * slots.size() > Pointwise.MOST_BYTES
                || code.size() + stores.size() > MOST_INSTRUCTIONS);
    if (full) {
      end();
    }
    return full;
  }

  /** Ends the program at hand; what others still read is left for them, a single column as all columns, which are the same. */
  private void end() {
    cuts++;
    for (Value value : List.copyOf(registers.keySet())) {
      if (isComputed(value) && !value.isTest() && isWanted(value)) {
        Slot slot = stored.get(value);
        if (slot == null) {
          slot = Slot.of(temporary.apply(width));
          int register = Objects.requireNonNull(registers.get(value));
          stores.add(new Pointwise.Store(register, slot(slot)));
        }
        left.put(value, slot);
      }
    }
    if (!stores.isEmpty()) {
      List<Pointwise.Instruction> all = new ArrayList<>(code);
      all.addAll(stores);
      programs.add(StageProgram.of(all, width, List.copyOf(slots), List.copyOf(arrays)));
    }
    code = new ArrayList<>();
    stores = new ArrayList<>();
    registers = new LinkedHashMap<>();
    stored = new HashMap<>();
    slots = new LinkedHashSet<>();
    arrays = new LinkedHashSet<>();
    bytes = 0;
  }

  /** Whether something reads a value that is not yet written; a mask cannot be left, so it reads again. */
  private boolean isWanted(Value value) {
    for (Output output : outputs) {
      if (output.value() == value && !written.contains(output)) {
        return true;
      }
    }
    for (Output output : last) {
      if (output.value() == value && !written.contains(output)) {
        return true;
      }
    }
    for (Value reader : readers.getOrDefault(value, Set.of())) {
      if (!done.contains(reader) || (reader.isTest() && isWanted(reader))) {
        return true;
      }
    }
    return false;
  }
}
