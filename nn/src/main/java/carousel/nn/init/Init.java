package carousel.nn.init;

import carousel.nn.Parameter;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Distribution;
import java.util.stream.IntStream;

/**
 * How a weight starts: a recipe from a generator, a type and a shape to values.
 *
 * <p>The seed is not part of a recipe. It flows through the {@link Philox} that a model hands to its
 * layers, which draw from it in the order in which they are made: the same seed gives the same model
 * on every device. A recipe carries the type of the weights instead, F32 unless {@link #as} says
 * otherwise.
 *
 * <p>Weights are laid out as the equations read them, {@code x [N,in] · w [in,out]}; of {@code
 * [k..,in,out]}, a kernel of k positions, each position counts: {@code fanIn = in · Πk}, {@code
 * fanOut = out · Πk}. Where several matrices lie beside each other, as those of an LSTM's gates do in
 * {@code [H,4H]}, {@link #perBlock} gives each its own fans.
 */
@FunctionalInterface
public interface Init {
  /**
   * Makes the values.
   *
   * @param rng where random numbers come from
   * @param dtype F32 or F64
   * @param shape the shape of the weight
   * @return a tensor of that type and shape
   */
  Tensor sample(Philox rng, DType dtype, Shape shape);

  /**
   * {@return the type of the weights that layers make by this recipe, F32 unless set by {@link
   * #as}}
   */
  default DType dtype() {
    return DType.F32;
  }

  /**
   * This recipe for weights of a type, e.g. F64 for a gradient check.
   *
   * @param dtype F32 or F64
   * @return the recipe
   */
  default Init as(DType dtype) {
    return new Typed(this, dtype);
  }

  /**
   * A parameter that starts by this recipe.
   *
   * @param rng where random numbers come from
   * @param dims the shape
   * @return a parameter of type {@link #dtype()}
   */
  default Parameter parameter(Philox rng, int... dims) {
    return Parameter.of(() -> sample(rng, dtype(), Shape.of(dims)));
  }

  /**
   * The last axis cut into blocks of equal size, each made by this recipe for itself, as the matrices
   * of a cell's gates: {@code orthogonal().perBlock(4)} makes {@code [H,4H]} of four orthogonal
   * matrices.
   *
   * @param blocks how many, a divisor of the last axis
   * @return the recipe
   */
  default Init perBlock(int blocks) {
    Init block =
        (rng, dtype, shape) -> {
          int width = shape.dim(Tensor.LAST);
          if (blocks < 1 || width % blocks != 0) {
            throw new TensorException(
                "init: the last axis of "
                    + shape
                    + " does not divide into "
                    + blocks
                    + " blocks of one size");
          }
          var part = shape.with(Tensor.LAST, width / blocks);
          return Tensor.concat(
              IntStream.range(0, blocks).mapToObj(i -> sample(rng, dtype, part)).toList(),
              Tensor.LAST);
        };
    return block.as(dtype());
  }

  /**
   * {@code w = 0}.
   *
   * @return the recipe
   */
  static Init zeros() {
    return constant(0);
  }

  /**
   * {@code w = 1}.
   *
   * @return the recipe
   */
  static Init ones() {
    return constant(1);
  }

  /**
   * {@code w = value}.
   *
   * @param value the value
   * @return the recipe
   */
  static Init constant(double value) {
    return (rng, dtype, shape) -> Tensor.full(dtype, value, shape.toArray());
  }

  /**
   * {@code w ~ U[−bound, bound)}.
   *
   * @param bound half the width
   * @return the recipe
   */
  static Init uniform(double bound) {
    require(bound >= 0 && Double.isFinite(bound), "bound", bound);
    return (rng, dtype, shape) -> Fans.symmetric(rng, dtype, bound, shape);
  }

  /**
   * {@code w ~ N(0, deviation²)}.
   *
   * @param deviation the standard deviation
   * @return the recipe
   */
  static Init normal(double deviation) {
    require(deviation >= 0 && Double.isFinite(deviation), "deviation", deviation);
    return (rng, dtype, shape) -> rng.normal(dtype, 0, deviation, shape.toArray());
  }

  /**
   * {@code w ~ U[−a, a), a = √(6 / (fanIn + fanOut))} (Glorot and Bengio 2010).
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init xavierUniform() {
    return xavierUniform(1);
  }

  /**
   * {@code w ~ U[−a, a), a = gain · √(6 / (fanIn + fanOut))} (Glorot and Bengio 2010).
   *
   * @param gain of the activation that follows, e.g. 5/3 for tanh
   * @return the recipe, for weights of rank 2 or more
   */
  static Init xavierUniform(double gain) {
    return Fans.uniform(fans -> gain * Math.sqrt(6.0 / (fans.in() + fans.out())));
  }

  /**
   * {@code w ~ N(0, s²), s = √(2 / (fanIn + fanOut))} (Glorot and Bengio 2010).
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init xavierNormal() {
    return xavierNormal(1);
  }

  /**
   * {@code w ~ N(0, s²), s = gain · √(2 / (fanIn + fanOut))} (Glorot and Bengio 2010).
   *
   * @param gain of the activation that follows, e.g. 5/3 for tanh
   * @return the recipe, for weights of rank 2 or more
   */
  static Init xavierNormal(double gain) {
    return Fans.normal(fans -> gain * Math.sqrt(2.0 / (fans.in() + fans.out())));
  }

  /**
   * {@code w ~ U[−a, a), a = √(6 / fanIn)}, which keeps the variance through a ReLU (He et al.
   * 2015).
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init heUniform() {
    return Fans.uniform(fans -> Math.sqrt(6.0 / fans.in()));
  }

  /**
   * {@code w ~ N(0, 2 / fanIn)}, which keeps the variance through a ReLU (He et al. 2015).
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init heNormal() {
    return Fans.normal(fans -> Math.sqrt(2.0 / fans.in()));
  }

  /**
   * {@code w ~ U[−a, a), a = √(3 / fanIn)} (LeCun, Bottou, Orr and Müller 1998).
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init lecunUniform() {
    return Fans.uniform(fans -> Math.sqrt(3.0 / fans.in()));
  }

  /**
   * {@code w ~ N(0, 1 / fanIn)} (LeCun, Bottou, Orr and Müller 1998).
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init lecunNormal() {
    return Fans.normal(fans -> Math.sqrt(1.0 / fans.in()));
  }

  /**
   * {@code w ~ U[−a, a), a = 1 / √fanIn}, what PyTorch's linear layer starts its weight with.
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init fanInUniform() {
    return Fans.uniform(fans -> 1 / Math.sqrt(fans.in()));
  }

  /**
   * {@code w = gain · Q}, Q with orthonormal rows or columns, whichever are fewer, drawn uniformly
   * from all such matrices (Saxe, McClelland and Ganguli 2014; uniformly by Mezzadri 2007). Axes
   * before the last count as rows.
   *
   * @param gain the singular values of w
   * @return the recipe, for weights of rank 2 or more
   */
  static Init orthogonal(double gain) {
    return (rng, dtype, shape) -> {
      int columns = Fans.of(shape).columns();
      int rows = rows(shape, columns);
      int tall = Math.max(rows, columns);
      int wide = Math.min(rows, columns);
      double[] normal =
          rng.draw(Distribution.NORMAL, DType.F64, Shape.of(wide, tall)).toDoubleArray();
      double[] q = Orthonormal.columns(tall, wide, normal);
      Tensor transposed = Tensor.of(Shape.of(wide, tall), q);
      Tensor w = rows >= columns ? transposed.transpose(0, 1) : transposed;
      return w.mul(gain).cast(dtype).reshape(shape);
    };
  }

  private static int rows(Shape shape, int columns) {
    long rows = shape.size() / Math.max(1, columns);
    if (rows > Integer.MAX_VALUE) {
      throw new TensorException(
          "init: orthogonal has " + rows + " rows for " + shape + ", more than a matrix can have");
    }
    return (int) rows;
  }

  /**
   * {@link #orthogonal(double)} with gain 1.
   *
   * @return the recipe, for weights of rank 2 or more
   */
  static Init orthogonal() {
    return orthogonal(1);
  }

  /**
   * {@code w_ij = scale} where {@code i = j}, else 0: the recurrent matrix of the IRNN (Le, Jaitly
   * and Hinton 2015).
   *
   * @param scale the value on the diagonal
   * @return the recipe, for weights of rank 2, square or not
   */
  static Init identity(double scale) {
    return (rng, dtype, shape) -> {
      if (shape.rank() != 2) {
        throw new TensorException("init: identity wants a matrix, got shape " + shape);
      }
      int rows = shape.dim(0);
      int columns = shape.dim(1);
      int n = Math.min(rows, columns);
      Tensor square = Tensor.eye(dtype, n).mul(scale);
      return square.pad(0, 0, rows - n, 0).pad(1, 0, columns - n, 0);
    };
  }

  private static void require(boolean holds, String what, double got) {
    if (!holds) {
      throw new TensorException("init: " + what + " must be finite and not negative, got " + got);
    }
  }
}
