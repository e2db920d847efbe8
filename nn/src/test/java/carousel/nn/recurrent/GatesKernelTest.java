package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.nn.FusedContract;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Combinations;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What a cell's step computes besides products, by a kernel as by its body: for scans by hand. */
@Tag("cpu") // other devices have kernels of their own, or none
class GatesKernelTest {
  /** One row and unit; less than a vector; whole vectors; vectors and a rest; several tasks. */
  private record Size(int rows, int units) {}

  private static final List<Size> SIZES =
      List.of(new Size(1, 1), new Size(3, 5), new Size(2, 64), new Size(20, 37), new Size(270, 71));

  /** A composite, and what a step gave it. */
  private record Use(Composite composite, Tensor[] inputs) {}

  @BeforeEach
  void thereAreVectors() {
    assumeTrue(FusedContract.VECTORS, "no loops are made without the Vector API");
  }

  @TestFactory
  Stream<DynamicTest> everyCompositeOfAStepHasAKernel() {
    return Combinations.numbered(FusedContract.chosen(Cells.names().stream()))
        .flatMap(name ->
            Combinations.numbered(Stream.of(DType.F32, DType.F64))
                .flatMap(type ->
                    Combinations.numbered(SIZES.stream())
                        .filter(size ->
                            Combinations.isTried(2, name.number(), type.number(), size.number()))
                        .map(size ->
                            DynamicTest.dynamicTest(
                                name.value() + " " + type.value() + " " + size.value(),
                                () -> agree(name.value(), type.value(), size.value())))));
  }

  private static void agree(String name, DType type, Size size) {
    try (var scope = TensorScope.open()) {
      for (Use use : uses(name, type, size)) {
        FusedContract.check(use.composite(), type == DType.F32 ? 2e-4 : 1e-11, use.inputs());
      }
    }
  }

  @Test
  void theLongShortTermMemoryIsAmongThem() {
    try (var scope = TensorScope.open()) {
      assertThat(uses("lstm", DType.F32, SIZES.getFirst()))
          .extracting(Use::composite)
          .containsExactly(GateComposites.LSTM);
    }
  }

  /** The composites that a step of a cell applies, all weights and inputs random. */
  private static List<Use> uses(String name, DType type, Size size) {
    var rng = Philox.of(7);
    Cell<?> cell = Cells.of(name, 3, size.units(), Init.uniform(0.5).as(type), rng);
    for (var named : cell.parameters()) {
      named.value().assign(rng.uniform(type, -0.5, 0.5, named.value().shape().toArray()));
    }
    List<Use> uses = new ArrayList<>();
    Interpreter watch =
        (op, inputs) -> {
          if (op instanceof Composite composite) {
            uses.add(new Use(composite, inputs.clone()));
          }
          return Interpreter.EAGER.apply(op, inputs);
        };
    watch.run(() -> step(cell, rng.normal(type, 0, 1, 1, size.rows(), 3), rng));
    return uses;
  }

  private static <S extends RecurrentState> S step(Cell<S> cell, Tensor x, Philox rng) {
    S state =
        RecurrentState.map(
            cell.zero(x.dim(1)), zero -> rng.normal(zero.dtype(), 0, 1, zero.shape().toArray()));
    return cell.step(cell.project(x).select(0, 0), state);
  }
}
