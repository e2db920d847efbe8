package carousel.user;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.autograd.Profile;
import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Sequential;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A step of training as it is, by the kernels of the cell, and one pass for the weights; seen from a program, which is
 * in no package of the library.
 */
class ProfileStepTest {
  private static final String HERE = "ProfileStepTest.java:";

  private record Model(Recurrent<?> lstm, Sequential head) implements Layer {
    Tensor loss(Tensor x) {
      Tensor h = lstm.apply(x);
      Tensor y = head.apply(h);
      return Loss.mse(y, x);
    }
  }

  private static Model model() {
    var init = Init.xavierUniform();
    var rng = Philox.of(1);
    return new Model(
        Recurrent.of(Lstm.of(4, 8, init, rng)),
        Sequential.of(LayerNorm.of(8), Linear.of(8, 4, init, rng), Tensor::softplus));
  }

  private static List<Profile.Row> rows(Profile<?> profile, String op) {
    return profile.rows().stream()
        .filter(r -> r.op().equals(op) && r.gradientOf().isEmpty())
        .toList();
  }

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
          .anyMatch(r -> r.op().equals("square") && r.through().isEmpty())
          .allMatch(r -> r.place().matches("ProfileStepTest\\.java:\\d+"))
          .noneMatch(r -> r.op().equals("sigmoid"));
    }
  }

  /** The program's line tells two uses of a layer apart, and the layer's which of its ops it is. */
  @Test
  void placesAreTheProgramsAndTheLayersBesideThem() {
    try (var scope = TensorScope.open()) {
      var model = model();
      Tensor x = Philox.of(2).normal(DType.F32, 0, 1, 5, 3, 4);
      var parameters = model.parameters();
      var optimizer = Adam.of(parameters, 0.01);
      var profile =
          Profile.of(() -> {
            Gradients g = Grad.of(() -> model.loss(x), parameters);
            optimizer.step(g);
            return g;
          });
      assertThat(profile.rows()).allMatch(r -> r.place().startsWith(HERE));
      String scan = rows(profile, "lstm.scan").getFirst().place();
      String head = rows(profile, "linear").getFirst().place();
      int line = Integer.parseInt(scan.substring(HERE.length()));
      assertThat(head).isEqualTo(HERE + (line + 1));
      assertThat(rows(profile, "lstm.scan").getFirst().through()).startsWith("Scanner.java:");
      assertThat(rows(profile, "linear").getFirst().through()).startsWith("Linear.java:");
      for (String layer : List.of("LayerNorm.java:", "Linear.java:", "Sequential.java:")) {
        assertThat(profile.rows())
            .filteredOn(r -> r.through().startsWith(layer))
            .as(layer)
            .isNotEmpty()
            .allMatch(r -> r.place().equals(head));
      }
      assertThat(profile.rows())
          .filteredOn(r -> r.through().startsWith("Loss.java:") && r.gradientOf().isEmpty())
          .isNotEmpty()
          .allMatch(r -> r.place().equals(HERE + (line + 2)));
      assertThat(rows(profile, "update").getFirst().through()).startsWith("Optimizer.java:");
      // What gradients are made of is the engine's; the program asked for all of it in one line.
      assertThat(profile.rows())
          .filteredOn(r -> !r.gradientOf().isEmpty())
          .isNotEmpty()
          .allMatch(r -> r.through().isEmpty())
          .extracting(Profile.Row::place)
          .containsOnly(
              profile.rows().stream()
                  .filter(r -> r.gradientOf().equals("lstm.scan"))
                  .findFirst()
                  .orElseThrow()
                  .place());
      assertThat(profile.toString()).contains(" at " + head + " in Linear.java:");
      assertThat(profile.by(Profile.Row::place)).containsKeys(scan, head);
    }
  }
}
