package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Unary;
import carousel.tensor.sweep.StatedErrors;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The errors that docs/performance.md states, over all magnitudes: of rows in F64, and of rows with two
 * operands. One operand in F32 is {@code RowSweepTest}'s.
 */
class RowErrorTest {
  private static final int SIZE = 2_000;

  private final StatedErrors stated = StatedErrors.read();
  private final SplittableRandom random = new SplittableRandom(5);

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void unary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    for (Unary op : Unary.values()) {
      if (op.domain().accepts(DType.F64) && op.result(DType.F64) == DType.F64) {
        var worst = new Worst(op.label(), DType.F64, kernels);
        for (DoubleSupplier source : sources(DType.F64)) {
          try (var scope = TensorScope.open()) {
            Tensor x = filled(DType.F64, source);
            Tensor y = Operands.empty(DType.F64, SIZE);
            cpu.unary(op, x, y);
            Operands.pairs(x, y, (a, got) -> worst.see(a, a, got, op.scalar(a)));
          }
        }
        worst.check();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void binary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (Binary op : Binary.values()) {
        if (!op.domain().accepts(type) || op.isComparison()) {
          continue;
        }
        var worst = new Worst(op.label(), type, kernels);
        for (DoubleSupplier left : sources(type)) {
          for (DoubleSupplier right : sources(type)) {
            try (var scope = TensorScope.open()) {
              Tensor a = filled(type, left);
              Tensor b = filled(type, right);
              Tensor y = Operands.empty(type, SIZE);
              cpu.binary(op, a, b, y);
              double[] other = b.toDoubleArray();
              int[] i = {0};
              Operands.pairs(
                  a,
                  y,
                  (x, got) -> {
                    double second = other[i[0]++];
                    worst.see(x, second, got, op.scalar(x, second));
                  });
            }
          }
        }
        worst.check();
      }
    }
  }

  /** Bit patterns at random, which are numbers of all magnitudes; and ordinary numbers. */
  private DoubleSupplier[] sources(DType type) {
    return new DoubleSupplier[] {
      type == DType.F32
          ? () -> Float.intBitsToFloat(random.nextInt())
          : () -> Double.longBitsToDouble(random.nextLong()),
      () -> 40 * random.nextGaussian() * random.nextDouble(),
      () -> random.nextGaussian(),
      () -> 1 + random.nextGaussian() * Math.pow(2, -random.nextInt(30)),
      // Where results of F64 are the last before 0 and ∞.
      () -> random.nextInt(2) == 0 ? -random.nextDouble(700, 750) : random.nextDouble(700, 710)
    };
  }

  private static Tensor filled(DType type, DoubleSupplier source) {
    Tensor x = Operands.empty(type, SIZE);
    var element = Element.of(type);
    for (long i = 0; i < SIZE; i++) {
      element.set(Engine.address(x) + i * element.size(), source.getAsDouble());
    }
    return x;
  }

  /** The greatest error of a row in units in the last place of the definition's result. */
  private final class Worst {
    private final String row;
    private final DType type;
    private final Kernels kernels;
    private double error;
    private String where = "";

    Worst(String row, DType type, Kernels kernels) {
      this.row = row;
      this.type = type;
      this.kernels = kernels;
    }

    void see(double a, double b, double got, double exact) {
      double limit = type == DType.F32 ? 0x1p128 : Double.MAX_VALUE;
      boolean same = got == exact && (got != 0 || Math.copySign(1, got) == Math.copySign(1, exact));
      if (same || (Double.isNaN(got) && Double.isNaN(exact))) {
        return;
      }
      // An infinity stands for the number that would come after the greatest, unless it is exact.
      double ulp = type == DType.F32 ? ulp(exact) : Math.ulp(Math.clamp(exact, -limit, limit));
      double off =
          Math.abs(Math.clamp(got, -limit, limit) - Math.clamp(exact, -limit, limit)) / ulp;
      boolean broken = got == exact || (Double.isInfinite(exact) && type == DType.F32);
      if (broken || !(off <= error)) {
        error = broken ? Double.POSITIVE_INFINITY : off;
        where = a + ", " + b + ": " + got + ", not " + exact;
      }
    }

    /** Of F32, where {@code exact} is not rounded yet. */
    private static double ulp(double exact) {
      int exponent = Math.clamp(Math.getExponent(exact), Float.MIN_EXPONENT, Float.MAX_EXPONENT);
      return Math.scalb(1.0, exponent - 23);
    }

    void check() {
      assertThat(error)
          .as("%s of %s, %s, of %s", row, type, kernels.description(), where)
          .isLessThanOrEqualTo(stated.bound(row, type));
    }
  }
}
