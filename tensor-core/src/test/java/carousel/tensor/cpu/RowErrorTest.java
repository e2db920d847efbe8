package carousel.tensor.cpu;

import static java.lang.Double.NaN;
import static java.lang.Double.isNaN;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;
import carousel.tensor.reference.ReferenceBackend;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The errors that the vector bodies state, over all magnitudes: in units in the last place of the
 * definition's result, which is itself half a unit (f32) or one (f64) from the truth.
 */
class RowErrorTest {
  private static final int SIZE = 10_000;

  private final ReferenceBackend reference = new ReferenceBackend();
  private final SplittableRandom random = new SplittableRandom(5);

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void unary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (Unary op : Unary.values()) {
        double bound = bound(op, type);
        if (!isNaN(bound)) {
          each(
              type,
              x -> {
                Tensor got = Operands.empty(op.result(type), SIZE);
                Tensor expected = Operands.empty(op.result(type), SIZE);
                cpu.unary(op, x, got);
                reference.unary(op, x, expected);
                within(bound, type, got, expected, op + " " + kernels.description(), x, x);
              });
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void binary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (Binary op : new Binary[] {Binary.POW, Binary.ELU}) {
        each(
            type,
            a ->
                each(
                    type,
                    b -> {
                      Tensor got = Operands.empty(type, SIZE);
                      Tensor expected = Operands.empty(type, SIZE);
                      cpu.binary(op, a, b, got);
                      reference.binary(op, a, b, expected);
                      within(
                          bound(op, type),
                          type,
                          got,
                          expected,
                          op + " " + kernels.description(),
                          a,
                          b);
                    }));
      }
    }
  }

  /** What a body states; in f64 one more, for the error of the definition. */
  private static double bound(Op op, DType type) {
    int more = type == DType.F32 ? 0 : 1;
    return switch (op) {
      case Unary.EXP, Unary.LOG, Unary.SIN, Unary.COS -> 1 + more;
      case Unary.LOG1P, Unary.EXPM1, Unary.RSQRT, Unary.SIGMOID -> 2 + more;
      case Unary.TAN -> type == DType.F32 ? 1 : 3;
      case Unary.ERF, Unary.SILU, Unary.SOFTPLUS -> 3 + more;
      case Unary.TANH -> type == DType.F32 ? 4 : 3;
      case Unary.GELU -> 2;
      case Binary.POW -> type == DType.F32 ? 1 : 3;
      case Binary.ELU -> 3 + more;
      default -> NaN;
    };
  }

  private interface Check {
    void run(Tensor x);
  }

  /** Bit patterns at random, which are numbers of all magnitudes; and ordinary numbers. */
  private void each(DType type, Check check) {
    DoubleSupplier any =
        type == DType.F32
            ? () -> Float.intBitsToFloat(random.nextInt())
            : () -> Double.longBitsToDouble(random.nextLong());
    DoubleSupplier ordinary = () -> 40 * random.nextGaussian() * random.nextDouble();
    DoubleSupplier small = () -> random.nextGaussian();
    DoubleSupplier nearOne = () -> 1 + random.nextGaussian() * Math.pow(2, -random.nextInt(30));
    for (DoubleSupplier source : new DoubleSupplier[] {any, ordinary, small, nearOne}) {
      try (var scope = Scope.open()) {
        Tensor x = Operands.empty(type, SIZE);
        Element element = Element.of(type);
        for (long i = 0; i < SIZE; i++) {
          element.set(x.address() + i * element.size(), source.getAsDouble());
        }
        check.run(x);
      }
    }
  }

  private static void within(
      double bound, DType type, Tensor got, Tensor expected, String what, Tensor a, Tensor b) {
    Element element = Element.of(type);
    double worst = 0;
    String where = "";
    for (long i = 0; i < SIZE && got.dtype() == type; i++) {
      double g = element.get(got.address() + i * element.size());
      double e = element.get(expected.address() + i * element.size());
      if (Double.compare(g, e) == 0) {
        continue;
      }
      double ulp = type == DType.F32 ? Math.ulp((float) e) : Math.ulp(e);
      double error = g == 0 && e == 0 ? Double.MAX_VALUE : Math.abs(g - e) / ulp;
      if (!(error <= worst)) {
        worst = error;
        where =
            what
                + " of "
                + element.get(a.address() + i * element.size())
                + ", "
                + element.get(b.address() + i * element.size())
                + ": "
                + g
                + ", not "
                + e;
      }
    }
    assertThat(worst).as(where).isLessThanOrEqualTo(bound);
  }
}
