package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What cells and composites do that was not thought of when kernels were: each of these once got a kernel
 * that computed something else.
 */
class StrangersTest {
  private static final int H = 5;
  private static final int D = 3;

  /** One step of a cell of this test. */
  @FunctionalInterface
  interface StepOf {
    Tensor apply(Strange cell, Tensor z, Tensor h);
  }

  /** A cell whose step is given; v is what it reads beside its weights. */
  record Strange(Parameter wx, Parameter b, Parameter u, Parameter w, Tensor v, StepOf code)
      implements AffineCell<HiddenState> {
    static Strange of(DType type, int columns, Tensor v, StepOf code) {
      var init = Init.uniform(0.5).as(type);
      var rng = Philox.of(3);
      return new Strange(
          init.parameter(rng, D, columns),
          init.parameter(rng, columns),
          init.parameter(rng, H, H),
          init.parameter(rng, H, H),
          v,
          code);
    }

    @Override
    public Parameters parameters() {
      return Parameters.of(
          List.of(
              new Parameters.Named("wx", wx),
              new Parameters.Named("b", b),
              new Parameters.Named("u", u),
              new Parameters.Named("w", w)));
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(code.apply(this, z, state.h()));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(u.value().zerosLike(Shape.of(batch, H)));
    }
  }

  private static Tensor x(DType type) {
    return Philox.of(5).normal(type, 0, 1, 6, 4, D);
  }

  /** Value and gradients, by x, by all weights and by what else is given, are those of the body. */
  private static void requireSame(Cell<?> cell, Tensor x, Tensor... others) {
    Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).square().sum();
    List<Tensor> leaves = new ArrayList<>(List.of(x));
    cell.parameters().forEach(named -> leaves.add(named.value()));
    leaves.addAll(List.of(others));
    Tensor[] all = leaves.toArray(new Tensor[0]);
    var kernel = Grad.orZero(loss, all);
    var body = FusedContract.BODIES.run(() -> Grad.orZero(loss, all));
    double tolerance = x.dtype() == DType.F32 ? 1e-4 : 1e-12;
    close("loss", kernel.value(), body.value(), tolerance);
    for (int i = 0; i < all.length; i++) {
      close("gradient " + i, kernel.get(i), body.get(i), tolerance);
    }
  }

  /** Where there are kernels, there is one of this cell. */
  private static void requireKernel(Cell<?> cell, Tensor x) {
    if (FusedContract.VECTORS && x.device() == Device.cpu()) {
      assertThat(Recurrent.of(cell).explain(x)).contains("one kernel");
    }
  }

  private static void close(String what, Tensor actual, Tensor expected, double tolerance) {
    double size = Math.max(1, expected.abs().max().item());
    assertThat(actual.sub(expected).abs().max().item() / size).as(what).isLessThan(tolerance);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aPieceOfTheInputIsMultipliedAsItIs(DType type) {
    try (var scope = TensorScope.open()) {
      StepOf all = (c, z, h) -> z.matmul(c.u().value()).add(h.matmul(c.w().value())).tanh();
      requireSame(Strange.of(type, H, x(type), all), x(type));
      StepOf half =
          (c, z, h) -> {
            List<Tensor> parts = z.chunk(2, Tensor.LAST);
            Tensor product = parts.get(0).matmul(c.u().value());
            return product.add(parts.get(1)).add(h.matmul(c.w().value())).tanh();
          };
      requireSame(Strange.of(type, 2 * H, x(type), half), x(type));
    }
  }

  /** Cuts of one weight's columns once went to another, as a product of a piece was taken for one of x alone. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aProductOfAPieceIsCutWhereItIsCut(DType type) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(6);
      Tensor wide = rng.normal(type, 0, 1, H, 4);
      Tensor one = rng.normal(type, 0, 1, 1, 1);
      Tensor three = rng.normal(type, 0, 1, 4, 3);
      Tensor back = rng.normal(type, 0, 1, 1, H);
      StepOf step =
          (c, z, h) -> {
            Tensor all = z.add(h.matmul(wide));
            Tensor piece = all.narrow(1, 0, 1).matmul(one);
            Tensor sums = all.matmul(three).add(piece);
            return sums.chunk(3, Tensor.LAST).get(1).matmul(back).tanh();
          };
      var cell = Strange.of(type, 4, x(type), step);
      requireKernel(cell, x(type));
      Agreement.trusting(() -> {
        requireSame(cell, x(type), wide, one, three, back);
        return true;
      });
    }
  }

  /** What a step computes of tensors that it holds is no part of the trace, composites neither. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void whatIsComputedOfHeldTensorsIsComputedOnce(DType type) {
    try (var scope = TensorScope.open()) {
      Tensor held = Philox.of(8).normal(type, 1, 0.2, H, 4);
      StepOf step =
          (c, z, h) -> z.add(h.mul(held.prod(1, false))).mul(held.softmax(1).max(1)).tanh();
      var cell = Strange.of(type, H, x(type), step);
      requireKernel(cell, x(type));
      Agreement.trusting(() -> {
        requireSame(cell, x(type), held);
        return true;
      });
    }
  }

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

  /** A single column is the same in all, and is left nowhere: what is made of it is made in one piece. */
  @ParameterizedTest
  @ValueSource(ints = {4, 24, 150})
  void aLongFormulaOfASingleColumn(int rounds) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(11);
      Tensor x = rng.normal(DType.F64, 1, 4, 3, 2, D);
      StepOf step =
          (c, z, h) -> {
            Tensor one = z.narrow(1, 0, 1);
            for (int round = 0; round < rounds; round++) {
              Tensor size = one.abs();
              Tensor small = size.lt(0.5).and(size.gt(0));
              Tensor grown = Tensor.where(small, one.mul(2), one.add(0.01));
              one =
                  Tensor.where(size.ge(2), one.mul(0.5), grown)
                      .mul(one.sigmoid())
                      .mul(0.5)
                      .add(0.3);
            }
            return z.narrow(1, 0, H).mul(one).add(h.mul(0.5));
          };
      var cell = Strange.of(DType.F64, 2 * H, x, step);
      requireKernel(cell, x);
      Agreement.trusting(() -> {
        requireSame(cell, x);
        return true;
      });
    }
  }

  /** What has more ops one after the other than a stack holds has no kernel, and says so. */
  @Test
  @Tag("cpu") // which has kernels of any cell
  void aFormulaWithoutEnd() {
    try (var scope = TensorScope.open()) {
      Tensor x = Philox.of(11).normal(DType.F64, 1, 2, 3, 2, D);
      StepOf step =
          (c, z, h) -> {
            Tensor one = z.narrow(1, 0, 1);
            for (int i = 0; i < 10_000; i++) {
              one = Tensor.where(one.lt(0.5), one.mul(0.5), one.mul(0.25)).add(0.3);
            }
            return z.narrow(1, 0, H).mul(one).add(h.mul(0.5));
          };
      var cell = Strange.of(DType.F64, 2 * H, x, step);
      requireSame(cell, x);
      assertThat(Recurrent.of(cell).explain(x)).contains("no kernel", "stack");
    }
  }

  /** A loop that ends with nothing to leave for the next, but a mask, which is made again. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aLongLoopMayEndWithAMask(DType type) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(7);
      int columns = 56;
      Tensor weights = rng.normal(type, 0, 0.3, columns, 2 * H);
      Tensor x = rng.normal(type, 1, 0.1, 3, 2, D);
      StepOf step =
          (c, z, h) -> {
            Tensor product = z.prod(-1, true);
            Tensor half = z.matmul(weights).narrow(1, H, H);
            return Tensor.where(half.lt(0.5), z.scalarLike(0.5), product).add(h.mul(0.5));
          };
      var cell = Strange.of(type, columns, x, step);
      requireKernel(cell, x);
      Agreement.trusting(() -> {
        requireSame(cell, x, weights);
        return true;
      });
    }
  }

  /** Equals share the gradient of the greatest, also where columns are cut and one piece has more of them. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void theGreatestOfPiecesGivesEqualsTheSame(DType type) {
    try (var scope = TensorScope.open()) {
      Tensor held = Tensor.of(0.0, 1, 1, 0, 1, 1, 1, 0).cast(type).narrow(0, 0, H);
      StepOf step =
          (c, z, h) -> {
            Tensor all = h.mul(0).add(held);
            Tensor greatest = all.max(-1, true).add(all.min(-1, true).mul(3));
            Tensor weights = all.narrow(1, 0, 1).mul(all.narrow(1, 3, 1)).add(1);
            return z.tanh().mul(greatest).mul(weights).add(h.mul(0.5));
          };
      var cell = Strange.of(type, H, x(type), step);
      requireKernel(cell, x(type));
      Agreement.trusting(() -> {
        requireSame(cell, x(type), held);
        return true;
      });
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

  /** As an affine cell, but the input is squared. */
  record Squaring(Parameter wx, Parameter b, Parameter w) implements AffineCell<HiddenState> {
    @Override
    public Tensor project(Tensor x) {
      return x.square().matmul(wx.value()).add(b.value()).tanh();
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(z.add(state.h().matmul(w.value())).tanh());
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(w.value().zerosLike(Shape.of(batch, H)));
    }
  }

  @Test
  void anAffineCellMayProjectInItsOwnWay() {
    try (var scope = TensorScope.open()) {
      var init = Init.uniform(0.5).as(DType.F64);
      var rng = Philox.of(3);
      var cell =
          new Squaring(
              init.parameter(rng, D, H), init.parameter(rng, H), init.parameter(rng, H, H));
      Tensor x = x(DType.F64);
      requireSame(cell, x);
      // One step from zeros, by hand.
      Tensor first = x.select(0, 0).square().matmul(cell.wx().value()).add(cell.b().value());
      close("y", Recurrent.of(cell).apply(x).select(0, 0), first.tanh().tanh(), 1e-14);
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
