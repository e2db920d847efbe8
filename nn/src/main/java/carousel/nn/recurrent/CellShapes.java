package carousel.nn.recurrent;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Locale;

/** What a cell promises of its shapes, and errors that say where it does not keep it. */
final class CellShapes {
  private CellShapes() {}

  /** The projected input of all steps, {@code [T,N,G]}. */
  static Tensor projected(Cell<?> cell, Tensor x) {
    Tensor z = cell.project(x);
    if (z.rank() != 3 || z.dim(0) != x.dim(0) || z.dim(1) != x.dim(1)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: project must give [%d,%d,G] of %s, one row for each step, got %s",
              name(cell),
              x.dim(0),
              x.dim(1),
              x.shape(),
              z.shape()));
    }
    return z;
  }

  /** Checks the initial state of so many rows. */
  static void checkZero(Cell<?> cell, int batch, RecurrentState zero) {
    List<Tensor> tensors = zero.tensors();
    for (int i = 0; i < tensors.size(); i++) {
      Shape shape = tensors.get(i).shape();
      if (shape.rank() == 0 || shape.dim(0) != batch) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: zero(%d) must give tensors of %d rows, got %s for %s",
                name(cell),
                batch,
                batch,
                shape,
                component(zero, i)));
      }
    }
  }

  /** Checks what a step makes of a state. */
  static void checkStep(
      Cell<?> cell, int batch, RecurrentState before, RecurrentState after, Tensor y) {
    List<Tensor> was = before.tensors();
    List<Tensor> is = after.tensors();
    for (int i = 0; i < was.size(); i++) {
      Tensor a = was.get(i);
      Tensor b = is.get(i);
      if (!a.shape().equals(b.shape()) || a.dtype() != b.dtype()) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: a step makes %s %s of %s, which was %s %s; a state keeps its shapes",
                name(cell),
                b.dtype(),
                b.shape(),
                component(before, i),
                a.dtype(),
                a.shape()));
      }
    }
    var wanted = Shape.of(batch, cell.outputs());
    if (!y.shape().equals(wanted)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: the output of a step must be %s, as outputs() says, got %s",
              name(cell),
              wanted,
              y.shape()));
    }
  }

  private static String component(RecurrentState state, int i) {
    var components = state.getClass().getRecordComponents();
    return components == null ? "tensor " + i : components[i].getName();
  }

  /** The class of a cell, which has no simple name if it is anonymous. */
  static String name(Cell<?> cell) {
    String simple = cell.getClass().getSimpleName();
    return "cell " + (simple.isEmpty() ? cell.getClass().getName() : simple);
  }
}
