package carousel.tensor.cpu.row;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.op.Binary;
import carousel.tensor.trace.Graph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is done to every row: a few loops, one after the other, that read and write blocks of columns.
 *
 * @param loops in order
 * @param places everything that any of them reads or writes
 * @param temporaries blocks that one loop leaves for another
 * @param sums vectors that every row is added to
 * @param bytes of code of all rows of the op table in it: what a column costs
 */
record RowProgram(List<Pass> loops, List<Place> places, int temporaries, int sums, int bytes) {

  /**
   * One loop.
   *
   * @param code compiled
   * @param slots for each of its slots, which of the program's places it is
   */
  record Pass(Pointwise.Executable code, int[] slots) {}

  /** What a place is part of. */
  enum Room {
    INPUT,
    OUTPUT,
    COTANGENT,
    GRADIENT,
    /** A gradient that is summed over rows. */
    SUM,
    /** A number of the body's, in every column. */
    NUMBER,
    TEMPORARY
  }

  /**
   * A block of columns.
   *
   * @param room of what
   * @param index which input, output and so on
   * @param block the block of its columns
   */
  record Place(Room room, int index, int block) {}

  /** A value, and where it goes. */
  record Result(Value value, Place to) {}

  /**
   * Compiles a program; null if a row has no vector body.
   *
   * @param given where values lie beforehand
   * @param results what is wanted
   */
  static @Nullable RowProgram of(
      Graph graph, Map<Value, Place> given, List<Result> results, Kernels kernels, DType type) {
    return new Writer(graph, given, results, kernels, type).write();
  }

  /**
   * Writes values down in their order. Where code grows too long for the compilers, it is cut, and what
   * is still wanted is left in temporaries, which stay in the nearest cache.
   */
  private static final class Writer {
    private final Kernels kernels;
    private final DType type;
    private final List<Value> order;
    private final Map<Value, List<Place>> targets = new HashMap<>();
    private final Map<Value, Integer> lastReader = new HashMap<>();
    private final Map<Value, Place> places;
    private final Map<Place, Integer> numbers = new LinkedHashMap<>();
    private final List<Pass> loops = new ArrayList<>();
    private int temporaries;
    private int bytes;

    private List<Pointwise.Instruction> code = new ArrayList<>();
    private List<Pointwise.Instruction> stores = new ArrayList<>();
    private Map<Value, Integer> registers = new LinkedHashMap<>();
    private Map<Place, Integer> slots = new LinkedHashMap<>();
    private int size;

    Writer(
        Graph graph, Map<Value, Place> given, List<Result> results, Kernels kernels, DType type) {
      this.kernels = kernels;
      this.type = type;
      this.places = new HashMap<>(given);
      results.forEach(result ->
          targets.computeIfAbsent(result.value(), v -> new ArrayList<>()).add(result.to()));
      var wanted = new HashSet<Value>();
      List<Value> open = new ArrayList<>(targets.keySet());
      while (!open.isEmpty()) {
        Value value = open.removeLast();
        if (!given.containsKey(value) && wanted.add(value)) {
          open.addAll(value.inputs());
        }
      }
      this.order =
          graph.values().stream()
              .filter(v -> wanted.contains(v) && v.kind() == Kind.APPLY)
              .toList();
      for (int i = order.size() - 1; i >= 0; i--) {
        Value value = order.get(i);
        // A test is no number that could be left somewhere: it is made again from what it reads.
        int last = value.isTest() ? lastReader.getOrDefault(value, i) : i;
        value.inputs().forEach(input -> lastReader.merge(input, last, Math::max));
      }
    }

    @Nullable RowProgram write() {
      for (int i = 0; i < order.size(); i++) {
        Value value = order.get(i);
        int cost = kernels.size(Objects.requireNonNull(value.op()), type);
        if (size > 0
            && size + cost + Pointwise.SLOT * slots.size() > Pointwise.MOST_BYTES
            && !cut(i)) {
          return null;
        }
        register(value);
        for (Place to : targets.getOrDefault(value, List.of())) {
          store(value, to);
        }
      }
      targets.forEach((value, all) -> {
        if (!order.contains(value)) {
          all.forEach(to -> store(value, to));
        }
      });
      if (!cut(order.size())) {
        return null;
      }
      int sums = (int) numbers.keySet().stream().filter(p -> p.room() == Room.SUM).count();
      return new RowProgram(loops, List.copyOf(numbers.keySet()), temporaries, sums, bytes);
    }

    private int register(Value value) {
      Integer known = registers.get(value);
      if (known != null) {
        return known;
      }
      Place place = places.get(value);
      Pointwise.Instruction instruction;
      if (value.kind() == Kind.CONSTANT) {
        instruction = new Pointwise.Constant(value.number());
      } else if (place != null) {
        instruction = new Pointwise.Load(slot(place));
      } else {
        List<Integer> operands = value.inputs().stream().map(this::register).toList();
        instruction = new Pointwise.Apply(Objects.requireNonNull(value.op()), operands);
        size += kernels.size(value.op(), type);
      }
      code.add(instruction);
      registers.put(value, code.size() - 1);
      return code.size() - 1;
    }

    private void store(Value value, Place to) {
      int register = register(value);
      if (to.room() == Room.SUM) {
        code.add(new Pointwise.Load(slot(to)));
        code.add(new Pointwise.Apply(Binary.ADD, List.of(code.size() - 1, register)));
        register = code.size() - 1;
      }
      stores.add(new Pointwise.Store(register, slot(to)));
    }

    private int slot(Place place) {
      numbers.putIfAbsent(place, numbers.size());
      return slots.computeIfAbsent(place, p -> slots.size());
    }

    /** Ends a loop; what later values read is left for them. */
    private boolean cut(int next) {
      for (Value value : List.copyOf(registers.keySet())) {
        if (value.kind() == Kind.APPLY
            && !places.containsKey(value)
            && !value.isTest()
            && lastReader.getOrDefault(value, -1) >= next) {
          var place = new Place(Room.TEMPORARY, temporaries++, 0);
          store(value, place);
          places.put(value, place);
        }
      }
      code.addAll(stores);
      List<Boolean> fixed = slots.keySet().stream().map(place -> false).toList();
      Pointwise.Executable loop = kernels.pointwise(new Pointwise(code, fixed, 0), type);
      if (loop != null) {
        loops.add(new Pass(loop, slots.keySet().stream().mapToInt(numbers::get).toArray()));
      }
      bytes += size;
      code = new ArrayList<>();
      stores = new ArrayList<>();
      registers = new LinkedHashMap<>();
      slots = new LinkedHashMap<>();
      size = 0;
      return loop != null;
    }
  }
}
