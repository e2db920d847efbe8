package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;

/** A cell whose step is given; v is what it reads beside its weights. */
record Strange(Parameter wx, Parameter b, Parameter u, Parameter w, Tensor v, Step code)
    implements AffineCell<HiddenState> {
  /** Units. */
  static final int H = 5;

  /** Inputs. */
  static final int D = 3;

  /** What it does. */
  @FunctionalInterface
  interface Step {
    Tensor apply(Strange cell, Tensor z, Tensor h);
  }

  static Strange of(DType type, int columns, Tensor v, Step code) {
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

  /** A sequence that it may read. */
  static Tensor x(DType type) {
    return Philox.of(5).normal(type, 0, 1, 6, 4, D);
  }
}
