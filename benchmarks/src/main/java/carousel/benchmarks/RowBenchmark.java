package carousel.benchmarks;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Nanoseconds per element of elementwise rows in the nearest cache, on one thread: on the Vector API,
 * and as their scalar definitions.
 */
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RowBenchmark extends Measured {
  private static final int SIZE = 8192;

  /** A row of one operand, or of two. */
  @Param({
    "EXP",
    "EXPM1",
    "LOG",
    "LOG1P",
    "SIN",
    "COS",
    "TAN",
    "TANH",
    "SIGMOID",
    "SOFTPLUS",
    "SILU",
    "GELU",
    "ERF",
    "POW",
    "ELU"
  })
  public String row = "";

  /** The type of operands and results. */
  @Param({"F32", "F64"})
  public DType type = DType.F32;

  private TensorScope run;
  private Op op;
  private Tensor[] operands;

  /** Fills the operands: positive ones, for all rows to give numbers. */
  @Setup
  public void open() {
    run = TensorScope.openUnwatched();
    var random = Philox.of(1);
    boolean binary = row.equals("POW") || row.equals("ELU");
    op = binary ? Binary.valueOf(row) : Unary.valueOf(row);
    operands = new Tensor[binary ? 2 : 1];
    for (int i = 0; i < operands.length; i++) {
      operands[i] = random.uniform(type, op == Binary.ELU && i == 0 ? -4 : 0, 4, SIZE);
    }
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  /** As it comes. */
  @Benchmark
  @OperationsPerInvocation(SIZE)
  public Tensor vector() {
    try (var step = TensorScope.openUnwatched()) {
      return Op.apply(op, operands);
    }
  }

  /** Without the Vector API. */
  @Benchmark
  @OperationsPerInvocation(SIZE)
  @Fork(value = 1, jvmArgsAppend = "-Dcarousel.vector=off")
  public Tensor scalar() {
    try (var step = TensorScope.openUnwatched()) {
      return Op.apply(op, operands);
    }
  }
}
