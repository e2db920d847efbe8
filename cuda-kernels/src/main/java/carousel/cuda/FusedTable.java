package carousel.cuda;

import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import carousel.tensor.spi.Memory;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The fused forms of composites: a line each. A composite without one runs its body. */
final class FusedTable {
  private final Launcher launcher;
  private final CrossEntropyFused crossEntropy;
  private final DropoutFused dropout;
  private final LayerNormFused layerNorm;
  private final LinearFused linear;

  FusedTable(Launcher launcher, Memory memory, DeviceErrors errors, Backend backend) {
    this.launcher = launcher;
    this.crossEntropy = new CrossEntropyFused(launcher, errors);
    this.dropout = new DropoutFused(launcher);
    this.layerNorm = new LayerNormFused(launcher, memory);
    this.linear = new LinearFused(backend);
  }

  /** All kernels of fused forms. */
  static Stream<Kernel> kernels() {
    return Stream.of(
            CrossEntropyFused.kernels(),
            DropoutFused.kernels(),
            LayerNormFused.kernels(),
            RecurrentKernels.all())
        .flatMap(family -> family);
  }

  /** The fused form of a composite for these inputs, or null to run the body. */
  @Nullable Fused find(Composite op, Tensor[] inputs) {
    return switch (op.label()) {
      case "cross_entropy" -> crossEntropy.takes(inputs) ? crossEntropy : null;
      case "dropout" -> dropout.takes(inputs) ? dropout : null;
      case "layer_norm" -> layerNorm.takes(inputs) ? layerNorm : null;
      case "linear" -> linear.takes(inputs) ? linear : null;
      default -> recurrent(op, inputs);
    };
  }

  private @Nullable Fused recurrent(Composite op, Tensor[] inputs) {
    Fused scan = ScanFused.of(launcher, op, inputs);
    return scan != null ? scan : GatesFused.of(launcher, op, inputs);
  }
}
