package carousel.tensor.cpu;

import carousel.tensor.Tensor;
import carousel.tensor.spi.Fused;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The fused kernels of composites, each made when it is first asked for. A line of {@link #make} is a
 * kernel; a composite without one runs its body.
 */
final class FusedTable {
  private static final Offer NONE = _ -> null;

  private final Map<String, Offer> made = new ConcurrentHashMap<>();
  private final Table table;
  private final CpuBackend backend;

  /** A kernel, if it takes what it is given. */
  @FunctionalInterface
  interface Offer {
    /** The kernel for these inputs, or null if it does not take their types or layouts. */
    @Nullable Fused of(Tensor[] inputs);
  }

  FusedTable(Table table, CpuBackend backend) {
    this.table = table;
    this.backend = backend;
  }

  /** The fused form of a composite for these inputs, or null to run the body. */
  @Nullable Fused find(String name, Tensor[] inputs) {
    Offer offer = made.get(name);
    if (offer == null) {
      offer = made.computeIfAbsent(name, this::make);
    }
    return offer.of(inputs);
  }

  private Offer make(String name) {
    return switch (name) {
      case "cross_entropy" -> new CrossEntropyKernel(table)::offer;
      case "dropout" -> new DropoutKernel(table)::offer;
      case "linear" -> new LinearKernel(backend)::offer;
      default -> NONE;
    };
  }
}
