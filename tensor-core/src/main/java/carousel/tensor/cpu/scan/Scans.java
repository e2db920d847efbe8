package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.step.Step;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes kernels of recurrences: a cell's step is traced and differentiated once, planned, and its
 * elementwise parts compiled; cells that compute the same share what is compiled.
 */
public final class Scans {
  /** Of T·N, which are numbered by int. */
  private static final int MOST_ROWS = 1 << 30;

  private final Kernels kernels;
  private final Function<DType, Tiles> tiles;
  private final Map<Object, Map<DType, Made>> ofCells = new WeakHashMap<>();
  private final Map<String, Made> bySignature = new HashMap<>();
  private final Map<DType, Pointwise.Loop> copies = new HashMap<>();

  /** A plan and its loops; without a plan, the cell runs as it is written. */
  private record Made(
      @Nullable Plan plan,
      List<Pointwise.@Nullable Loop> forward,
      List<Pointwise.@Nullable Loop> backward) {
    static final Made NONE = new Made(null, List.of(), List.of());
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

  /** The kernel of a recurrence; null if it has to run as it is written. */
  public synchronized @Nullable Fused of(Scan scan, Tensor... inputs) {
    Tensor x = inputs[0];
    DType type = x.dtype();
    if (!fits(scan, inputs)) {
      return null; // the body says what is wrong, if anything is
    }
    Pointwise.Loop copy = copies.computeIfAbsent(type, this::copy);
    if (copy == null) {
      return null;
    }
    Map<DType, Made> types = ofCells.computeIfAbsent(scan.cell(), cell -> new HashMap<>());
    Made made = types.get(type);
    if (made == null) {
      made = make(scan, inputs);
      types.put(type, made);
    }
    Plan plan = made.plan();
    return plan == null
        ? null
        : new ScanKernel(
            plan, tiles.apply(type), type, copy, made.forward(), made.backward(), scan);
  }

  /** Whether there is something to do, on tensors that go together. */
  private static boolean fits(Scan scan, Tensor... inputs) {
    Tensor x = inputs[0];
    Tensor wx = inputs[1];
    Tensor b = inputs[2];
    if (!x.dtype().isFloating() || x.rank() != 3 || x.size() == 0 || wx.rank() != 2) {
      return false;
    }
    int weights = inputs.length - (scan.ragged() ? 1 : 0);
    for (int i = 0; i < inputs.length; i++) {
      boolean type = i >= weights || inputs[i].dtype() == x.dtype();
      if (!type || !inputs[i].device().equals(x.device())) {
        return false;
      }
    }
    for (int i = 3; i < 3 + scan.states(); i++) {
      if (inputs[i].size() == 0 || inputs[i].dim(0) != x.dim(1)) {
        return false;
      }
    }
    return (long) x.dim(0) * x.dim(1) <= MOST_ROWS
        && wx.dim(0) == x.dim(2)
        && b.rank() == 1
        && b.dim(0) == wx.dim(1);
  }

  private Pointwise.@Nullable Loop copy(DType type) {
    List<Pointwise.Instruction> code = List.of(new Pointwise.Load(0), new Pointwise.Keep(0, 0));
    return kernels.pointwise(new Pointwise(code, List.of(false), 1), type);
  }

  private Made make(Scan scan, Tensor... inputs) {
    Step step = Step.of(scan, inputs);
    if (step == null) {
      return Made.NONE;
    }
    String signature = inputs[0].dtype() + ":" + step.signature();
    Made known = bySignature.get(signature);
    if (known == null) {
      Plan plan = Plan.of(step, op -> kernels.size(op, inputs[0].dtype()));
      var forward = loops(plan.forward, inputs[0].dtype());
      var backward = loops(plan.backward, inputs[0].dtype());
      known = forward == null || backward == null ? Made.NONE : new Made(plan, forward, backward);
      bySignature.put(signature, known);
    }
    return known;
  }

  private @Nullable List<Pointwise.@Nullable Loop> loops(List<Plan.Stage> stages, DType type) {
    List<Pointwise.@Nullable Loop> loops = new ArrayList<>();
    for (Plan.Stage stage : stages) {
      Program program = stage.program();
      Pointwise.Loop loop = program == null ? null : kernels.pointwise(program.code(), type);
      if (program != null && loop == null) {
        return null;
      }
      loops.add(loop);
    }
    return loops;
  }
}
