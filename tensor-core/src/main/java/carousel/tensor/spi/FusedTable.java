package carousel.tensor.spi;

import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.LayerComposites;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The fused kernels of a backend. Those that are written by hand belong to constants, known by identity:
 * neither a label nor a body like theirs is enough. Of every other composite the backend may make one from
 * its body; else the body runs.
 */
public final class FusedTable {
  private final IdentityHashMap<Composite, ByHand> byHand = new IdentityHashMap<>();
  private final Made others;

  /** A kernel that is written by hand, if it takes what it is given. */
  @FunctionalInterface
  public interface ByHand {
    /**
     * Offers the kernel.
     *
     * @param inputs of the composite
     * @return the kernel for these inputs, or null if it does not take their types or layouts
     */
    @Nullable Fused offer(Tensor[] inputs);
  }

  /** What makes kernels of composites that nobody has written one for. */
  @FunctionalInterface
  public interface Made {
    /**
     * Makes a kernel.
     *
     * @param op the composite
     * @param inputs of it
     * @return a kernel made from its body, or null to run the body
     */
    @Nullable Fused of(Composite op, Tensor[] inputs);
  }

  /**
   * A table with the kernel that every backend can have, {@link LinearKernel}.
   *
   * @param backend whose kernels these are
   * @param others what makes the kernels of composites that are not put here
   */
  public FusedTable(Backend backend, Made others) {
    this.others = others;
    put(LayerComposites.LINEAR, new LinearKernel(backend)::offer);
  }

  /**
   * Puts a kernel here.
   *
   * @param op the constant it is written for
   * @param kernel the kernel
   */
  public void put(Composite op, ByHand kernel) {
    byHand.put(op, kernel);
  }

  /**
   * Finds the kernel of a composite.
   *
   * @param op the composite
   * @param inputs of it
   * @return its kernel for these inputs, or null to run the body
   */
  public @Nullable Fused find(Composite op, Tensor[] inputs) {
    ByHand kernel = byHand.get(op);
    return kernel == null ? others.of(op, inputs) : kernel.offer(inputs);
  }
}
