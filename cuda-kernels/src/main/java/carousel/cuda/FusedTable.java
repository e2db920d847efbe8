package carousel.cuda;

import carousel.cuda.launch.DeviceErrors;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.layer.CrossEntropyFused;
import carousel.cuda.layer.DropoutFused;
import carousel.cuda.layer.LayerNormFused;
import carousel.cuda.layer.LinearFused;
import carousel.cuda.scan.GatesFused;
import carousel.cuda.scan.RecurrentCell;
import carousel.cuda.scan.RecurrentKernels;
import carousel.cuda.scan.ScanFused;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import carousel.tensor.spi.Memory;
import java.util.IdentityHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The fused forms of composites. They belong to constants, known by identity: neither a label nor a body
 * like theirs is enough. A composite without one runs its body.
 */
final class FusedTable {
  private final IdentityHashMap<Composite, Offer> byHand = new IdentityHashMap<>();
  private final Launcher launcher;

  /** A fused form, if it takes what it is given. */
  @FunctionalInterface
  private interface Offer {
    /** The form for these inputs, or null if it does not take their types or layouts. */
    @Nullable Fused of(Tensor... inputs);
  }

  FusedTable(Launcher launcher, Memory memory, DeviceErrors errors, Backend backend) {
    this.launcher = launcher;
    var crossEntropy = new CrossEntropyFused(launcher, errors);
    var dropout = new DropoutFused(launcher);
    var layerNorm = new LayerNormFused(launcher, memory);
    var linear = new LinearFused(backend);
    put(LayerComposites.CROSS_ENTROPY, crossEntropy, crossEntropy::takes);
    put(LayerComposites.DROPOUT, dropout, dropout::takes);
    put(LayerComposites.LAYER_NORM, layerNorm, layerNorm::takes);
    put(LayerComposites.LINEAR, linear, linear::takes);
    for (RecurrentCell cell : RecurrentCell.values()) {
      Composite gates = cell.composite();
      if (gates != null) {
        byHand.put(gates, inputs -> GatesFused.of(launcher, cell, inputs));
      }
    }
  }

  private void put(Composite op, Fused fused, Predicate<Tensor[]> takes) {
    byHand.put(op, inputs -> takes.test(inputs) ? fused : null);
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
    Offer offer = byHand.get(op);
    return offer == null ? ScanFused.of(launcher, op, inputs) : offer.of(inputs);
  }
}
