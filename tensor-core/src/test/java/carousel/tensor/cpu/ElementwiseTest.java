package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.reference.ReferenceBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every elementwise row, on every family of loops, against the reference. */
class ElementwiseTest {
  private static final int[][] SHAPES = {
    {}, {0}, {1}, {3}, {13}, {64}, {207}, {4098}, {3, 5}, {33, 17}, {1, 40}, {40, 1}, {4, 3, 7},
    {70, 65}, {2, 0, 3}, {5, 1, 9}
  };

  private final ReferenceBackend reference = new ReferenceBackend();

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void unary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    Operands operands = new Operands(1);
    for (Unary op : Unary.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          each((dims, layout, special) -> {
            Tensor x = operands.tensor(type, layout, special, dims);
            Tensor got = Operands.empty(op.result(type), dims);
            Tensor expected = Operands.empty(op.result(type), dims);
            cpu.unary(op, x, got);
            reference.unary(op, x, expected);
            close(got, expected, op + " " + x.layout() + " " + type);
          });
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void binary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    Operands operands = new Operands(2);
    for (Binary op : Binary.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          each((dims, layout, special) -> {
            Tensor a = operands.tensor(type, layout, special, dims);
            Tensor b = operands.tensor(type, (layout * 5 + 3) % 6, special, dims);
            Tensor got = Operands.empty(op.result(type), dims);
            Tensor expected = Operands.empty(op.result(type), dims);
            cpu.binary(op, a, b, got);
            reference.binary(op, a, b, expected);
            close(got, expected, op + " " + a.layout() + " " + b.layout() + " " + type);
          });
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void ternary(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    Operands operands = new Operands(3);
    for (Ternary op : Ternary.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          each((dims, layout, special) -> {
            DType first = op == Ternary.WHERE ? DType.BOOL : type;
            Tensor a = operands.tensor(first, layout, special, dims);
            Tensor b = operands.tensor(type, (layout + 3) % 6, special, dims);
            Tensor c = operands.tensor(type, (layout + 5) % 6, special, dims);
            Tensor got = Operands.empty(type, dims);
            Tensor expected = Operands.empty(type, dims);
            cpu.ternary(op, a, b, c, got);
            reference.ternary(op, a, b, c, expected);
            close(got, expected, op + " " + a.layout() + " " + b.layout() + " " + type);
          });
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void copyAndCast(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    Operands operands = new Operands(4);
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        each((dims, layout, special) -> {
          Tensor x = operands.tensor(from, layout, special, dims);
          // Layouts 4 and 5 visit elements twice: no targets.
          int target = layout * 3 % 4;
          Tensor got = operands.tensor(to, target, false, dims);
          Tensor expected = Operands.copy(got);
          cpu.copy(x, got);
          reference.copy(x, expected);
          Operands.assertClose(
              got, expected, 0, 0, from + " to " + to + " " + x.layout() + got.layout());
        });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void fill(Kernels kernels) {
    CpuBackend cpu = Operands.backend(kernels);
    Operands operands = new Operands(5);
    for (DType type : DType.values()) {
      each((dims, layout, special) -> {
        Tensor got = operands.tensor(type, layout % 4, false, dims);
        Tensor expected = Operands.copy(got);
        cpu.fill(got, 3.75);
        reference.fill(expected, 3.75);
        Operands.assertClose(got, expected, 0, 0, "fill " + got.layout());
      });
    }
  }

  @FunctionalInterface
  private interface Case {
    void run(int[] dims, int layout, boolean special);
  }

  private static void each(Case test) {
    for (int[] dims : SHAPES) {
      for (int layout = 0; layout < Operands.LAYOUTS; layout++) {
        try (Scope scope = Scope.open()) {
          test.run(dims, layout, layout % 2 == 0);
        }
      }
    }
  }

  private static void close(Tensor got, Tensor expected, String what) {
    if (got.dtype() == DType.F32) {
      Operands.assertClose(got, expected, 2e-6, 1.5e-38, what);
    } else {
      Operands.assertClose(got, expected, 1e-13, 1e-300, what);
    }
  }
}
