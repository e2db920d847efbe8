package carousel.tensor.cpu.scan;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import carousel.tensor.trace.ScanTrace;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The kernel of a step, and its inputs.
 *
 * @param fused the kernel
 * @param inputs what it is given
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Kernel(Fused fused, Tensor[] inputs) {
  /** The kernel of a step, made in the innermost scope. */
  static Kernel of(
      Scan.Step step, Scan.Input input, List<Tensor> states, int steps, @Nullable Tensor lengths) {
    Composite.Body none =
        in -> {
          throw new AssertionError("there is a kernel");
        };
    var given = new Scan.Given(List.of(input), states, lengths, steps, states.getFirst().dim(0));
    Scan.Call call = ScanTrace.of(step, given, TensorScope.current());
    Tensor[] inputs = call.inputs().toArray(new Tensor[0]);
    var scan = new Scan(call.step(), none, call.places(), steps, states.getFirst().dim(0), false);
    return new Kernel(Objects.requireNonNull(new Composite("scan", scan).fused(inputs)), inputs);
  }
}
