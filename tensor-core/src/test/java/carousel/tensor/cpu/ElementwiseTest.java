package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import org.junit.jupiter.api.Test;

/** Every elementwise row, on every family of loops, against the reference. */
class ElementwiseTest {
  private static final int[][] SHAPES = {
    {}, {0}, {1}, {3}, {13}, {64}, {207}, {4098}, {3, 5}, {33, 17}, {1, 40}, {40, 1}, {4, 3, 7},
    {70, 65}, {2, 0, 3}, {5, 1, 9}
  };

  @Test
  void unary() {
    var operands = new Operands(1);
    for (Unary op : Unary.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          each((dims, layout, special) -> {
            Tensor x = operands.tensor(type, layout, special, dims);
            close(
                (backend, y) -> backend.unary(op, x, y),
                op.result(type),
                dims,
                op + " " + Engine.layout(x) + " " + type);
          });
        }
      }
    }
  }

  @Test
  void binary() {
    var operands = new Operands(2);
    for (Binary op : Binary.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          each((dims, layout, special) -> {
            Tensor a = operands.tensor(type, layout, special, dims);
            Tensor b = operands.tensor(type, (layout * 5 + 3) % 6, special, dims);
            close(
                (backend, y) -> backend.binary(op, a, b, y),
                op.result(type),
                dims,
                op + " " + Engine.layout(a) + " " + Engine.layout(b) + " " + type);
          });
        }
      }
    }
  }

  @Test
  void ternary() {
    var operands = new Operands(3);
    for (Ternary op : Ternary.values()) {
      for (DType type : DType.values()) {
        if (op.domain().accepts(type)) {
          each((dims, layout, special) -> {
            DType first = op == Ternary.WHERE ? DType.BOOL : type;
            Tensor a = operands.tensor(first, layout, special, dims);
            Tensor b = operands.tensor(type, (layout + 3) % 6, special, dims);
            Tensor c = operands.tensor(type, (layout + 5) % 6, special, dims);
            close(
                (backend, y) -> backend.ternary(op, a, b, c, y),
                type,
                dims,
                op + " " + Engine.layout(a) + " " + Engine.layout(b) + " " + type);
          });
        }
      }
    }
  }

  @Test
  void copyAndCast() {
    var operands = new Operands(4);
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        each((dims, layout, special) -> {
          Tensor x = operands.tensor(from, layout, special, dims);
          // Layouts 4 and 5 visit elements twice: no targets.
          int target = layout * 3 % 4;
          Tensor got = operands.tensor(to, target, false, dims);
          same(
              (backend, y) -> backend.copy(x, y), got, from + " to " + to + " " + Engine.layout(x));
        });
      }
    }
  }

  @Test
  void fill() {
    var operands = new Operands(5);
    for (DType type : DType.values()) {
      each((dims, layout, special) -> {
        Tensor got = operands.tensor(type, layout % 4, false, dims);
        same((backend, y) -> backend.fill(y, 3.75), got, "fill");
      });
    }
  }

  /** The same bits into a view, whose layout is not that of the reference's result. */
  private static void same(Operands.Call op, Tensor view, String what) {
    Tensor before = Operands.copy(view);
    Tensor expected = Operands.copy(view);
    op.on(Operands.REFERENCE, expected);
    for (CpuBackend cpu : Operands.some(what + Engine.layout(view))) {
      Operands.REFERENCE.copy(before, view);
      op.on(cpu, view);
      Operands.assertClose(
          view, expected, 0, 0, cpu.description() + ", " + what + " " + Engine.layout(view));
    }
  }

  @FunctionalInterface
  private interface Case {
    void run(int[] dims, int layout, boolean special);
  }

  private static void each(Case test) {
    for (int[] dims : SHAPES) {
      for (int layout = 0; layout < Operands.LAYOUTS; layout++) {
        try (var scope = TensorScope.open()) {
          test.run(dims, layout, layout % 2 == 0);
        }
      }
    }
  }

  private static void close(Operands.Call op, DType type, int[] dims, String what) {
    boolean f32 = type == DType.F32;
    Tensor y = Operands.empty(type, dims);
    Operands.agree(op, y, f32 ? 2e-6 : 1e-13, f32 ? 1.5e-38 : 1e-300, what);
  }
}
