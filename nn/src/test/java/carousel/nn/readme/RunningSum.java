package carousel.nn.readme;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;

/** The program of the README: a peephole LSTM learns to add up a sequence. */
final class RunningSum {
  private RunningSum() {}

  /** Trains and returns the last loss. */
  static double train(int steps) {
    double last = Double.NaN;
    // README begins
    record Model(Recurrent<?> lstm, Linear head) implements Layer {}

    try (var run = TensorScope.open()) { // owns the weights
      var rng = Philox.of(1);
      var init = Init.xavierUniform();
      var model =
          new Model(Recurrent.of(PeepholeLstm.of(1, 32, init, rng)), Linear.of(32, 1, init, rng));
      var adam = Adam.of(model.parameters(), 0.01);
      for (int i = 0; i < steps; i++) {
        try (var step = TensorScope.open()) { // owns everything the step makes
          Tensor x = rng.uniform(DType.F32, -1, 1, 10, 32, 1); // 10 steps, 32 rows, 1 feature
          Tensor sum = x.sum(0);
          var gradients =
              Grad.of(
                  () -> Loss.mse(model.head().apply(model.lstm().run(x).last()), sum),
                  model.parameters());
          adam.step(gradients.clipNorm(5));
          last = gradients.value().item();
        }
      }
    }
    // README ends
    return last;
  }
}
