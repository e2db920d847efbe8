package org.example;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.io.Checkpoints;
import carousel.nn.io.Parts;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Sequential;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Schedule;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * A training loop with all that a real one has: a schedule, clipping, dropout, held-out data, and checkpoints
 * from which it goes on to the same bits. The data: each of four symbols repeats the one three steps before,
 * but for one in ten, which is any of the four; so the least possible loss is known.
 */
public final class TrainingLoop {
  static final int SYMBOLS = 4, LAG = 3, STEPS = 600, LENGTH = 40, ROWS = 32;
  static final double NOISE = 0.1;

  record Model(Embedding embed, Recurrent<?> lstm, Sequential head) implements Layer {
    static Model of(Philox rng) {
      var init = Init.xavierUniform();
      return new Model(
          Embedding.of(SYMBOLS, 16, Init.normal(1), rng),
          Recurrent.of(Lstm.of(16, 48, init, rng).withForgetBias(1)),
          Sequential.of(new Dropout(0.1), Linear.of(48, SYMBOLS, init, rng)));
    }

    /** The mean loss of a symbol, of those that have one {@code LAG} steps before them. */
    Tensor loss(Tensor text) {
      int read = text.dim(0) - 1;
      Tensor logits = head.apply(lstm.apply(embed.apply(text.narrow(0, 0, read))));
      return Loss.crossEntropy(
          logits.narrow(0, LAG - 1, read - LAG + 1), text.narrow(0, LAG, read - LAG + 1));
    }
  }

  /**
   * Trains in a folder from where it was left to a step, and returns the loss on held-out data and the
   * weights.
   */
  static Trained train(Path folder, int until) throws IOException {
    var model = Model.of(Philox.of(1));
    var parameters = model.parameters();
    var adam = Adam.of(parameters, 0.01);
    var schedule = Schedule.cosine(0.01, 0.0005, STEPS).warmedUp(20);
    var noise = Philox.of(2);
    var best =
        new double[] {Double.POSITIVE_INFINITY}; // an array, since a lambda below replaces it
    var parts =
        new Parts()
            .with("model", parameters)
            .with("adam", adam)
            .with("noise", noise)
            .withText("best", () -> "" + best[0], text -> best[0] = Double.parseDouble(text));
    var checkpoints = new Checkpoints(folder, 2);

    int start = (int) checkpoints.restore(parts, System.err::println);
    if (start > 0) {
      System.out.println("goes on from step " + start);
    }
    for (int step = start; step < until; step++) {
      try (var _ = TensorScope.open()) { // owns what the step makes
        // The batch depends on the number of the step alone, so that there is nothing of it to
        // save.
        Tensor text = text(Philox.of(3).split(step));
        adam.learningRate(schedule.rate(step));
        var gradients = Grad.of(() -> Training.with(noise, () -> model.loss(text)), parameters);
        if (!Double.isFinite(gradients.norm())) {
          throw new ArithmeticException("at step " + step);
        }
        adam.step(gradients.clipNorm(1));
      }
      if ((step + 1) % 100 == 0) {
        double loss = heldOut(model);
        best[0] = Math.min(best[0], loss);
        System.out.printf("step %4d  held-out %.4f%n", step + 1, loss);
        checkpoints.save(step + 1, parts);
      }
    }
    return new Trained(heldOut(model), best[0], parameters.tensors());
  }

  record Trained(double loss, double best, List<Tensor> weights) {}

  static double heldOut(Model model) {
    return heldOut(text -> model.loss(text).item());
  }

  static double heldOut(ToDoubleFunction<Tensor> loss) {
    double sum = 0;
    for (int i = 0; i < 8; i++) {
      try (var _ = TensorScope.open()) {
        sum += loss.applyAsDouble(text(Philox.of(4).split(i)));
      }
    }
    return sum / 8;
  }

  /** {@code [LENGTH,ROWS]}. */
  static Tensor text(Philox rng) {
    Tensor fresh = rng.integers(0, SYMBOLS, LENGTH, ROWS);
    Tensor isNoise = rng.bernoulli(NOISE, LENGTH, ROWS);
    int[][] text = new int[LENGTH][];
    for (int t = 0; t < LENGTH; t++) {
      text[t] = fresh.select(0, t).toIntArray();
      boolean[] noisy = isNoise.select(0, t).toBooleanArray();
      for (int n = 0; t >= LAG && n < ROWS; n++) {
        if (!noisy[n]) {
          text[t][n] = text[t - LAG][n];
        }
      }
    }
    return Tensor.of(text);
  }

  /** What one who knows the rule loses on the same text. */
  static double possible(Tensor text) {
    Tensor repeats = text.narrow(0, 0, LENGTH - LAG).eq(text.narrow(0, LAG, LENGTH - LAG));
    double share = repeats.cast(DType.F64).mean().item(), other = NOISE / SYMBOLS;
    return -share * Math.log(1 - NOISE + other) - (1 - share) * Math.log(other);
  }

  /**
   * With a folder: trains there, and goes on there if it was stopped. Without: shows that this makes no
   * difference.
   */
  public static void main(String[] args) throws IOException {
    try (var _ = TensorScope.open()) { // owns weights, and what Adam remembers
      double possible = heldOut(TrainingLoop::possible);
      if (args.length > 0) {
        double loss = train(Path.of(args[0]), STEPS).loss();
        System.out.printf("held-out %.4f, possible %.4f%n", loss, possible);
        return;
      }
      var all = train(Files.createTempDirectory("whole"), STEPS);
      Path folder = Files.createTempDirectory("halves");
      train(folder, 350); // 50 steps are lost, and made again
      var halves = train(folder, STEPS);
      boolean same = halves.best() == all.best();
      for (int i = 0; i < all.weights().size(); i++) {
        same &= all.weights().get(i).sameValues(halves.weights().get(i));
      }
      System.out.printf(
          "held-out %.4f, possible %.4f, guessing %.4f%n", all.loss(), possible, Math.log(SYMBOLS));
      System.out.println("stopped and resumed: " + (same ? "the same bits" : "DIFFERENT"));
      if (!same) {
        System.exit(1);
      }
    }
  }
}
