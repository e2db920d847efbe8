package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.spi.Memory;

/**
 * Functions of one, two and three tensors, element by element, and copies, which are such, too. Small operands go {@link
 * Straight} to their loop, all others by a {@link Sweep}.
 */
final class ElementwiseLoops {
  private final Table table;
  private final CopyLoops copies;
  private final Memory memory;

  ElementwiseLoops(Table table, CopyLoops copies, Memory memory) {
    this.table = table;
    this.copies = copies;
    this.memory = memory;
  }

  void unary(Unary op, Tensor x, Tensor y) {
    Loop loop = table.unary(op, x.dtype());
    if (!Straight.run(loop, Table.grain(op), y, x)) {
      sweep(loop, Table.grain(op), Strided.of(y), Strided.of(x));
    }
  }

  void binary(Binary op, Tensor a, Tensor b, Tensor y) {
    Loop loop = table.binary(op, a.dtype());
    if (!Straight.run(loop, Table.grain(op), y, a, b)) {
      sweep(loop, Table.grain(op), Strided.of(y), Strided.of(a), Strided.of(b));
    }
  }

  void ternary(Ternary op, Tensor a, Tensor b, Tensor c, Tensor y) {
    Loop loop = table.ternary(op, b.dtype());
    if (!Straight.run(loop, Table.CHEAP, y, a, b, c)) {
      sweep(loop, Table.CHEAP, Strided.of(y), Strided.of(a), Strided.of(b), Strided.of(c));
    }
  }

  void copy(Tensor x, Tensor y) {
    if (!Straight.run(table.cast(x.dtype(), y.dtype()), Table.CHEAP, y, x)) {
      copy(Strided.of(x), x.dtype(), Strided.of(y), y.dtype());
    }
  }

  /** Copies, converting if the types differ. */
  void copy(Strided from, DType fromType, Strided to, DType toType) {
    if (fromType != toType || !copies.scattered(from, to)) {
      sweep(table.cast(fromType, toType), Table.CHEAP, to, from);
    }
  }

  void fill(Tensor y, double value) {
    if (y.size() == 1) {
      Element.of(y.dtype()).set(Engine.address(y), value);
      return;
    }
    int[] dims = y.shape().toArray();
    long element = Scratch.forFill().address(Loop.SPLAT_BYTES);
    Element.of(y.dtype()).set(element, value);
    var one = new Strided(element, dims, new long[dims.length], y.dtype().bytes());
    sweep(table.cast(y.dtype(), y.dtype()), Table.CHEAP, Strided.of(y), one);
  }

  private void sweep(Loop loop, int grain, Strided y, Strided... x) {
    Sweep.run(loop, grain, copies, memory, y, x);
  }
}
