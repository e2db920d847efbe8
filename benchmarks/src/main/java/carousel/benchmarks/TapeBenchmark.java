package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.autograd.Pullback;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What the tape costs, per op, on scalars: a chain of products run at once, recorded, and recorded
 * and pulled back. {@code recorded − eager} is the cost of recording one op.
 */
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TapeBenchmark extends Measured {
  private static final int OPS = 100;

  private TensorScope run;
  private Tensor x;

  /** Makes the operand. */
  @Setup
  public void open() {
    run = TensorScope.open();
    x = Tensor.full(DType.F32, 1, 1);
  }

  /** Frees it. */
  @TearDown
  public void close() {
    run.close();
  }

  private Tensor chain() {
    Tensor y = x;
    for (int i = 0; i < OPS; i++) {
      y = y.mul(x);
    }
    return y;
  }

  /** Runs the chain. */
  @Benchmark
  @OperationsPerInvocation(OPS)
  public long eager() {
    try (var step = TensorScope.openUnwatched()) {
      return chain().size();
    }
  }

  /** Runs and records it. */
  @Benchmark
  @OperationsPerInvocation(OPS)
  public long recorded() {
    try (var step = TensorScope.openUnwatched();
        Pullback pullback = Grad.vjp(this::chain, x)) {
      return pullback.value().size();
    }
  }

  /** Runs, records and pulls back: per op, two products and a sum more. */
  @Benchmark
  @OperationsPerInvocation(OPS)
  public long gradient() {
    try (var step = TensorScope.openUnwatched()) {
      return Grad.of(this::chain, x).size();
    }
  }
}
