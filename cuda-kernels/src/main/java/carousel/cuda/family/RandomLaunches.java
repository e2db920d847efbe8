package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;

import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.TypedKernels;
import carousel.cuda.replay.CudaRecording;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Chance;
import carousel.tensor.op.Distribution;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Random numbers: element i is {@link Distribution#sample} of i, whoever computes it. */
public final class RandomLaunches {
  private static final Map<Distribution, Map<DType, Kernel>> FILL =
      new EnumMap<>(Distribution.class);
  private static final Kernel BERNOULLI =
      new Kernel("random.cu", "random_bernoulli", I64, I64, POINTER, I64, I64, POINTER, I64);

  private static final int PER_BLOCK = 4;

  static {
    for (Distribution d : Distribution.values()) {
      FILL.put(d, TypedKernels.kernels(DType::isFloating, type -> fillKernel(d, type)));
    }
  }

  private final Launcher launcher;

  public RandomLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  private static Kernel fillKernel(Distribution d, DType type) {
    String symbol = "random_" + d.name().toLowerCase(Locale.ROOT) + "_" + TypedKernels.suffix(type);
    return new Kernel("random.cu", symbol, I64, I64, POINTER, POINTER, I64);
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.concat(
        Stream.of(BERNOULLI), FILL.values().stream().flatMap(types -> types.values().stream()));
  }

  /** Where to draw from: a number now, or a word that changes from run to run of a replay. */
  private Launcher.Call from(Launcher.Call call, Philox.Draw draw) {
    CudaRecording recording = launcher.recording();
    long[] first = {draw.counter()};
    long moved = recording == null ? 0 : recording.words(first, () -> new long[] {draw.counter()});
    return call.i64(draw.seed()).i64(draw.counter()).pointer(moved);
  }

  public void fill(Distribution distribution, Philox.Draw draw, Tensor y) {
    if (y.size() > 0) {
      from(launcher.call(TypedKernels.of(FILL, distribution, y.dtype())), draw)
          .pointer(Engine.address(y))
          .i64(y.size())
          .start(launcher.elements(distribution.blocks(y.dtype(), y.size())));
    }
  }

  /** {@code y_i = 1} where a {@link Chance} hits, else 0. */
  public void below(double probability, Philox.Draw draw, Tensor y) {
    if (y.size() > 0) {
      var chance = Chance.of(probability);
      from(launcher.call(BERNOULLI), draw)
          .i64(chance.upper())
          .i64(chance.lower())
          .pointer(Engine.address(y))
          .i64(y.size())
          .start(launcher.elements(Math.ceilDiv(y.size(), PER_BLOCK)));
    }
  }
}
