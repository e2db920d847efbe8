package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What a step of a cell computes besides products, for those who scan by hand: as one pass where
 * composites are fused, and op by op.
 */
public class GatesBenchmark extends Measured {
  private static final String OFF = "-Dcarousel.fused=off";

  /** The cell. */
  @Param({"lstm", "peephole", "gru_after"})
  public String cell = "";

  /** N×H. */
  @Param({"20x650", "20x64"})
  public String shape = "";

  /** A composite, and what a step gave it. */
  private record Use(Composite composite, Tensor[] inputs) {}

  private TensorScope run;
  private Composite gates;
  private Tensor[] inputs;
  private Tensor cotangent;

  /** Runs a step, and notes what is given to its gates. */
  @Setup
  public void open() {
    run = TensorScope.open();
    int rows = Integer.parseInt(shape.substring(0, shape.indexOf('x')));
    int units = Integer.parseInt(shape.substring(shape.indexOf('x') + 1));
    var random = Philox.of(1);
    Cell<?> made = Cells.of(cell.replace('_', '-'), 8, units, Init.uniform(0.1), random);
    List<Use> uses = new ArrayList<>();
    Interpreter watch =
        (op, in) -> {
          if (op instanceof Composite composite) {
            uses.add(new Use(composite, in.clone()));
          }
          return Interpreter.EAGER.apply(op, in);
        };
    Tensor x = random.normal(DType.F32, 0, 1, 1, rows, 8);
    watch.run(() -> HandScan.run(made, x));
    gates = uses.getLast().composite();
    inputs = uses.getLast().inputs();
    cotangent = random.normal(DType.F32, 0, 1, rows, units);
  }

  /** Frees everything. */
  @TearDown
  public void close() {
    run.close();
  }

  private long apply() {
    try (var step = TensorScope.openUnwatched()) {
      return Op.applyAll(gates, inputs).length;
    }
  }

  private long pull() {
    try (var step = TensorScope.openUnwatched();
        var pullback = Grad.vjp(() -> Op.applyAll(gates, inputs)[0], inputs)) {
      return pullback.pull(cotangent).size();
    }
  }

  /** Forward, in one pass. */
  @Benchmark
  public long forward() {
    return apply();
  }

  /** Forward, op by op. */
  @Benchmark
  @Fork(value = 1, jvmArgsAppend = OFF)
  public long forwardByOps() {
    return apply();
  }

  /** Forward and backward, in one pass each. */
  @Benchmark
  public long gradient() {
    return pull();
  }

  /** Forward and backward, op by op. */
  @Benchmark
  @Fork(value = 1, jvmArgsAppend = OFF)
  public long gradientByOps() {
    return pull();
  }
}
