package carousel.tensor.cpu;

import carousel.tensor.Tensor;
import carousel.tensor.cpu.row.Composites;
import carousel.tensor.op.Composite;
import carousel.tensor.spi.Fused;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The fused kernels of composites. A line of {@link #make} is one that is written by hand; of every
 * other composite one is made if its body is pointwise, else the body runs.
 */
final class FusedTable {
  private final Map<String, Offer> made = new ConcurrentHashMap<>();
  private final Table table;
  private final CpuBackend backend;
  private final Composites composites;

  /** A kernel, if it takes what it is given. */
  @FunctionalInterface
  interface Offer {
    /** The kernel for these inputs, or null if it does not take their types or layouts. */
    @Nullable Fused of(Composite op, Tensor[] inputs);
  }

  FusedTable(Table table, CpuBackend backend, Composites composites) {
    this.table = table;
    this.backend = backend;
    this.composites = composites;
  }

  /** The fused form of a composite for these inputs, or null to run the body. */
  @Nullable Fused find(Composite op, Tensor[] inputs) {
    Offer offer = made.get(op.label());
    if (offer == null) {
      offer = made.computeIfAbsent(op.label(), this::make);
    }
    return offer.of(op, inputs);
  }

  private Offer make(String name) {
    return switch (name) {
      case "cross_entropy" -> of(new CrossEntropyKernel(table)::offer);
      case "dropout" -> of(new DropoutKernel(table)::offer);
      case "linear" -> of(new LinearKernel(backend)::offer);
      default -> composites::of;
    };
  }

  private static Offer of(Function<Tensor[], @Nullable Fused> kernel) {
    return (_, inputs) -> kernel.apply(inputs);
  }
}
