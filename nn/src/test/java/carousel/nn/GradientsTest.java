package carousel.nn;

import static carousel.tensor.DType.F64;

import carousel.autograd.GradCheck;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.loss.Loss;
import carousel.nn.loss.Reduction;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** First and second order of every layer by x and all parameters, and of every loss. */
class GradientsTest {
  private static final Init INIT = Init.normal(0.7).as(F64);

  /** What is differentiated, and by which tensors; made inside of the scope of its test. */
  private record Case(GradCheck.Program f, List<Tensor> inputs) {

    static Case of(Layer layer, Tensor x, Function<Tensor, Tensor> apply) {
      var inputs = new ArrayList<>(List.of(x));
      layer.parameters().forEach(named -> inputs.add(named.value()));
      return new Case(in -> apply.apply(in[0]), inputs);
    }

    static Case loss(Tensor x, Tensor y, Pair loss) {
      return new Case(in -> loss.of(in[0], in[1]), List.of(x, y));
    }
  }

  private interface Pair {
    Tensor of(Tensor x, Tensor y);
  }

  private static Tensor some(long seed, int... dims) {
    return Philox.of(seed).normal(F64, 0, 1, dims);
  }

  private static final Map<String, Supplier<Case>> CASES = new LinkedHashMap<>();

  static {
    CASES.put("linear [2,3,4]", () -> linear(some(1, 2, 3, 4)));
    CASES.put("linear [1,4]", () -> linear(some(1, 1, 4)));
    CASES.put("linear [4]", () -> linear(some(1, 4)));
    CASES.put(
        "linear without bias",
        () -> {
          var layer = Linear.withoutBias(4, 3, INIT, Philox.of(2));
          return Case.of(layer, some(1, 5, 4), layer::apply);
        });
    CASES.put(
        "one linear layer twice",
        () -> {
          var layer = Linear.of(3, 3, INIT, INIT, Philox.of(2));
          return Case.of(layer, some(1, 2, 3), x -> layer.apply(layer.apply(x).tanh()));
        });
    CASES.put(
        "embedding",
        () -> {
          var layer = Embedding.of(5, 3, INIT, Philox.of(2));
          Tensor tokens = Tensor.of(Shape.of(2, 3), 0, 3, 3, 4, 0, 3);
          return new Case(in -> layer.apply(tokens).tanh(), List.of(layer.weight().value()));
        });
    CASES.put("layer norm", () -> layerNorm(some(3, 2, 3, 4), 4));
    CASES.put("layer norm of two axes", () -> layerNorm(some(3, 2, 3, 4), 3, 4));
    CASES.put(
        "dropout",
        () -> {
          var layer = new Dropout(0.3);
          return Case.of(
              layer, some(4, 5, 4), x -> Training.with(Philox.of(9), () -> layer.apply(x.tanh())));
        });
    for (var reduction : Reduction.values()) {
      CASES.put("cross entropy, " + reduction, () -> crossEntropy(reduction, 0));
      CASES.put("cross entropy, smooth, " + reduction, () -> crossEntropy(reduction, 0.1));
      CASES.put(
          "cross entropy, smooth, weighted, " + reduction,
          () -> crossEntropy(reduction, 0.1, 0.5, 0, 2, 1));
    }
    pair("mse", Loss::mse);
    pair("half squared", Loss::halfSquared);
    pair("l1", (x, y) -> Loss.l1(x, y, Reduction.NONE));
    pair("huber", (x, y) -> Loss.huber(x, y, 0.7, Reduction.NONE));
    pair("smooth L1", (x, y) -> Loss.smoothL1(x, y, 0.5, Reduction.SUM));
    pair("bce with logits", (x, y) -> Loss.bceWithLogits(x, y.sigmoid(), Reduction.NONE));
    pair(
        "bce with logits and weights",
        (x, y) -> Loss.bceWithLogits(x, y.sigmoid(), Tensor.of(0.5, 2.0, 1.0, 3.0), Reduction.SUM));
    pair("binary", (x, y) -> Loss.binary(x.sigmoid(), y.sigmoid(), Reduction.NONE));
  }

  private static Case linear(Tensor x) {
    var layer = Linear.of(4, 3, INIT, INIT, Philox.of(2));
    return Case.of(layer, x, layer::apply);
  }

  private static Case layerNorm(Tensor x, int... dims) {
    var layer = new LayerNorm(Parameter.of(some(5, dims)), Parameter.of(some(6, dims)), 1e-5);
    return Case.of(layer, x, layer::apply);
  }

  private static Case crossEntropy(Reduction reduction, double smoothing, double... weights) {
    var loss = CrossEntropy.of().withReduction(reduction).withSmoothing(smoothing).withIgnored(3);
    var weighted = weights.length == 0 ? loss : loss.withWeights(Tensor.of(weights));
    Tensor targets = Tensor.of(0, 2, 3, 1, 2);
    return new Case(in -> weighted.apply(in[0], targets), List.of(some(7, 5, 4)));
  }

  private static void pair(String name, Pair loss) {
    CASES.put(name, () -> Case.loss(some(7, 3, 4), some(8, 3, 4), loss));
  }

  @TestFactory
  Stream<DynamicTest> agreeWithDifferencesToSecondOrder() {
    return CASES.entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    var c = entry.getValue().get();
                    GradCheck.standard()
                        .run(entry.getKey(), c.f, c.inputs.toArray(Tensor[]::new))
                        .require();
                  }
                }));
  }
}
