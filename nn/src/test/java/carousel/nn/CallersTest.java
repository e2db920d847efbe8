package carousel.nn;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.init.Init;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.loss.Loss;
import carousel.nn.loss.Reduction;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** An error names the layer or loss that was called and both sides, whatever op inside would find it. */
class CallersTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Tensor ones(DType type) {
    return Tensor.ones(type, 4, 2, 3);
  }

  /** Each with an input of a type that its weights, or its other side, do not have. */
  private static Map<String, Function<DType, Tensor>> callers() {
    var calls = new TreeMap<String, Function<DType, Tensor>>();
    Function<DType, DType> other = type -> type == F32 ? F64 : F32;
    calls.put("linear", t -> Linear.of(3, 2, init(t), Philox.of(1)).apply(ones(other.apply(t))));
    calls.put("layerNorm", t -> LayerNorm.of(t, 3).apply(ones(other.apply(t))));
    calls.put(
        "recurrent",
        t ->
            Recurrent.of(Cells.of("lstm", 3, 2, init(t), Philox.of(1)))
                .run(ones(other.apply(t)))
                .y());
    calls.put("mse", t -> Loss.mse(ones(t), ones(other.apply(t))));
    calls.put("l1", t -> Loss.l1(ones(t), ones(other.apply(t)), Reduction.MEAN));
    calls.put("huber", t -> Loss.huber(ones(t), ones(other.apply(t)), 1, Reduction.SUM));
    calls.put("smoothL1", t -> Loss.smoothL1(ones(t), ones(other.apply(t)), 1, Reduction.SUM));
    calls.put("halfSquared", t -> Loss.halfSquared(ones(t), ones(other.apply(t))));
    calls.put("bceWithLogits", t -> Loss.bceWithLogits(ones(t), ones(other.apply(t))));
    calls.put("binary", t -> Loss.binary(ones(t), ones(other.apply(t)), Reduction.MEAN));
    calls.put(
        "crossEntropy",
        t ->
            CrossEntropy.of()
                .withWeights(Tensor.ones(other.apply(t), 3))
                .apply(ones(t), Tensor.zeros(DType.I32, 4, 2)));
    return calls;
  }

  private static Init init(DType type) {
    return Init.uniform(1).as(type);
  }

  @TestFactory
  Stream<DynamicTest> typesThatDiffer() {
    return callers().entrySet().stream()
        .map(call ->
            DynamicTest.dynamicTest(
                call.getKey(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    for (DType type : new DType[] {F32, F64}) {
                      assertThatThrownBy(() -> call.getValue().apply(type))
                          .isInstanceOf(TensorException.class)
                          .hasMessageStartingWith(call.getKey())
                          .hasMessageContaining("F32")
                          .hasMessageContaining("F64")
                          .hasMessageContaining("cast(DType.");
                    }
                  }
                }));
  }

  @TestFactory
  Stream<DynamicTest> wholeNumbers() {
    return Stream.of("mse", "bceWithLogits", "binary", "halfSquared")
        .map(name ->
            DynamicTest.dynamicTest(
                name,
                () -> {
                  try (var scope = TensorScope.open()) {
                    Tensor x = Tensor.of(1, 2);
                    assertThatThrownBy(
                            () -> {
                              switch (name) {
                                case "mse" -> Loss.mse(x, x);
                                case "binary" -> Loss.binary(x, x, Reduction.SUM);
                                case "halfSquared" -> Loss.halfSquared(x, x);
                                default -> Loss.bceWithLogits(x, x);
                              }
                            })
                        .isInstanceOf(TensorException.class)
                        .hasMessageStartingWith(name + ": takes F32 or F64, got I32 [2]");
                  }
                }));
  }
}
