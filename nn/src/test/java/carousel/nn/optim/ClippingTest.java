package carousel.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gradients are clipped as PyTorch's {@code clip_grad_norm_} and {@code clip_grad_value_} do. */
class ClippingTest {
  private static final Golden GOLDEN = Golden.load("clipping");
  private static final List<String> NAMES = List.of("a", "b", "c");

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  /** The golden's gradients, as those of the loss {@code Σ g ⊙ p}. */
  private static Gradients gradients() {
    var wanted =
        NAMES.stream()
            .map(name ->
                Tensor.of(Shape.of(GOLDEN.shape("grad." + name)), GOLDEN.values("grad." + name)))
            .toList();
    var parameters = wanted.stream().map(Tensor::zerosLike).toArray(Tensor[]::new);
    return Grad.of(
        () -> {
          Tensor loss = wanted.getFirst().mul(parameters[0]).sum();
          for (int i = 1; i < parameters.length; i++) {
            loss = loss.add(wanted.get(i).mul(parameters[i]).sum());
          }
          return loss;
        },
        parameters);
  }

  private static void expect(String key, Gradients actual) {
    for (int i = 0; i < NAMES.size(); i++) {
      GOLDEN.expect(key + "." + NAMES.get(i), actual.get(i).toDoubleArray(), 1e-13);
    }
  }

  @Test
  void byNorm() {
    var gradients = gradients();
    double norm = GOLDEN.tensor("norm.small.norm").item();
    assertThat(gradients.norm()).isCloseTo(norm, within(1e-13 * norm));
    expect("norm.small", gradients.clipNorm(0.5));
    expect("norm.large", gradients.clipNorm(50));
  }

  @Test
  void byValue() {
    expect("value", gradients().clipValue(0.4));
  }
}
