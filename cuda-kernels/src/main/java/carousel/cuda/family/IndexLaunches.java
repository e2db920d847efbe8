package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;
import static carousel.cuda.launch.ParameterType.POSITIONS_2;
import static carousel.cuda.launch.ParameterType.POSITIONS_3;

import carousel.cuda.driver.Grid;
import carousel.cuda.launch.DeviceErrors;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.ParameterType;
import carousel.cuda.launch.Positions;
import carousel.cuda.launch.Temporary;
import carousel.cuda.launch.TypedKernels;
import carousel.cuda.launch.View;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.op.Domain;
import carousel.tensor.spi.Memory;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Gathers, scatters, selections and additions by index. Sums are in the order of the index, whatever the
 * device: where a line has too many elements for one thread, its index is sorted first.
 */
public final class IndexLaunches {
  /** A thread by itself takes lines up to this length, or longer ones if there are many. */
  private static final int SHORT = 64;

  private static final int MANY = 16_384;

  /** But no longer than this: it rounds a place at every addition. */
  private static final int LONGEST = 1024;

  /** Threads of a block that must have something to do. */
  private static final int BUSY = 32;

  private static final int MOST_BLOCKS = 65_535;

  private static final TreeMap<Integer, Kernel> GATHER =
      Stream.of(1, 4, 8, 16)
          .collect(
              Collectors.toMap(
                  bytes -> bytes, IndexLaunches::gatherKernel, (a, b) -> a, TreeMap::new));
  private static final Map<DType, Kernel> LINES =
      kernels(
          Domain.FLOATING,
          "scatterAdd",
          "_lines",
          POINTER,
          POINTER,
          POINTER,
          POSITIONS_3,
          I64,
          I64,
          I64,
          I64,
          I32,
          I32,
          POINTER);
  private static final Map<DType, Kernel> SORTED =
      kernels(
          Domain.NUMERIC,
          "scatterAdd",
          "_sorted",
          POINTER,
          POINTER,
          POINTER,
          POINTER,
          POSITIONS_3,
          I64,
          I64,
          I64,
          I32,
          I32,
          POINTER);
  private static final Map<DType, Kernel> SLICES =
      kernels(
          Domain.NUMERIC,
          "indexAdd",
          "",
          POINTER,
          POINTER,
          POINTER,
          POINTER,
          POSITIONS_2,
          I64,
          I64,
          I32,
          I32,
          I32,
          POINTER);

  private final Launcher launcher;
  private final Memory memory;
  private final SortLaunches sorting;
  private final DeviceErrors errors;

  public IndexLaunches(
      Launcher launcher, Memory memory, SortLaunches sorting, DeviceErrors errors) {
    this.launcher = launcher;
    this.memory = memory;
    this.sorting = sorting;
    this.errors = errors;
  }

  private static Kernel gatherKernel(int bytes) {
    return new Kernel(
        "index.cu",
        "gather_" + bytes,
        POINTER,
        POINTER,
        POINTER,
        POSITIONS_3,
        I64,
        I32,
        I32,
        POINTER);
  }

  private static Map<DType, Kernel> kernels(
      Domain domain, String op, String suffix, ParameterType... parameters) {
    return TypedKernels.kernels(
        domain::accepts,
        type -> new Kernel("index.cu", op + "_" + TypedKernels.suffix(type) + suffix, parameters));
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.concat(
        GATHER.values().stream(),
        Stream.of(LINES, SORTED, SLICES).flatMap(types -> types.values().stream()));
  }

  public void gather(Tensor x, int axis, Tensor index, Tensor y) {
    var target = View.of(y);
    View source = View.of(x).shaped(target.dims()).repeated(axis);
    long step = Engine.layout(x).strides()[axis];
    gather(
        DeviceErrors.Checked.GATHER,
        source,
        View.of(index),
        target,
        step,
        x.dim(axis),
        y.dtype().bytes());
  }

  public void select(Tensor x, Tensor index, Tensor y) {
    var target = View.of(y);
    View source = View.of(x).shaped(target.dims()).repeated(1);
    long step = Engine.layout(x).strides()[1];
    int unit = y.dtype().bytes();
    // As many elements of a slice at once as one thread moves, if that is possible everywhere.
    int bytes =
        GATHER.descendingKeySet().stream()
            .filter(b -> b >= unit && target.moves(b, step) && source.moves(b, step))
            .findFirst()
            .orElse(unit);
    int by = bytes / unit;
    gather(
        DeviceErrors.Checked.INDEX_SELECT,
        source.inUnits(by),
        View.of(index).between(y.dim(0), y.dim(2) / by),
        target.inUnits(by),
        step / by,
        x.dim(1),
        bytes);
  }

  private void gather(
      DeviceErrors.Checked op, View x, View index, View y, long step, int size, int bytes) {
    if (y.count() == 0) {
      return;
    }
    var at = Positions.of(y, index, x);
    launcher
        .call(Objects.requireNonNull(GATHER.get(bytes), "elements have such sizes"))
        .pointer(x.address())
        .pointer(index.address())
        .pointer(y.address())
        .positions(at)
        .i64(step)
        .i32(size)
        .errors(errors, op)
        .start(launcher.elements(y.count()));
  }

  public void scatterAdd(Tensor y, int axis, Tensor index, Tensor source) {
    var at = View.of(index);
    if (at.count() == 0) {
      return;
    }
    int[] axes = {axis};
    var to = View.of(y);
    var from = View.of(source);
    View toStarts = to.shaped(at.dims()).only(axes, false);
    View fromStarts = from.only(axes, false);
    int n = at.dims()[axis];
    long lines = at.count() / n;
    if (LINES.containsKey(y.dtype()) && (n <= SHORT || (n <= LONGEST && lines >= MANY))) {
      launcher
          .call(TypedKernels.of(LINES, y.dtype()))
          .pointer(Engine.address(y))
          .pointer(Engine.address(index))
          .pointer(Engine.address(source))
          .positions(Positions.of(at.only(axes, false), toStarts, fromStarts))
          .i64(at.strides()[axis])
          .i64(to.strides()[axis])
          .i64(from.strides()[axis])
          .i64(n)
          .i32(y.dim(axis))
          .errors(errors, DeviceErrors.Checked.SCATTER_ADD)
          .start(launcher.elements(lines));
      return;
    }
    try (var sorted = Temporary.of(memory, "scatterAdd", at.bytes());
        var origins = Temporary.of(memory, "scatterAdd", at.bytes())) {
      var order = View.lines(sorted.address(), DType.I32, at.dims(), axis);
      sorting.sort(at, axis, false, order, order.moved(origins.address()));
      addSorted(
          DeviceErrors.Checked.SCATTER_ADD,
          y,
          axis,
          order.address(),
          origins.address(),
          source,
          Positions.of(order.only(axes, false), toStarts, fromStarts),
          n);
    }
  }

  private void addSorted(
      DeviceErrors.Checked op,
      Tensor y,
      int axis,
      long sorted,
      long origins,
      Tensor source,
      Positions lines,
      int n) {
    launcher
        .call(TypedKernels.of(SORTED, y.dtype()))
        .pointer(Engine.address(y))
        .pointer(sorted)
        .pointer(origins)
        .pointer(Engine.address(source))
        .positions(lines)
        .i64(Engine.layout(y).strides()[axis])
        .i64(Engine.layout(source).strides()[axis])
        .i64(n)
        .i32(y.dim(axis))
        .errors(errors, op)
        .start(launcher.elements(lines.count() * n));
  }

  public void add(Tensor y, Tensor index, Tensor source) {
    int n = index.dim(0);
    if (source.size() == 0) {
      return;
    }
    try (var sorted = Temporary.of(memory, "indexAdd", 4L * n);
        var origins = Temporary.of(memory, "indexAdd", 4L * n)) {
      var order = View.dense(sorted.address(), DType.I32, n);
      sorting.sort(View.of(index), 0, false, order, order.moved(origins.address()));
      int[] axes = {1};
      View to = View.of(y).only(axes, false);
      View from = View.of(source).only(axes, false);
      if (to.count() < BUSY) {
        View one = order.between(y.dim(0), y.dim(2)).only(axes, false);
        var lines = Positions.of(one, to, from);
        addSorted(
            DeviceErrors.Checked.INDEX_ADD,
            y,
            1,
            order.address(),
            origins.address(),
            source,
            lines,
            n);
        return;
      }
      Grid across = launcher.elements(to.count());
      launcher
          .call(TypedKernels.of(SLICES, y.dtype()))
          .pointer(Engine.address(y))
          .pointer(order.address())
          .pointer(origins.address())
          .pointer(Engine.address(source))
          .positions(Positions.of(to, from))
          .i64(Engine.layout(y).strides()[1])
          .i64(Engine.layout(source).strides()[1])
          .i32(n)
          .i32(y.dim(1))
          .errors(errors, DeviceErrors.Checked.INDEX_ADD)
          .start(new Grid(across.x(), Math.min(n, MOST_BLOCKS), Grid.THREADS, 0, false));
    }
  }
}
