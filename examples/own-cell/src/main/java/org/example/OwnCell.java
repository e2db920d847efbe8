package org.example;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Schedule;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;

/**
 * A cell of one's own, oscillators: its gradients are checked, its kernel is looked at and timed, and it
 * learns to tell the frequency of a wave that is buried in noise.
 */
public final class OwnCell {
  static final int LENGTH = 64, ROWS = 64, STEPS = 800, TONES = 8;

  record Model(Recurrent<CoRnn.State> ear, Linear head) implements Layer {
    static Model of(Init init, Philox rng) {
      return new Model(
          Recurrent.of(CoRnn.of(1, 48, 1.5, init, rng)), Linear.of(48, TONES, init, rng));
    }

    /** {@code [N,TONES]}, from the energy of each oscillator. */
    Tensor logits(Tensor x) {
      return head.apply(ear.apply(x).square().mean(0));
    }
  }

  /**
   * {@code x [T,N,1]}: waves of any phase, in noise of four times their energy; {@code y [N]}: which tone it
   * is.
   */
  record Batch(Tensor x, Tensor y) {
    static Batch of(Philox rng) {
      Tensor y = rng.integers(0, TONES, ROWS);
      Tensor phase = rng.uniform(DType.F32, 0, 2 * Math.PI, ROWS);
      Tensor wave = times().mul(frequency(y)).add(phase).sin();
      Tensor noise = rng.normal(DType.F32, 0, Math.sqrt(2), LENGTH, ROWS);
      return new Batch(wave.add(noise).unsqueeze(2), y);
    }
  }

  /** {@code [T,1]}. */
  static Tensor times() {
    return Tensor.arange(LENGTH).cast(DType.F32).unsqueeze(1);
  }

  /** Radians per step. */
  static Tensor frequency(Tensor tone) {
    return tone.cast(DType.F32).mul(0.125).add(0.25);
  }

  /**
   * The tone that has the most of a wave's energy, which is what one who knew how waves are made would say.
   */
  static Tensor best(Tensor x) {
    Tensor angles = times().mul(frequency(Tensor.arange(TONES))); // [T,TONES]
    Tensor wave = x.squeeze(2).transpose(0, 1);
    return wave.matmul(angles.sin()).square().add(wave.matmul(angles.cos()).square()).argmax(1);
  }

  public static void main(String[] args) {
    try (var _ = TensorScope.open()) {
      check();
      var model = Model.of(Init.xavierUniform(), Philox.of(1));
      System.out.println(model.ear().explain(Batch.of(Philox.of(0)).x()));
      time(model);
      train(model);
    }
  }

  /** Compares gradients with differences, to second order, in F64 and on a small cell. */
  static void check() {
    try (var _ = TensorScope.open()) {
      var rng = Philox.of(1);
      var layer = Recurrent.of(CoRnn.of(3, 4, 1.5, Init.xavierUniform().as(DType.F64), rng));
      Tensor x = rng.normal(DType.F64, 0, 1, 5, 2, 3);
      System.out.println(GradCheck.of(() -> layer.apply(x), layer.parameters()).require());
    }
  }

  static void time(Model model) {
    var batch = Batch.of(Philox.of(0));
    Runnable step =
        () -> {
          try (var _ = TensorScope.open()) {
            Grad.of(
                () -> Loss.crossEntropy(model.logits(batch.x()), batch.y()), model.parameters());
          }
        };
    for (int i = 0; i < 200; i++) {
      step.run();
    } // until it is compiled
    long start = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      step.run();
    }
    System.out.printf(
        "a gradient in %.2f ms, carousel.fused=%s%n",
        (System.nanoTime() - start) / 50e6, System.getProperty("carousel.fused", "on"));
  }

  static void train(Model model) {
    var parameters = model.parameters();
    var adam = Adam.of(parameters, 0.01);
    var schedule = Schedule.cosine(0.01, 0.0005, STEPS);
    for (int step = 0; step < STEPS; step++) {
      try (var _ = TensorScope.open()) {
        var batch = Batch.of(Philox.of(2).split(step));
        adam.learningRate(schedule.rate(step));
        var gradients =
            Grad.of(() -> Loss.crossEntropy(model.logits(batch.x()), batch.y()), parameters);
        adam.step(gradients.clipNorm(1));
        if (step % 200 == 199) {
          System.out.printf("step %4d  %.4f%n", step + 1, gradients.value().item());
        }
      }
    }
    double right = 0, possible = 0;
    for (int i = 0; i < 40; i++) {
      try (var _ = TensorScope.open()) {
        var batch = Batch.of(Philox.of(3).split(i));
        right += share(model.logits(batch.x()).argmax(1), batch.y());
        possible += share(best(batch.x()), batch.y());
      }
    }
    System.out.printf(
        "new waves, tone right: %.1f %%, best possible %.1f %%, guessing %.1f %%%n",
        right / 40 * 100, possible / 40 * 100, 100.0 / TONES);
  }

  static double share(Tensor said, Tensor right) {
    return said.eq(right).cast(DType.F64).mean().item();
  }
}
