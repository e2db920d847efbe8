package carousel.cuda.scan;

import carousel.cuda.driver.BatchedGemm;
import carousel.cuda.driver.BatchedGemm.Matrix;
import carousel.cuda.launch.Launcher;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Scan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One run of a scan, there or back: its sizes, its inputs as dense tensors, and what both ways do. */
final class CellScanCall {
  private static final int ROOM = 4096;

  static final int MOST_VECTORS = 3; // as in cells.cuh

  final Launcher launcher;
  final CellScanRoles roles;
  final RecurrentCell cell;
  final CellScanPlan.Sizes sizes;
  final CellScanType type;
  final int steps;
  final int rows;
  final int columns;
  final int hidden;
  final int lead;
  final boolean reverse;

  /** The address of lengths, 0 without. */
  final long lengths;

  private final Tensor[] given;
  private final Map<Integer, Tensor> dense = new HashMap<>();
  private final long wn;
  private final long[] vectors = new long[MOST_VECTORS];

  CellScanCall(Launcher launcher, CellScanRoles roles, Scan scan, Tensor... given) {
    this.launcher = launcher;
    this.roles = roles;
    this.given = given;
    cell = roles.cell();
    Tensor h = state(0);
    type = CellScanType.of(h.dtype(), launcher.driver().precision());
    steps = scan.steps();
    rows = h.dim(0);
    hidden = h.dim(1);
    columns = cell.gates() * hidden;
    sizes = new CellScanPlan.Sizes(cell, rows, hidden, type);
    lead = sizes.lead();
    reverse = scan.reverse();
    lengths = roles.lengths() < 0 ? 0 : Engine.address(dense(roles.lengths()));
    wn = sideBySide();
    for (CellWeight weight : cell.weights()) {
      if (weight.isVector()) {
        vectors[cell.vectorNames().indexOf(weight.name())] =
            roles.has(weight) ? Engine.address(weight(weight.name())) : zeros(hidden);
      }
    }
  }

  /** An input of the composite, dense. */
  private Tensor dense(int place) {
    return dense.computeIfAbsent(place, at -> dense(given[at]));
  }

  /** An initial state as it was given: it is copied to its place anyway. */
  Tensor state(int k) {
    return given[roles.state(k)];
  }

  /** Of an affine input, {@code [T,N,D]}. */
  Tensor x() {
    return dense(Scan.Inputs.X);
  }

  /** Of an affine input, {@code [D,G·H]}. */
  Tensor wx() {
    return dense(Scan.Inputs.WX);
  }

  /** An input that is no product, as it was given: it is copied to its place anyway. */
  Tensor z() {
    return given[roles.sequence()];
  }

  /** What is added to the input's products: zeros beside an input that is none. */
  long bias() {
    return roles.isAffine() ? Engine.address(dense(Scan.Inputs.B)) : zeros(columns);
  }

  private long zeros(int count) {
    Tensor zeros = empty(count);
    launcher.driver().set(Engine.address(zeros), (byte) 0, zeros.size() * type.bytes());
    return Engine.address(zeros);
  }

  /** One of the cell's weights, by its name. */
  Tensor weight(String name) {
    return dense(roles.weight(name));
  }

  long wh() {
    return Engine.address(weight(CellSteps.WH));
  }

  /** The matrices of the second product in a step, side by side; 0 without. */
  long wn() {
    return wn;
  }

  private long sideBySide() {
    List<String> names = cell.matrixNames();
    if (names.size() < 2) {
      return names.isEmpty() ? 0 : Engine.address(weight(names.getFirst()));
    }
    Tensor all = empty(hidden, names.size() * hidden);
    for (int i = 0; i < names.size(); i++) {
      Tensor block = Engine.over(all, Engine.layout(all).slice(1, i * hidden, 1, hidden));
      all.device().backend().copy(given[roles.weight(names.get(i))], block);
    }
    return Engine.address(all);
  }

  /** Which of the T + 1 states a step starts from. */
  int before(int t) {
    return reverse ? t + 1 : t;
  }

  /** Which of them it ends with. */
  int after(int t) {
    return reverse ? t : t + 1;
  }

  /** The time of the k-th step. */
  int time(int k) {
    return reverse ? steps - 1 - k : k;
  }

  /** One of the T + 1 states {@code [N,H]} in a tensor of all of them. */
  Tensor state(Tensor states, int slot) {
    return Engine.over(states, Engine.layout(states).select(0, slot).slice(1, 0, 1, hidden));
  }

  /** The address of an element, in elements from a tensor's first. */
  long at(Tensor tensor, long element) {
    return Engine.address(tensor) + element * type.bytes();
  }

  Tensor empty(int... dims) {
    return Engine.empty("scan", state(0).device(), type.numbers(), Shape.of(dims));
  }

  /** States of all times, with zeros where rows are longer than H: these meet weights of 0. */
  Tensor states(int count) {
    Tensor states = empty(count, rows, lead);
    if (lead > hidden) {
      launcher.driver().set(Engine.address(states), (byte) 0, states.size() * type.bytes());
    }
    return states;
  }

  /** The address of room, in the current scope; 0 for none. */
  long room(long bytes) {
    if (bytes == 0) {
      return 0;
    }
    int rows = Math.toIntExact(Math.ceilDiv(bytes, (long) ROOM * type.bytes()));
    return Engine.address(empty(rows, ROOM));
  }

  /** Where blocks hand each other rounded states, in two rounds; 0 if they read those there are. */
  long rounded() {
    if (!type.narrows()) {
      return 0;
    }
    long bytes = 2L * rows * lead * type.storedBytes();
    long address = room(bytes);
    launcher.driver().set(address, (byte) 0, bytes);
    return address;
  }

  /** A counter for a barrier of the grid. */
  long barrier() {
    Tensor counter = Engine.empty("scan", state(0).device(), DType.I32, Shape.of(1));
    launcher.driver().set(Engine.address(counter), (byte) 0, counter.dtype().bytes());
    return Engine.address(counter);
  }

  static Tensor dense(Tensor tensor) {
    if (Engine.layout(tensor).isContiguous()) {
      return tensor;
    }
    Tensor copy = Engine.empty("scan", tensor.device(), tensor.dtype(), tensor.shape());
    tensor.device().backend().copy(tensor, copy);
    return copy;
  }

  static long address(@Nullable Tensor tensor) {
    return tensor == null ? 0 : Engine.address(tensor);
  }

  /** Begins a call of one of the cell's kernels. */
  Launcher.Call kernel(RecurrentKernels.Kind kind) {
    return launcher.call(RecurrentKernels.of(kind, cell, type));
  }

  Launcher.Call vectors(Launcher.Call call) {
    for (long vector : vectors) {
      call.pointer(vector);
    }
    return call;
  }

  Launcher.Call numbers(Launcher.Call call) {
    return call.i32(steps).i32(rows).i32(hidden).i32(lead).i32(reverse ? 1 : 0);
  }

  /** {@code y [m,n] = a · b}, or adds to y. */
  void multiply(int m, int n, int k, Matrix a, Matrix b, Matrix y, boolean add) {
    launcher.driver().gemm(new BatchedGemm(type.numbers(), m, n, k, a, b, y, add ? 1 : 0, 1));
  }
}
