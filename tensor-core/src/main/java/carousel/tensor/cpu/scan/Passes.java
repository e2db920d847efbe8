package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
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
  private final List<Program> programs = new ArrayList<>();

  /** What is computed here, and by which of the others each is read. */
  private final Map<Value, Set<Value>> readers = new HashMap<>();

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
  List<Program> programs() {
    outputs.forEach(output -> note(output.value()));
    last.forEach(output -> note(output.value()));
    for (Output output : outputs) {
      write(output, registers(List.of(output.value())).getFirst());
    }
    List<Integer> values = registers(last.stream().map(Output::value).toList());
    for (int i = 0; i < values.size(); i++) {
      write(last.get(i), values.get(i));
    }
    end();
    return programs;
  }

  private void note(Value value) {
    if (!isComputed(value) || readers.containsKey(value)) {
      return;
    }
    readers.put(value, new HashSet<>());
    for (Value input : value.inputs()) {
      Value read = bare(input);
      note(read);
      if (readers.containsKey(read)) {
        readers.get(read).add(value);
      }
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
      // What no cut leaves would be made anew after each, with all that it is made of, and that
      // again.
      boolean outer = whole;
      whole |= value.width() != width;
      List<Integer> operands = registers(inputs);
      if (endIfFull(bodies)) {
        operands = registers(inputs);
      }
      whole = outer;
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

  /** Ends the program at hand; what others still read is left for them. */
  private void end() {
    cuts++;
    for (Value value : List.copyOf(registers.keySet())) {
      if (isComputed(value) && value.width() == width && !value.isTest() && isWanted(value)) {
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
      programs.add(Program.of(all, width, List.copyOf(slots), List.copyOf(arrays)));
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
      boolean again = reader.isTest() || reader.width() != width;
      if (!done.contains(reader) || (again && isWanted(reader))) {
        return true;
      }
    }
    return false;
  }
}
