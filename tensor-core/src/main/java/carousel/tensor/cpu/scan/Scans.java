package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Masks;
import carousel.tensor.op.Scan;
import carousel.tensor.op.Ternary;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Recent;
import carousel.tensor.trace.Traced;
import carousel.tensor.trace.Untraced;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes kernels of recurrences: a step that was traced is differentiated and planned, and its
 * elementwise parts compiled, unless a step that computes the same has been. Numbers of the step are
 * part of its kernel, until they are others at another call: from then on they are read at every call.
 */
public final class Scans {
  /** Of T·N, which are numbered by int. */
  private static final int MOST_ROWS = 1 << 30;

  private static final int MOST_KERNELS = 500;
  private static final int MOST_LOOPS = 4000;

  private final Kernels kernels;
  private final Function<DType, Tiles> tiles;
  private final Map<Key, Made> made = new Recent<>(MOST_KERNELS);
  private final Map<TypedCode, Pointwise.Executable> loops = new Recent<>(MOST_LOOPS);
  private final Map<DType, Pointwise.Executable> copies = new HashMap<>();

  /** What tells kernels apart. */
  private record Key(DType type, boolean affine, String signature) {}

  private record TypedCode(DType type, Pointwise code) {}

  /**
   * What came of a step.
   *
   * @param kernel null if there is none
   * @param reason why there is none
   * @param numbers those that are part of it, as they are
   * @param variable which numbers are not
   */
  private record Made(
      @Nullable Compiled kernel, String reason, List<Double> numbers, Set<Integer> variable) {
    /** Numbers that are no part of a kernel for both these and its own. */
    Set<Integer> variableWith(List<Double> others) {
      Set<Integer> all = new TreeSet<>(variable);
      for (int i = 0; i < numbers.size(); i++) {
        if (!numbers.get(i).equals(others.get(i))) {
          all.add(i);
        }
      }
      return all;
    }
  }

  /**
   * Kernels from given loops and tiles.
   *
   * @param kernels make the elementwise loops
   * @param tiles the tiles of an element type
   */
  public Scans(Kernels kernels, Function<DType, Tiles> tiles) {
    this.kernels = kernels;
    this.tiles = tiles;
  }

  /** Whether there are kernels at all. */
  public synchronized boolean isAble() {
    return copies.computeIfAbsent(DType.F32, this::copy) != null;
  }

  /** The kernel of a recurrence; null if it has to run as it is written. */
  public synchronized @Nullable ScanKernel of(Scan scan, Tensor... inputs) {
    if (unfit(scan, inputs) != null) {
      return null; // the body says what is wrong, if anything is
    }
    Compiled kernel = made(scan.step(), inputs[0], scan.inputs().affine()).kernel();
    return kernel == null ? null : new ScanKernel(kernel, scan, this);
  }

  /** Why a step has no kernel, in a user's words; empty if it has one. */
  public synchronized String refusal(Traced step, Tensor like, boolean affine) {
    return made(step, like, affine).reason();
  }

  /** What the kernel of a step does, in a user's words; empty if there is none. */
  public synchronized String description(Traced step, Tensor like, boolean affine) {
    Compiled kernel = made(step, like, affine).kernel();
    return kernel == null ? "" : Summary.of(kernel.plan());
  }

  /** What keeps a kernel from running on some inputs; null if there is nothing. */
  private static @Nullable String unfit(Scan scan, Tensor... inputs) {
    DType type = inputs[0].dtype();
    Device device = inputs[0].device();
    if (!type.isFloating() || scan.steps() == 0 || scan.rows() == 0) {
      return "there is nothing to run: " + scan.steps() + " steps of " + scan.rows() + " rows";
    }
    if ((long) scan.steps() * scan.rows() > MOST_ROWS) {
      return scan.steps() + " steps of " + scan.rows() + " rows are too many";
    }
    for (int i = 0; i < inputs.length; i++) {
      boolean fits = i == scan.inputs().lengths() || inputs[i].dtype() == type;
      if (!fits || !inputs[i].device().equals(device) || inputs[i].size() == 0) {
        return "input " + i + " is " + inputs[i].dtype() + " " + inputs[i].shape();
      }
    }
    return null;
  }

  private Pointwise.@Nullable Executable copy(DType type) {
    List<Pointwise.Instruction> code = List.of(new Pointwise.Load(0), new Pointwise.Keep(0, 0));
    return kernels.pointwise(new Pointwise(code, List.of(false), 1), type);
  }

  private Made made(Traced step, Tensor like, boolean affine) {
    var key = new Key(like.dtype(), affine, step.signature());
    List<Double> numbers = List.copyOf(step.graph().numbers());
    Made known = made.get(key);
    Set<Integer> variable = known == null ? Set.of() : known.variableWith(numbers);
    if (known == null || !variable.equals(known.variable())) {
      known = make(step, like, affine, numbers, variable);
      made.put(key, known);
    }
    return known;
  }

  private Made make(
      Traced traced, Tensor like, boolean affine, List<Double> numbers, Set<Integer> variable) {
    DType type = like.dtype();
    String signature = traced.signature();
    String reason;
    try {
      JointGraph step = traced.differentiate(type, like.device());
      Tiles ofType = tiles.apply(type);
      var machine = new Machine(ofType.lanes(), op -> kernels.size(op, type));
      var plan = new Plan(step, machine, affine, variable);
      Pointwise.Executable copy = copies.computeIfAbsent(type, this::copy);
      var compiled = loops(plan, type);
      if (copy != null && compiled != null) {
        Dump.write(type, signature, () -> Dump.of(plan));
        return new Made(new Compiled(plan, type, ofType, copy, compiled), "", numbers, variable);
      }
      reason =
          copy == null
              ? "there is no Vector API"
              : "no kernel has the rows " + unknown(plan, type) + ", which it or its gradient uses";
    } catch (Untraced e) {
      reason = String.valueOf(e.getMessage());
    } catch (StackOverflowError e) {
      reason = "so many ops follow one another in it that this thread's stack does not hold them";
    } catch (RuntimeException | LinkageError e) {
      reason = Agreement.notMade("a step", e);
    }
    String why = reason;
    Dump.write(type, signature, () -> why + "\n\n" + signature);
    return new Made(null, reason, numbers, variable);
  }

  /** The programs of a plan, compiled; null if one has a row that cannot be. */
  private @Nullable IdentityHashMap<StageProgram, Pointwise.Executable> loops(
      Plan plan, DType type) {
    var compiled = new IdentityHashMap<StageProgram, Pointwise.Executable>();
    for (StageProgram program : plan.programs()) {
      Pointwise.Executable loop =
          loops.computeIfAbsent(
              new TypedCode(type, program.code()), key -> kernels.pointwise(key.code(), type));
      if (loop == null) {
        return null;
      }
      compiled.put(program, loop);
    }
    return compiled;
  }

  /** The rows of a plan that no program can have. */
  private Set<String> unknown(Plan plan, DType type) {
    Set<String> unknown = new TreeSet<>();
    for (StageProgram program : plan.programs()) {
      for (Pointwise.Instruction instruction : program.code().code()) {
        if (instruction instanceof Pointwise.Apply apply
            && kernels.size(apply.op(), type) == 0
            && apply.op() != Ternary.WHERE
            && !Masks.isLogical(apply.op())) {
          unknown.add(apply.op().label());
        }
      }
    }
    return unknown;
  }
}
