package carousel.tensor.cpu;

import static carousel.tensor.op.LayerComposites.NO_TARGET;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.spi.Fused;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * {@link LayerComposites#CROSS_ENTROPY}: {@code (logits [N,V], targets [N]) → losses [N]}, {@code loss = ln Σ e^x −
 * x[target]}, 0 where there is no target; {@code d logits = g (softmax(x) − onehot(target))}, at the target
 * by what the other classes have: 1 less a share near 1 would be rounded.
 *
 * <p>Keeps {@code max x}, {@code Σ e^(x − max)} and the same without the target of every row in double
 * precision, and nothing of the logits' size. A row stays in the nearest caches between its passes.
 */
final class CrossEntropyKernel implements Fused {
  /** Numbers that are kept of a row. */
  private static final int KEPT = 3;

  private final Table table;

  CrossEntropyKernel(Table table) {
    this.table = table;
  }

  /** This, for dense rows of at least one class and dense targets; everything else is the body's. */
  @Nullable Fused offer(Tensor[] inputs) {
    Tensor logits = inputs[0];
    Tensor targets = inputs[1];
    boolean takes =
        logits.dtype().isFloating()
            && logits.rank() == 2
            && logits.dim(1) > 0
            && Engine.layout(logits).isContiguous()
            && targets.dtype() == DType.I32
            && targets.shape().equals(Shape.of(logits.dim(0)))
            && Engine.layout(targets).isContiguous()
            && within(targets, logits.dim(1));
    return takes ? this : null;
  }

  /** Whether all targets are classes or none. */
  private static boolean within(Tensor targets, int classes) {
    long at = Engine.address(targets);
    for (int i = 0; i < targets.dim(0); i++) {
      int target = Bytes.i32(at + 4L * i);
      if (target != NO_TARGET && (target < 0 || target >= classes)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public Result forward(Tensor[] inputs) {
    Tensor logits = inputs[0];
    DType type = logits.dtype();
    var element = Element.of(type);
    int rows = logits.dim(0);
    int classes = logits.dim(1);
    Tensor losses = Engine.empty("cross_entropy", logits.device(), type, Shape.of(rows));
    Tensor sums = Engine.empty("cross_entropy", logits.device(), DType.F64, Shape.of(rows, KEPT));
    long x = Engine.address(logits);
    long at = Engine.address(inputs[1]);
    long y = Engine.address(losses);
    long kept = Engine.address(sums);
    var powers = new Powers(table, type);
    each(
        rows,
        classes,
        row -> {
          long from = x + (long) row * classes * element.size();
          int target = Bytes.i32(at + 4L * row);
          double loss = 0;
          if (target != NO_TARGET) {
            double greatest = powers.max(from, classes);
            double sum = powers.run(from, classes, greatest, 1, 0);
            double below = greatest - element.get(from + (long) target * element.size());
            double others = powers.others(from, classes, greatest, sum, target, Math.exp(-below));
            Bytes.f64(kept + 8L * KEPT * row, greatest);
            Bytes.f64(kept + 8L * KEPT * row + 8, sum);
            Bytes.f64(kept + 8L * KEPT * row + 16, others);
            // Not (max + ln Σ) − x: that would round away a small loss beside a large maximum.
            loss = below == 0 ? Math.log1p(others) : below + Math.log(sum);
          }
          element.set(y + (long) row * element.size(), loss);
        });
    return new Result(new Tensor[] {losses}, new Tensor[] {sums});
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    Tensor logits = inputs[0];
    Tensor g = cotangents[0];
    @Nullable Tensor[] gradients = new Tensor[2];
    if (!wanted[0] || g == null) {
      return gradients;
    }
    DType type = logits.dtype();
    var element = Element.of(type);
    int rows = logits.dim(0);
    int classes = logits.dim(1);
    Tensor gradient = Engine.empty("cross_entropy", logits.device(), type, logits.shape());
    gradients[0] = gradient;
    long x = Engine.address(logits);
    long at = Engine.address(inputs[1]);
    long dx = Engine.address(gradient);
    long kept = Engine.address(result.saved()[0]);
    var cotangent = Strided.of(g);
    var powers = new Powers(table, type);
    each(
        rows,
        classes,
        row -> {
          long offset = (long) row * classes * element.size();
          long into = dx + offset;
          int target = Bytes.i32(at + 4L * row);
          double flow = target == NO_TARGET ? 0 : element.get(cotangent.row(row, 1));
          if (flow == 0) {
            // Also of a row that holds NaN.
            Bytes.clear(into, (long) classes * element.size());
            return;
          }
          double scale = flow / Bytes.f64(kept + 8L * KEPT * row + 8);
          powers.run(x + offset, classes, Bytes.f64(kept + 8L * KEPT * row), scale, into);
          element.set(
              into + (long) target * element.size(),
              -scale * Bytes.f64(kept + 8L * KEPT * row + 16));
        });
    return gradients;
  }

  /** Visits rows, several per task, which share nothing. */
  private static void each(int rows, int classes, IntConsumer body) {
    int perTask = Math.max(1, Table.COSTLY / classes);
    Workers.parallel(
        Math.ceilDiv(rows, perTask),
        task -> {
          for (int row = task * perTask; row < Math.min(rows, (task + 1) * perTask); row++) {
            body.accept(row);
          }
        });
  }
}
