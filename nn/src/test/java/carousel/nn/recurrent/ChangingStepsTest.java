package carousel.nn.recurrent;

import static carousel.nn.recurrent.KernelAndBody.close;
import static carousel.nn.recurrent.KernelAndBody.requireSame;
import static carousel.nn.recurrent.Strange.H;
import static carousel.nn.recurrent.Strange.x;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Training;
import carousel.nn.layer.Dropout;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * What a step reads may change from call to call, or from step to step: each of these once got a kernel that computed
 * something else.
 */
class ChangingStepsTest {
  /** A projection that draws is computed once, whatever runs it; and asking what runs it draws nothing. */
  @Test
  void aProjectionMayDraw() {
    try (var scope = TensorScope.open()) {
      Tensor x = x(DType.F64);
      var cell = new Drawing(x.dim(2));
      var layer = Recurrent.of(cell);
      var fresh = Philox.of(32);
      Tensor first = Training.with(fresh, () -> layer.run(x).y());
      long drawn = fresh.counter();
      for (int k = 0; k < 3; k++) {
        var rng = Philox.of(32);
        Training.with(rng, () -> layer.explain(x));
        assertThat(rng.counter()).isZero();
        assertThat(Training.with(rng, () -> layer.run(x).y()).sameValues(first)).isTrue();
        assertThat(rng.counter()).isEqualTo(drawn);
      }
      var rng = Philox.of(32);
      Tensor body = FusedContract.BODIES.run(() -> Training.with(rng, () -> layer.run(x).y()));
      close("body", first, body, 1e-12);
      assertThat(rng.counter()).isEqualTo(drawn);
    }
  }

  /** Drops of its input, by itself. */
  private record Drawing(int outputs) implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return outputs;
    }

    @Override
    public Tensor project(Tensor x) {
      return new Dropout(0.4).apply(x);
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(z.add(state.h().mul(0.5)).tanh());
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(Tensor.zeros(DType.F64, batch, outputs));
    }
  }

  @Test
  void dropoutInAStepIsThereInTrainingAlsoAfterEvaluation() {
    try (var scope = TensorScope.open()) {
      var dropout = new Dropout(0.5);
      Tensor x = x(DType.F64);
      var cell =
          Strange.of(
              DType.F64, H, x, (c, z, h) -> z.add(dropout.apply(h).matmul(c.w().value())).tanh());
      Tensor evaluated = Recurrent.of(cell).apply(x);
      Tensor trained = Training.with(Philox.of(1), () -> Recurrent.of(cell).apply(x));
      Tensor body =
          FusedContract.BODIES.run(
              () -> Training.with(Philox.of(1), () -> Recurrent.of(cell).apply(x)));
      close("training", trained, body, 1e-12);
      assertThat(trained.sub(evaluated).abs().max().item()).isGreaterThan(0.01);
      close("evaluation", Recurrent.of(cell).apply(x), evaluated, 1e-15);
    }
  }

  @Test
  void aTensorThatIsWrittenInPlaceIsReadAtEveryCall() {
    try (var scope = TensorScope.open()) {
      Tensor rate = Tensor.full(DType.F64, 0.25);
      Tensor x = x(DType.F64);
      var cell =
          Strange.of(
              DType.F64,
              H,
              rate,
              (c, z, h) -> {
                Tensor next = z.add(h.matmul(c.w().value())).tanh();
                return h.mul(c.v()).add(next.mul(c.v().neg().add(1)));
              });
      requireSame(cell, x, rate);
      Tensor before = Recurrent.of(cell).apply(x);
      rate.assign(Tensor.full(DType.F64, 1));
      assertThat(Recurrent.of(cell).apply(x).abs().max().item()).as("kept zeros").isZero();
      rate.assign(Tensor.full(DType.F64, 0.75));
      requireSame(cell, x, rate);
      assertThat(Recurrent.of(cell).apply(x).sub(before).abs().max().item()).isGreaterThan(0.01);
      Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).square().sum();
      double slope = Grad.of(loss, rate).get(0).item();
      rate.assign(Tensor.full(DType.F64, 0.75 + 1e-6));
      double above = loss.get().item();
      rate.assign(Tensor.full(DType.F64, 0.75 - 1e-6));
      assertThat(slope).isCloseTo((above - loss.get().item()) / 2e-6, within(1e-5));
    }
  }

  @Test
  void aNumberThatChangesIsReadAtEveryCall() {
    try (var scope = TensorScope.open()) {
      double[] temperature = {0.5};
      Tensor x = x(DType.F64);
      var cell =
          Strange.of(
              DType.F64,
              H,
              x,
              (c, z, h) -> z.mul(temperature[0]).add(h.matmul(c.w().value())).tanh());
      for (double t : new double[] {0.5, 2, 3, 2, 0, 1, -1.5, 0.5}) {
        temperature[0] = t;
        requireSame(cell, x);
      }
      temperature[0] = 0;
      assertThat(Recurrent.of(cell).apply(x).abs().max().item()).as("input at 0").isZero();
    }
  }

  @Test
  void aBodyMayReadTensorsAndNumbersOfItsOwn() {
    try (var scope = TensorScope.open()) {
      Tensor slope = Tensor.full(DType.F64, 2);
      double[] shift = {1};
      var composite = Composite.of("scaled", t -> t.mul(slope).add(shift[0]).tanh());
      Tensor x = x(DType.F64);
      for (double s : new double[] {1, 3, -2}) {
        shift[0] = s;
        slope.assign(Tensor.full(DType.F64, s / 2));
        Supplier<Tensor> loss = () -> Op.apply(composite, x).square().sum();
        var kernel = Grad.of(loss, x, slope);
        var body = FusedContract.BODIES.run(() -> Grad.of(loss, x, slope));
        close("loss", kernel.value(), body.value(), 1e-12);
        close("by x", kernel.get(0), body.get(0), 1e-12);
        close("by the slope", kernel.get(1), body.get(1), 1e-12);
        assertThat(kernel.get(1).abs().item()).isGreaterThan(1e-3);
      }
    }
  }

  @Test
  void aTensorOfOneNumberThatIsHeldIsNoConstant() {
    try (var scope = TensorScope.open()) {
      Tensor held = Tensor.full(DType.F64, 0.5, H);
      Tensor x = x(DType.F64);
      var cell =
          Strange.of(
              DType.F64, H, held, (c, z, h) -> z.add(h.matmul(c.w().value())).mul(c.v()).tanh());
      requireSame(cell, x, held);
      Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).square().sum();
      assertThat(Grad.of(loss, held).get(0).abs().max().item()).isGreaterThan(1e-3);
    }
  }

  @Test
  void aStepMayLookAtValues() {
    try (var scope = TensorScope.open()) {
      Tensor x = x(DType.F64);
      List<Double> seen = new ArrayList<>();
      var cell =
          Strange.of(
              DType.F64,
              H,
              x,
              (c, z, h) -> {
                double greatest = z.abs().max().item();
                seen.add(greatest);
                return z.div(greatest).add(h.matmul(c.w().value())).tanh();
              });
      requireSame(cell, x);
      assertThat(seen).doesNotContain(0.0);
    }
  }

  @Test
  void aNumberThatIsAnotherAtEveryStepIsNoConstant() {
    try (var scope = TensorScope.open()) {
      Tensor x = x(DType.F64);
      var random = new SplittableRandom(1);
      var cell = Strange.of(DType.F64, H, x, (c, z, h) -> z.mul(0).add(random.nextDouble()));
      Tensor y = Recurrent.of(cell).apply(x);
      for (int t = 1; t < x.dim(0); t++) {
        assertThat(y.get(t, 0, 0)).isNotEqualTo(y.get(t - 1, 0, 0));
      }
    }
  }
}
