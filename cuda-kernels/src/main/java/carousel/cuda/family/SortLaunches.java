package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;
import static carousel.cuda.launch.ParameterType.POSITIONS_2;

import carousel.cuda.driver.Grid;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.ParameterType;
import carousel.cuda.launch.Temporary;
import carousel.cuda.launch.TypedKernels;
import carousel.cuda.launch.View;
import carousel.tensor.DType;
import carousel.tensor.op.Domain;
import carousel.tensor.spi.Memory;
import java.util.Map;
import java.util.stream.Stream;

/** Stable sorting along one axis. */
public final class SortLaunches {
  /** Items a block sorts, TILE of sort.cu. */
  private static final int TILE = 2048;

  private static final Map<DType, Kernel> TILES =
      kernels(
          "tiles", POINTER, POINTER, POINTER, POINTER, POSITIONS_2, I64, I64, I64, I32, I32, I32);
  private static final Map<DType, Kernel> MERGE = kernels("merge", POINTER, POINTER, I64, I64, I64);
  private static final Map<DType, Kernel> WRITE =
      kernels("write", POINTER, POINTER, POINTER, POINTER, POSITIONS_2, I64, I64, I64);

  private final Launcher launcher;
  private final Memory memory;

  public SortLaunches(Launcher launcher, Memory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  private static Map<DType, Kernel> kernels(String step, ParameterType... parameters) {
    return TypedKernels.kernels(
        Domain.NUMERIC::accepts,
        type ->
            new Kernel("sort.cu", "sort_" + TypedKernels.suffix(type) + "_" + step, parameters));
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.of(TILES, MERGE, WRITE).flatMap(types -> types.values().stream());
  }

  /**
   * Sorts; NaN counts as the greatest value.
   *
   * @param values as x is shaped, of any layout
   * @param indices I32, of the values' layout
   */
  public void sort(View x, int axis, boolean descending, View values, View indices) {
    if (x.count() == 0) {
      return;
    }
    var lines = Lines.of(x, values, axis);
    long items = lines.length() <= TILE ? 0 : x.count() * itemBytes(x.type());
    try (var one = Temporary.of(memory, "sort", items);
        var other = Temporary.of(memory, "sort", items)) {
      tiles(x, lines, descending, values, indices, one.address());
      if (items > 0) {
        long from = one.address();
        long to = other.address();
        for (long run = TILE; run < lines.length(); run *= 2) {
          launcher
              .call(TypedKernels.of(MERGE, x.type()))
              .pointer(from)
              .pointer(to)
              .i64(x.count())
              .i64(lines.length())
              .i64(run)
              .start(launcher.elements(x.count()));
          long sorted = to;
          to = from;
          from = sorted;
        }
        launcher
            .call(TypedKernels.of(WRITE, x.type()))
            .pointer(x.address())
            .pointer(values.address())
            .pointer(indices.address())
            .pointer(from)
            .positions(lines.starts())
            .i64(lines.step())
            .i64(lines.targetStep())
            .i64(lines.length())
            .start(launcher.elements(x.count()));
      }
    }
  }

  /** An item is a key of the element's size and a position, aligned. */
  private static int itemBytes(DType type) {
    return 2 * type.bytes();
  }

  private void tiles(
      View x, Lines lines, boolean descending, View values, View indices, long items) {
    int padded = (int) Math.min(TILE, Long.highestOneBit(Math.max(1, 2 * lines.length() - 1)));
    int perBlock = Math.max(1, TILE / 2 / padded);
    long tiles = lines.starts().count() * Math.ceilDiv(lines.length(), padded);
    launcher
        .call(TypedKernels.of(TILES, x.type()))
        .pointer(x.address())
        .pointer(values.address())
        .pointer(indices.address())
        .pointer(items)
        .positions(lines.starts())
        .i64(lines.step())
        .i64(lines.targetStep())
        .i64(lines.length())
        .i32(padded)
        .i32(perBlock)
        .i32(descending ? 1 : 0)
        .start(Grid.of(Math.toIntExact(Math.ceilDiv(tiles, perBlock))));
  }
}
