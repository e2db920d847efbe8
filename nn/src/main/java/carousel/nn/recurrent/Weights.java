package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.check.Operands;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.GateOrder;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What cells share in making and checking their weights. */
final class Weights {
  private Weights() {}

  static Parameter zeros(Init like, int... dims) {
    return Init.zeros().as(like.dtype()).parameter(Philox.of(0), dims);
  }

  /** Checks that a weight has the shape that the others imply. */
  static void check(String cell, String name, Parameter weight, int... dims) {
    Operands.present(cell, name, weight);
    var wanted = Shape.of(dims);
    if (!weight.value().shape().equals(wanted)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s must have shape %s to fit the other weights, got %s",
              cell,
              name,
              wanted,
              weight.value().shape()));
    }
  }

  static int rows(Parameter weight) {
    return weight.value().dim(0);
  }

  /** Of a weight that is being given. */
  static int rows(String cell, String name, Parameter weight) {
    return rows(Operands.present(cell, name, weight));
  }

  static Tensor zeros(Parameter like, int batch, int features) {
    return like.value().zerosLike(Shape.of(batch, features));
  }

  /** Zeros in a tensor each: what is written to one, or its gradient, is not the other's. */
  static LstmState zeroLstmState(Parameter like, int batch, int features) {
    return new LstmState(zeros(like, batch, features), zeros(like, batch, features));
  }

  /** Checks a bias, if there is one. */
  static void checkBias(String cell, String name, @Nullable Parameter bias, int size) {
    if (bias != null) {
      check(cell, name, bias, size);
    }
  }

  /** The bias of a cell, of zeros, to which no gradient flows, where it has none. */
  static Tensor bias(AffineCell<?> cell) {
    Parameter bias = cell.b();
    Tensor wx = cell.wx().value();
    return bias == null ? wx.zerosLike(Shape.of(wx.dim(1))) : bias.value();
  }

  /** {@code z + h·w}. */
  static Tensor plus(Tensor z, Tensor h, Parameter weight) {
    return z.add(h.matmul(weight.value()));
  }

  /** A copy of a bias with the block of one gate set to a value. */
  static Parameter withBlock(@Nullable Parameter bias, GateOrder gates, String gate, double value) {
    if (bias == null) {
      throw new TensorException(
          "the cell has no biases, so the gate " + gate + " has none to start at " + value);
    }
    var copy = Parameter.of(bias.value());
    gates.block(copy.value(), 0, gate).fill(value);
    return copy;
  }
}
