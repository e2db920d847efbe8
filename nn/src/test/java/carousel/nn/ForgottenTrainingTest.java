package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Noise;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.jvm.FreshJvm;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Noise that is off where a gradient is taken is said to be, once. */
class ForgottenTrainingTest {

  /** Each line is a mark, so that what is logged can be told by what it stands between. */
  public static final class Program {
    private Program() {}

    /** Runs what is meant, then what may be a mistake, twice. */
    public static void main(String[] args) {
      try (var run = TensorScope.open()) {
        var dropout = new Dropout(0.5);
        Tensor x = Tensor.ones(3);
        System.out.println("no gradient: " + dropout.apply(x).size());
        Grad.of(() -> Training.with(Philox.of(1), () -> dropout.apply(x).sum()), x);
        Grad.of(() -> Training.without(() -> dropout.apply(x).sum()), x);
        Grad.of(() -> new Dropout(0).apply(x).sum(), x);
        Grad.of(() -> Grad.off(() -> dropout.apply(x)).mul(x).sum(), x);
        var quiet = Recurrent.of(Lstm.of(2, 2, Init.normal(1), Philox.of(1)));
        Tensor steps = Tensor.ones(2, 1, 2);
        Grad.of(() -> quiet.apply(steps).sum(), steps);
        System.out.println("meant: all that");
        if (args.length == 0) {
          Grad.of(() -> dropout.apply(x).sum(), x);
        } else {
          Grad.of(() -> quiet.withNoise(Noise.none().outputs(0.5)).apply(steps).sum(), steps);
        }
        System.out.println("forgotten: once");
        Grad.of(() -> dropout.apply(x).sum(), x);
        System.out.println("forgotten: twice");
      }
    }
  }

  /** The same of the noise of a recurrent layer. */
  public static final class Recurrence {
    private Recurrence() {}

    /** Runs it. */
    public static void main(String[] args) {
      Program.main(new String[] {"recurrent"});
    }
  }

  @Test
  void isSaidOnce() {
    for (Class<?> main : List.of(Program.class, Recurrence.class)) {
      var outcome = FreshJvm.run(List.of(main, Training.class, Grad.class, Tensor.class));
      assertThat(outcome.exit()).as(outcome.output()).isZero();
      assertThat(outcome.output())
          .containsOnlyOnce(
              "outside of Training.with(rng, ..), and is off there; in PyTorch it would be on")
          .containsSubsequence(
              "meant: all that",
              "noise, such as dropout, met a gradient",
              "forgotten: once",
              "forgotten: twice");
    }
  }
}
