package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Profile;
import carousel.nn.init.Init;
import carousel.nn.optim.Adam;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.junit.jupiter.api.Test;

/** A step of training as it is: by the kernels of the cell, and one pass for the weights. */
class ProfileStepTest {
  @Test
  void kernelsAreRows() {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(Lstm.of(4, 8, Init.xavierUniform(), Philox.of(1)));
      var optimizer = Adam.of(layer.parameters(), 0.01);
      Tensor x = Philox.of(2).normal(DType.F32, 0, 1, 5, 3, 4);
      var profile =
          Profile.of(() -> {
            optimizer.step(Grad.of(() -> layer.apply(x).square().mean(), layer.parameters()));
            return optimizer.steps();
          });
      assertThat(profile.value()).isEqualTo(1);
      assertThat(profile.rows())
          .anyMatch(r -> r.op().equals("lstm.scan") && r.gradientOf().isEmpty())
          .anyMatch(r -> r.op().equals("lstm.scan") && r.gradientOf().equals("lstm.scan"))
          .anyMatch(r -> r.op().equals("update"))
          .anyMatch(r -> r.op().equals("square") && r.place().startsWith("ProfileStepTest.java:"))
          .allMatch(r -> r.place().matches("\\w+\\.java:\\d+"))
          .noneMatch(r -> r.op().equals("sigmoid"));
    }
  }
}
