package carousel.benchmarks;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.Sgd;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An optimiser's step and the norm that clipping takes, on the dense parameters of the small Zaremba
 * language model, beside a copy and a sum of the same tensors. With {@code -prof gc}: the garbage of a
 * step.
 */
public class OptimizerBenchmark extends Measured {
  private static final int HIDDEN = 200;
  private static final int VOCABULARY = 10_000;

  /** What the optimiser applies; momentum keeps one tensor per parameter, Adam two. */
  @Param({"sgd", "momentum", "adam"})
  public String rule = "";

  private record Weights(List<Parameter> of) implements Layer {}

  private TensorScope run;
  private Optimizer optimizer;
  private Gradients gradients;
  private List<Tensor> from;
  private List<Tensor> to;

  /** Makes the parameters and their gradients. */
  @Setup
  public void open() {
    run = TensorScope.openUnwatched();
    var random = Philox.of(1);
    List<Parameter> weights = new ArrayList<>();
    int[][] shapes = {
      {HIDDEN, 4 * HIDDEN}, {HIDDEN, 4 * HIDDEN}, {4 * HIDDEN},
      {HIDDEN, 4 * HIDDEN}, {HIDDEN, 4 * HIDDEN}, {4 * HIDDEN},
      {HIDDEN, VOCABULARY}, {VOCABULARY}
    };
    from = new ArrayList<>();
    to = new ArrayList<>();
    for (int[] shape : shapes) {
      weights.add(Parameter.of(random.normal(DType.F32, 0, 1, shape)));
      from.add(random.normal(DType.F32, 0, 1, shape));
      to.add(random.normal(DType.F32, 0, 1, shape));
    }
    var parameters = Parameters.of(new Weights(weights));
    optimizer =
        switch (rule) {
          case "sgd" -> Sgd.of(parameters, 1e-9);
          case "momentum" -> Sgd.rule().withMomentum(0.9).over(parameters, 1e-9);
          default -> Adam.of(parameters, 1e-9);
        };
    gradients =
        Grad.of(
            () -> {
              Tensor sum = Tensor.zeros(DType.F32);
              for (int i = 0; i < from.size(); i++) {
                sum = sum.add(weights.get(i).value().mul(from.get(i)).sum());
              }
              return sum;
            },
            parameters);
  }

  /** Frees them. */
  @TearDown
  public void close() {
    run.close();
  }

  /** One step, with clipped gradients. */
  @Benchmark
  public void step() {
    optimizer.step(gradients.scale(0.5));
  }

  /** The norm of all gradients. */
  @Benchmark
  public double norm() {
    return gradients.norm();
  }

  /** Reads the gradients: their sums. */
  @Benchmark
  public double sum() {
    double sum = 0;
    for (Tensor g : from) {
      try (var each = TensorScope.openUnwatched()) {
        sum += g.sum().item();
      }
    }
    return sum;
  }

  /** Reads the gradients and writes as much, into memory that is there. */
  @Benchmark
  public int copy() {
    for (int i = 0; i < from.size(); i++) {
      to.get(i).assign(from.get(i));
    }
    return to.size();
  }
}
