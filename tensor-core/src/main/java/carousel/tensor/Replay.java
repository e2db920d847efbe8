package carousel.tensor;

import carousel.tensor.op.Interpreter;
import carousel.tensor.spi.Recorder;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Code that is run again and again on the same tensors, such as a step of training: recorded once,
 * then repeated by the device without asking for each op. On a GPU a run is the launch of one CUDA
 * graph; on a device that records nothing, such as the CPU, it is a run of the code.
 *
 * <pre>{@code
 * Tensor x = Tensor.zeros(T, B, D), y = Tensor.zeros(B);
 * try (var step = Replay.of(() -> {
 *   var gradients = Grad.of(() -> model.loss(x, y), model.parameters());
 *   adam.step(gradients.clipNorm(5));
 *   return gradients.value();
 * })) {
 *   for (var batch : batches) {
 *     x.assign(batch.x());
 *     y.assign(batch.y());
 *     Tensor loss = step.run();
 *   }
 * }
 * }</pre>
 *
 * <p>The first run is one of the code, the second records it; the results of all are those of the code.
 * Random streams go on from run to run, and so do the steps and the learning rate of an optimiser whose
 * rule is elementwise. Everything else that Java computes in the code is what it was when recorded:
 * numbers, shapes, decisions. So whatever changes from run to run comes in tensors made outside, by
 * {@link Tensor#assign}; the code reads no values, takes none from arrays or other devices, and keeps no
 * tensor but by assigning to one made outside. What does not hold to that is an error of the second run,
 * which then has changed no tensor. The tensors that the code uses stay open as long as it is run.
 *
 * <p>What it needs of the device's memory stays reserved until it is closed. One thread uses it.
 */
public final class Replay implements AutoCloseable {
  private final Supplier<Tensor> code;
  private final TensorScope owner = TensorScope.current();
  private final Recording recording = new Recording();
  private @Nullable Tensor result;
  private Recorder.@Nullable Recorded recorded;
  private boolean closed;

  private Replay(Supplier<Tensor> code) {
    this.code = code;
  }

  /**
   * A replay of code, on the device of the innermost scope; the result belongs to that scope.
   *
   * @param code what is run, in a scope of its own; returns the result
   * @return the replay, nothing run yet
   */
  public static Replay of(Supplier<Tensor> code) {
    return new Replay(code);
  }

  /**
   * Runs the code, or repeats it.
   *
   * @return what the code returned; always the same tensor, which the next run overwrites
   * @throws TensorException if this is closed, on a tape, a tensor that the code uses was closed, or the code cannot
   *     be repeated
   */
  public Tensor run() {
    if (closed) {
      throw new TensorException("replay: it is closed");
    }
    if (Interpreter.current() != Interpreter.EAGER) {
      throw new TensorException(
          "replay: a run is not differentiated; take gradients within its code");
    }
    Recorder recorder = owner.device().backend().recorder();
    Recorder.Recorded known = recorded;
    if (result == null || recorder == null || Recording.current() != null) {
      return runCode();
    }
    if (known == null) {
      known = recording.record(() -> recorder.record(this::runCode));
      recorded = known;
    } else {
      recording.nextRun();
    }
    known.run();
    return result;
  }

  private Tensor runCode() {
    try (var scope = TensorScope.open(owner.device())) {
      Tensor value = code.get();
      Tensor known = result;
      if (known == null) {
        known = owner.adopt(value.detach().copy());
        result = known;
      } else {
        requireSame(known, value);
        known.assign(value);
      }
      return known;
    }
  }

  /** An assignment would broadcast it. */
  private static void requireSame(Tensor known, Tensor value) {
    if (value.dtype() != known.dtype() || !value.shape().equals(known.shape())) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "replay: the code returned %s %s after %s %s; each run gives the same tensor, so type"
                  + " and shape must stay",
              value.dtype(),
              value.shape(),
              known.dtype(),
              known.shape()));
    }
  }

  /** Gives the memory back that the repeated work needs; the result stays. */
  @Override
  public void close() {
    closed = true;
    if (recorded != null) {
      recorded.close();
      recorded = null;
    }
  }
}
