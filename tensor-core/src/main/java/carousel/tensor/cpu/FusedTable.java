package carousel.tensor.cpu;

import carousel.tensor.Tensor;
import carousel.tensor.cpu.row.Composites;
import carousel.tensor.op.Composite;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.spi.Fused;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The fused kernels of composites. Those that are written by hand belong to constants, known by
 * identity: neither a label nor a body like theirs is enough. Of every other composite one is made if
 * its body is pointwise, else the body runs.
 */
final class FusedTable {
  private final IdentityHashMap<Composite, Offer> byHand = new IdentityHashMap<>();
  private final Composites composites;

  /** A kernel, if it takes what it is given. */
  @FunctionalInterface
  private interface Offer {
    /** The kernel for these inputs, or null if it does not take their types or layouts. */
    @Nullable Fused of(Tensor[] inputs);
  }

  FusedTable(Table table, CpuBackend backend, Composites composites) {
    this.composites = composites;
    byHand.put(LayerComposites.CROSS_ENTROPY, new CrossEntropyKernel(table)::offer);
    byHand.put(LayerComposites.DROPOUT, new DropoutKernel(table)::offer);
    byHand.put(LayerComposites.LINEAR, new LinearKernel(backend)::offer);
  }

  /** The fused form of a composite for these inputs, or null to run the body. */
  @Nullable Fused find(Composite op, Tensor[] inputs) {
    Offer kernel = byHand.get(op);
    return kernel == null ? composites.of(op, inputs) : kernel.of(inputs);
  }
}
