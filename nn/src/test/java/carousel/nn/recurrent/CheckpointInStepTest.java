package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A cell may run its step again at backward: with all marks and noise, by kernels and op by op. */
class CheckpointInStepTest {
  private static final int T = 4;
  private static final int N = 2;
  private static final int D = 2;
  private static final int H = 3;

  /** {@code h' = tanh(z + (c ⊙ h)·u)}, with a constant that every step makes anew. */
  record Segmented(Parameter w, Parameter u, UnaryOperator<Supplier<Tensor>> point)
      implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return D;
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public Tensor project(Tensor x) {
      return x.matmul(w.value());
    }

    @Override
    public HiddenState step(Tensor z, HiddenState s) {
      Tensor constant = s.h().detach().square().add(0.5);
      return new HiddenState(
          point.apply(() -> z.add(s.h().mul(constant).matmul(u.value())).tanh()).get());
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(w.value().zerosLike(Shape.of(batch, H)));
    }
  }

  private static final Map<String, Function<Recurrent<?>, Function<Tensor, Tensor>>> WAYS =
      new LinkedHashMap<>();

  static {
    way("plain", layer -> x -> layer.run(x).y());
    way("ragged", layer -> x -> layer.run(x, List.of(), Tensor.of(T, 2)).y());
    way("resets", layer -> x -> layer.run(x, List.of(), null, flags()).y());
    way("taken", layer -> x -> layer.run(x, Marks.none().withTaken(flags()), List.of()).y());
    way(
        "a learned start",
        layer -> {
          var learned = Layers.fillZeros(layer.withLearnedStart(), Philox.of(6));
          return x -> learned.run(x, List.of(), Tensor.of(T, 2), flags()).y();
        });
    way(
        "noise",
        layer ->
            x ->
                Training.with(
                    Philox.of(3),
                    () ->
                        layer
                            .withNoise(
                                Noise.none().inputs(0.2).states(0.3).zoneout(0.3).outputs(0.2))
                            .run(x, List.of(), null, flags())
                            .y()));
  }

  private static void way(String name, Function<Recurrent<?>, Function<Tensor, Tensor>> run) {
    WAYS.put(name, run);
  }

  private static Tensor flags() {
    return Tensor.of(new boolean[][] {{false, true}, {true, false}, {false, true}, {false, false}});
  }

  private static Recurrent<?> layer(UnaryOperator<Supplier<Tensor>> point) {
    var rng = Philox.of(1);
    Init init = Init.normal(1).as(DType.F64);
    return Recurrent.of(new Segmented(init.parameter(rng, D, H), init.parameter(rng, H, H), point));
  }

  @TestFactory
  Stream<DynamicTest> isAsWithout() {
    return WAYS.entrySet().stream()
        .map(way -> DynamicTest.dynamicTest(way.getKey(), () -> compare(way.getValue())));
  }

  private static void compare(Function<Recurrent<?>, Function<Tensor, Tensor>> way) {
    try (var scope = TensorScope.open()) {
      Tensor x = Philox.of(2).normal(DType.F64, 0, 1, T, N, D);
      List<Tensor> expected = all(layer(s -> s), way, x);
      Recurrent<?> segmented = layer(s -> () -> Grad.checkpoint(s));
      same(all(segmented, way, x), expected);
      same(FusedContract.BODIES.run(() -> all(segmented, way, x)), expected);
    }
  }

  /** Gradients, and what the second derivative gives of a direction. */
  private static List<Tensor> all(
      Recurrent<?> layer, Function<Recurrent<?>, Function<Tensor, Tensor>> way, Tensor x) {
    Function<Tensor, Tensor> run = way.apply(layer);
    Supplier<Tensor> loss = () -> run.apply(x).square().sum();
    Tensor[] by = Layers.inputs(layer, x, List.of());
    var gradients = Grad.of(loss, by);
    return List.of(
        gradients.get(0),
        gradients.get(1),
        gradients.get(2),
        Grad.hvp(loss, List.of(x), List.of(x.cos())).get(0));
  }

  private static void same(List<Tensor> actual, List<Tensor> expected) {
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i).sub(expected.get(i)).abs().max().item())
          .as("gradient %d", i)
          .isLessThan(1e-12);
    }
  }
}
