package carousel.tensor.cpu.row;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.op.Composite;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes kernels of pointwise composites: a body is traced and differentiated when it first meets
 * inputs of a form, and its programs are compiled. They are kept for as long as the body lives, so
 * that a composite that is made once, as a constant, is traced once.
 */
public final class Composites {
  private final Kernels kernels;
  private final Function<DType, Tiles> tiles;
  private final Map<Composite.Body, List<Known>> known = new WeakHashMap<>();

  /** A form that a body has met; without a kernel, the body runs as it is written. */
  private record Known(RowForm form, @Nullable RowKernel kernel) {
    @Nullable Fused takes(Tensor... inputs) {
      return kernel == null || kernel.takes(inputs) ? kernel : null;
    }
  }

  /**
   * Kernels from given loops.
   *
   * @param kernels make the loops
   * @param tiles the tiles of an element type, which know its vectors
   */
  public Composites(Kernels kernels, Function<DType, Tiles> tiles) {
    this.kernels = kernels;
    this.tiles = tiles;
  }

  /** The kernel of a composite; null if its body has to run. */
  public synchronized @Nullable Fused of(Composite op, Tensor... inputs) {
    RowForm form = RowForm.of(inputs);
    if (form == null) {
      return null;
    }
    List<Known> forms = known.computeIfAbsent(op.body(), body -> new ArrayList<>());
    for (Known met : forms) {
      if (met.form().matches(form)) {
        return met.takes(inputs);
      }
    }
    RowPlan plan = RowPlan.of(op.body(), form, inputs[0].device(), kernels);
    RowKernel kernel = plan == null ? null : new RowKernel(plan, tiles.apply(form.type()).lanes());
    Known met = new Known(form, kernel);
    forms.add(met);
    return met.takes(inputs);
  }
}
