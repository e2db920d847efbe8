package org.example;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.jmh.WarmUp;
import carousel.nn.init.Init;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.SharedScope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** A sequence of {@link FastGrnn}, forward, and forward and backward. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1) // for JMH's own loop: see warmUp below
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector", // without it everything is scalar, and slow
      "--enable-native-access=ALL-UNNAMED"
    })
public class CellBenchmark {

  /** What all threads read. One of them sets it up, and perhaps another tears it down. */
  @State(Scope.Benchmark)
  public static class Model {
    /** Units, and features of the input. */
    @Param({"64", "200"})
    public int hidden;

    private SharedScope owner;
    private Recurrent<HiddenState> layer;
    private Tensor x;

    /** Makes the weights, and runs what is measured until it is compiled. */
    @Setup
    public void open() {
      owner = SharedScope.open();
      owner.make(() -> {
        var rng = Philox.of(1);
        layer = Recurrent.of(FastGrnn.of(hidden, hidden, Init.xavierUniform(), rng));
        x = rng.normal(DType.F32, 0, 1, 35, 20, hidden); // 35 steps, 20 rows
      });
      WarmUp.standard()
          .run(() -> {
            loss();
            gradients();
          });
    }

    /** Frees them. */
    @TearDown
    public void close() {
      owner.close();
    }

    double loss() {
      try (var step = TensorScope.open()) { // frees what the invocation made
        return layer.run(x).last().square().mean().item();
      }
    }

    double gradients() {
      try (var step = TensorScope.open()) {
        Gradients g = Grad.of(() -> layer.run(x).last().square().mean(), layer.parameters());
        return g.norm();
      }
    }
  }

  /** The forward pass; what a benchmark returns goes to a blackhole. */
  @Benchmark
  public double forward(Model model) {
    return model.loss();
  }

  /** Forward and backward; a blackhole by hand. */
  @Benchmark
  public void gradient(Model model, Blackhole blackhole) {
    blackhole.consume(model.gradients());
  }
}
