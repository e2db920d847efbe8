package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;
import static carousel.cuda.launch.ParameterType.POSITIONS_1;
import static carousel.cuda.launch.ParameterType.POSITIONS_2;

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
import carousel.tensor.op.Reduce;
import carousel.tensor.spi.Memory;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Reductions over axes. A few long lines are cut into chunks, whose states a second kernel merges; what
 * the chunks are depends on sizes alone.
 */
public final class ReduceLaunches {
  /** Of the largest state: {@code ThreeSums} of folds.cuh. */
  private static final int STATE_BYTES = 24;

  private static final Map<Reduce, Map<DType, Kernel>> REDUCE = new EnumMap<>(Reduce.class);
  private static final Map<Reduce, Map<DType, Kernel>> CHUNKS = new EnumMap<>(Reduce.class);

  static {
    for (Reduce row : Reduce.values()) {
      REDUCE.put(
          row,
          kernels(
              row,
              "",
              POINTER,
              POINTER,
              POINTER,
              POSITIONS_2,
              POSITIONS_1,
              I32,
              I32,
              I64,
              I32,
              POINTER));
      CHUNKS.put(
          row, kernels(row, "_chunks", POINTER, POINTER, POSITIONS_2, I32, I64, I32, POINTER));
    }
  }

  private final Launcher launcher;
  private final Memory memory;
  private final DeviceErrors errors;

  public ReduceLaunches(Launcher launcher, Memory memory, DeviceErrors errors) {
    this.launcher = launcher;
    this.memory = memory;
    this.errors = errors;
  }

  private static Map<DType, Kernel> kernels(
      Reduce row, String suffix, ParameterType... parameters) {
    return TypedKernels.kernels(
        row.domain()::accepts,
        type -> {
          String symbol = "reduce_" + row.label() + "_" + TypedKernels.suffix(type) + suffix;
          return new Kernel("reduce.cu", symbol, parameters);
        });
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.of(REDUCE, CHUNKS)
        .flatMap(rows -> rows.values().stream())
        .flatMap(types -> types.values().stream());
  }

  public void reduce(Reduce op, Tensor x, int[] axes, Tensor y) {
    if (y.size() == 0) {
      return;
    }
    var all = View.of(x);
    View lines = all.only(axes, false);
    View line = all.only(axes, true);
    var kept = Positions.of(lines, View.of(y));
    var reduced = Positions.of(line);
    int bytes = x.dtype().bytes();
    var team = Team.of(kept.count(), reduced.count(), bytes, line.step() <= lines.step());
    int blocks = team.blocks(kept.count());
    long chunk = team.chunk(kept.count(), reduced.count(), bytes);
    int chunks = Math.toIntExact(Math.max(1, Math.ceilDiv(reduced.count(), chunk)));
    var found = DeviceErrors.Checked.overflow(op.label(), x.dtype());
    long states = chunks == 1 ? 0 : kept.count() * chunks * STATE_BYTES;
    try (var temporary = Temporary.of(memory, op.label(), states)) {
      launcher
          .call(TypedKernels.of(REDUCE, op, x.dtype()))
          .pointer(Engine.address(x))
          .pointer(Engine.address(y))
          .pointer(temporary.address())
          .positions(kept)
          .positions(reduced)
          .i32(team.lanes())
          .i32(team.rowsFlag())
          .i64(chunk)
          .errors(errors, found)
          .start(new Grid(blocks, chunks, Grid.THREADS, 0, false));
      if (chunks > 1) {
        launcher
            .call(TypedKernels.of(CHUNKS, op, x.dtype()))
            .pointer(temporary.address())
            .pointer(Engine.address(y))
            .positions(kept)
            .i32(chunks)
            .i64(reduced.count())
            .errors(errors, found)
            .start(Team.WARP_EACH.grid(kept.count()));
      }
    }
  }
}
