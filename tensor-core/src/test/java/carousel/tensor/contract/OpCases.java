package carousel.tensor.contract;

import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.op.Transfer;
import java.util.stream.Stream;

/**
 * The catalogue: cases of every op. {@link CatalogueTest} fails when an op has none.
 *
 * <p>{@link Transfer} alone is not in {@link #all}: it computes nothing, and its parameters are
 * devices; {@code TransferTest} tries it between every two of them.
 */
public final class OpCases {
  private OpCases() {}

  /**
   * For backends: every row on every element type of its domain, in awkward shapes and layouts, with
   * special values.
   *
   * @return some ten thousand cases, made as they are taken
   */
  public static Stream<OpCase> all() {
    return Stream.of(
            ElementwiseCases.all(),
            ReductionCases.all(),
            StructureCases.all(),
            ProductCases.all(),
            IndexingCases.all(),
            CompositeCases.all())
        .flatMap(s -> s);
  }

  /**
   * For gradients: every differentiable row on small F64 operands, broadcast ones too, at values where
   * it is smooth, so that its first and second derivatives are those of its neighbourhood. To be made
   * on the CPU.
   *
   * @return some hundred cases
   */
  public static Stream<OpCase> smooth() {
    return Stream.of(
            ElementwiseCases.smooth(),
            ReductionCases.smooth(),
            StructureCases.smooth(),
            ProductCases.smooth(),
            IndexingCases.smooth(),
            CompositeCases.smooth(),
            Stream.of(
                OpCase.of(
                    new Transfer(Device.cpu(), Device.reference()),
                    Operand.smooth(Shape.of(2, 3), 0))))
        .flatMap(s -> s);
  }
}
