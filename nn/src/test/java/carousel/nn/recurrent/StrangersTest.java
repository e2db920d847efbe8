package carousel.nn.recurrent;

import static carousel.nn.recurrent.KernelAndBody.close;
import static carousel.nn.recurrent.KernelAndBody.requireKernel;
import static carousel.nn.recurrent.KernelAndBody.requireSame;
import static carousel.nn.recurrent.Strange.D;
import static carousel.nn.recurrent.Strange.H;
import static carousel.nn.recurrent.Strange.x;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What cells do that was not thought of when kernels were: each of these once got a kernel
 * that computed something else.
 */
class StrangersTest {
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aPieceOfTheInputIsMultipliedAsItIs(DType type) {
    try (var scope = TensorScope.open()) {
      Strange.Step all = (c, z, h) -> z.matmul(c.u().value()).add(h.matmul(c.w().value())).tanh();
      requireSame(Strange.of(type, H, x(type), all), x(type));
      Strange.Step half =
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
      Strange.Step step =
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
      Strange.Step step =
          (c, z, h) -> z.add(h.mul(held.prod(1, false))).mul(held.softmax(1).max(1)).tanh();
      var cell = Strange.of(type, H, x(type), step);
      requireKernel(cell, x(type));
      Agreement.trusting(() -> {
        requireSame(cell, x(type), held);
        return true;
      });
    }
  }

  /** A single column is the same in all, and is left nowhere: what is made of it is made in one piece. */
  @ParameterizedTest
  @ValueSource(ints = {4, 24, 150})
  void aLongFormulaOfASingleColumn(int rounds) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(11);
      Tensor x = rng.normal(DType.F64, 1, 4, 3, 2, D);
      Strange.Step step =
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
      Strange.Step step =
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
      Strange.Step step =
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
      Strange.Step step =
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
}
