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
import carousel.cuda.launch.Team;
import carousel.cuda.launch.Temporary;
import carousel.cuda.launch.TypedKernels;
import carousel.cuda.launch.View;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.op.Domain;
import carousel.tensor.spi.Memory;
import java.util.Map;
import java.util.stream.Stream;

/** What runs along one axis: softmax and cumulative sums. */
public final class LineLaunches {
  /** A thread by itself takes lines up to this length. */
  private static final int SHORT = 64;

  /** So many neighbouring lines fill a device with a thread each. */
  private static final int MANY = 4096;

  /** The elements of a chunk, where a few long lines are cut: four turns of a block. */
  private static final long CHUNK = 4096;

  /** Chunks of one line at most. */
  private static final long CHUNKS = 4096;

  /** Sums of f32 are F64. */
  private static final int SUM_BYTES = 8;

  private static final Map<DType, Kernel> SOFTMAX = softmaxKernels("softmax");
  private static final Map<DType, Kernel> LOG_SOFTMAX = softmaxKernels("logSoftmax");
  private static final Map<DType, Kernel> CUMSUM =
      cumsumKernels("", POINTER, POINTER, POINTER, POSITIONS_2, I64, I64, I64, I64, I32, POINTER);
  private static final Map<DType, Kernel> TOTALS =
      cumsumKernels("_totals", POINTER, POINTER, POSITIONS_2, I64, I64, I64);
  private static final Map<DType, Kernel> BEFORE = cumsumKernels("_before", POINTER, I32);
  private static final Map<DType, Kernel> SERIAL =
      cumsumKernels("_serial", POINTER, POINTER, POSITIONS_2, I64, I64, I64, I32, POINTER);

  private static final Map<DType, Kernel> LINEAR_SCAN =
      TypedKernels.kernels(
          Domain.NUMERIC::accepts,
          type ->
              new Kernel(
                  "linear_scan.cu",
                  "linearScan_" + TypedKernels.suffix(type),
                  POINTER,
                  POINTER,
                  POINTER,
                  POSITIONS_3,
                  I64,
                  I64,
                  I64,
                  I64,
                  I32,
                  POINTER));

  private final Launcher launcher;
  private final Memory memory;
  private final DeviceErrors errors;

  public LineLaunches(Launcher launcher, Memory memory, DeviceErrors errors) {
    this.launcher = launcher;
    this.memory = memory;
    this.errors = errors;
  }

  private static Map<DType, Kernel> softmaxKernels(String name) {
    return TypedKernels.kernels(
        DType::isFloating,
        type ->
            new Kernel(
                "softmax.cu",
                name + "_" + TypedKernels.suffix(type),
                POINTER,
                POINTER,
                POSITIONS_2,
                I64,
                I64,
                I64,
                I32,
                I32));
  }

  private static Map<DType, Kernel> cumsumKernels(String suffix, ParameterType... parameters) {
    return TypedKernels.kernels(
        Domain.NUMERIC::accepts,
        type ->
            new Kernel("cumsum.cu", "cumsum_" + TypedKernels.suffix(type) + suffix, parameters));
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.of(SOFTMAX, LOG_SOFTMAX, CUMSUM, TOTALS, BEFORE, SERIAL, LINEAR_SCAN)
        .flatMap(types -> types.values().stream());
  }

  public void softmax(boolean log, Tensor x, int axis, Tensor y) {
    if (y.size() == 0) {
      return;
    }
    var lines = Lines.of(View.of(x), View.of(y), axis);
    long count = lines.starts().count();
    var team = Team.of(count, lines.length(), x.dtype().bytes(), lines.dense());
    launcher
        .call(TypedKernels.of(log ? LOG_SOFTMAX : SOFTMAX, x.dtype()))
        .pointer(Engine.address(x))
        .pointer(Engine.address(y))
        .positions(lines.starts())
        .i64(lines.step())
        .i64(lines.targetStep())
        .i64(lines.length())
        .i32(team.lanes())
        .i32(team.rowsFlag())
        .start(team.grid(count));
  }

  public void cumsum(Tensor x, int axis, Tensor y) {
    if (y.size() == 0) {
      return;
    }
    var lines = Lines.of(View.of(x), View.of(y), axis);
    long count = lines.starts().count();
    var found = DeviceErrors.Checked.overflow("cumsum", x.dtype());
    if (lines.length() <= SHORT || (!lines.dense() && count >= MANY)) {
      launcher
          .call(TypedKernels.of(SERIAL, x.dtype()))
          .pointer(Engine.address(x))
          .pointer(Engine.address(y))
          .positions(lines.starts())
          .i64(lines.step())
          .i64(lines.targetStep())
          .i64(lines.length())
          .errors(errors, found)
          .start(launcher.elements(count));
      return;
    }
    int blocks = Math.toIntExact(count);
    long chunk =
        blocks >= MANY
            ? lines.length()
            : Math.ceilDiv(Math.ceilDiv(lines.length(), CHUNKS), CHUNK) * CHUNK;
    int chunks = Math.toIntExact(Math.ceilDiv(lines.length(), chunk));
    var grid = new Grid(blocks, chunks, Grid.THREADS, 0, false);
    try (var before =
        Temporary.of(memory, "cumsum", chunks == 1 ? 0 : count * chunks * SUM_BYTES)) {
      if (chunks > 1) {
        launcher
            .call(TypedKernels.of(TOTALS, x.dtype()))
            .pointer(Engine.address(x))
            .pointer(before.address())
            .positions(lines.starts())
            .i64(lines.step())
            .i64(lines.length())
            .i64(chunk)
            .start(grid);
        launcher
            .call(TypedKernels.of(BEFORE, x.dtype()))
            .pointer(before.address())
            .i32(chunks)
            .start(Grid.of(blocks));
      }
      launcher
          .call(TypedKernels.of(CUMSUM, x.dtype()))
          .pointer(Engine.address(x))
          .pointer(Engine.address(y))
          .pointer(before.address())
          .positions(lines.starts())
          .i64(lines.step())
          .i64(lines.targetStep())
          .i64(lines.length())
          .i64(chunk)
          .errors(errors, found)
          .start(grid);
    }
  }

  /** A thread per line: neighbouring ones, where steps are not the last axis, read side by side. */
  public void linearScan(Tensor a, Tensor b, int axis, Tensor h) {
    if (h.size() == 0) {
      return;
    }
    int[] axes = {axis};
    var result = View.of(h);
    var factor = View.of(a);
    var added = View.of(b);
    var starts =
        Positions.of(result.only(axes, false), factor.only(axes, false), added.only(axes, false));
    launcher
        .call(TypedKernels.of(LINEAR_SCAN, h.dtype()))
        .pointer(Engine.address(a))
        .pointer(Engine.address(b))
        .pointer(Engine.address(h))
        .positions(starts)
        .i64(result.strides()[axis])
        .i64(factor.strides()[axis])
        .i64(added.strides()[axis])
        .i64(h.dim(axis))
        .errors(errors, DeviceErrors.Checked.overflow("linearScan", h.dtype()))
        .start(launcher.elements(starts.count()));
  }
}
