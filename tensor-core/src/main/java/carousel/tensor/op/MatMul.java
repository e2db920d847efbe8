package carousel.tensor.op;

import static carousel.tensor.op.Vjp.Rule.reading;

import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Locale;

/** The matrix product {@code a [..,m,k] · b [..,k,n] → y [..,m,n]}; the batch axes broadcast. */
public record MatMul() implements Op {
  /** The row. */
  public static final MatMul ROW = new MatMul();

  private static final Vjp VJP =
      Vjp.of(
          reading(1, (g, b) -> g.matmul(b.transpose(-2, -1))),
          reading(0, (g, a) -> a.transpose(-2, -1).matmul(g)));

  @Override
  public String label() {
    return "matmul";
  }

  @Override
  public Vjp vjp() {
    return VJP;
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor a = inputs[0];
    Tensor b = inputs[1];
    Shape sa = a.shape();
    Shape sb = b.shape();
    if (sa.rank() < 2 || sb.rank() < 2) {
      throw new TensorException(
          "matmul: wants matrices, got " + sa + " × " + sb + "; add an axis with unsqueeze");
    }
    Domain.FLOATING.require(label(), a, b);
    if (sa.dim(-1) != sb.dim(-2)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "matmul: inner dims differ: %s × %s (%d and %d); transpose one, or check the layer's"
                  + " sizes",
              sa,
              sb,
              sa.dim(-1),
              sb.dim(-2)));
    }
    if (sa.rank() == 2 && sb.rank() == 2) {
      Tensor y = Engine.empty("matmul", a.device(), a.dtype(), Shape.of(sa.dim(0), sb.dim(1)));
      a.device().backend().matmul(a, b, y);
      return new Tensor[] {y};
    }
    var batch = Shape.broadcast("matmul", batch(sa), batch(sb));
    Shape shape = matrix(batch, sa.dim(-2), sb.dim(-1));
    Tensor y = Engine.empty("matmul", a.device(), a.dtype(), shape);
    Tensor left = Engine.expanded(a, matrix(batch, sa.dim(-2), sa.dim(-1)));
    Tensor right = Engine.expanded(b, matrix(batch, sb.dim(-2), sb.dim(-1)));
    a.device().backend().matmul(left, right, y);
    return new Tensor[] {y};
  }

  private static Shape batch(Shape s) {
    return s.without(-1).without(-1);
  }

  private static Shape matrix(Shape batch, int rows, int columns) {
    return batch.insert(-1, rows).insert(-1, columns);
  }
}
