package carousel.tensor;

import carousel.tensor.op.Domain;
import carousel.tensor.op.Indexing;
import carousel.tensor.op.Op;
import java.util.Arrays;

/**
 * Elements chosen by a mask, by their place, or by what they are.
 *
 * <p>{@link #maskedSelect}, {@link #nonzero} and {@link #binCount} read values on the host, since the shape of
 * their result depends on them: a step of a cell that uses one has no kernel, and a device is waited for.
 */
public sealed interface Selecting permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * A value where a mask holds, else this.
   *
   * @param mask BOOL
   * @param value the value, e.g. −∞ before a softmax
   * @return a tensor of the common shape
   */
  default Tensor maskedFill(Tensor mask, double value) {
    return maskedFill(mask, Numbers.beside("maskedFill", self(), value));
  }

  /**
   * Another tensor where a mask holds, else this.
   *
   * @param mask BOOL
   * @param value taken where it holds
   * @return a tensor of the common shape
   */
  default Tensor maskedFill(Tensor mask, Tensor value) {
    Tensor x = self();
    requireMask("maskedFill", mask);
    Domain.ANY.require("maskedFill", x, value);
    var shape = Shape.broadcast("maskedFill", x.shape(), value.shape());
    Shape.broadcast("maskedFill", mask.shape(), shape);
    return Tensor.where(mask, value, x);
  }

  /**
   * The elements where a mask holds, in row-major order. The mask and this broadcast.
   *
   * @param mask BOOL
   * @return {@code [k]}
   */
  default Tensor maskedSelect(Tensor mask) {
    var shape = Shape.broadcast("maskedSelect", self().shape(), mask.shape());
    int[] places = places("maskedSelect", mask.expand(shape));
    return self().expand(shape).flatten().indexSelect(Tensor.of(places).to(self().device()), 0);
  }

  /**
   * Where elements are not 0: row i of the result is the position of the i-th of them in row-major order.
   *
   * @return I32 {@code [k, rank]}
   */
  default Tensor nonzero() {
    Tensor x = self();
    Tensor mask = x.dtype() == DType.BOOL ? x : x.ne(0);
    int[] places = places("nonzero", mask);
    int rank = x.rank();
    if ((long) places.length * rank > Integer.MAX_VALUE) {
      throw new TensorException(
          "nonzero: "
              + places.length
              + " positions of rank "
              + rank
              + " are more numbers than an array can have; take it of parts (split) of "
              + x.shape());
    }
    int[] positions = new int[places.length * rank];
    for (int i = 0; i < places.length; i++) {
      int rest = places[i];
      for (int k = rank - 1; k >= 0; k--) {
        positions[i * rank + k] = rest % x.dim(k);
        rest /= x.dim(k);
      }
    }
    return Tensor.of(Shape.of(places.length, rank), positions).to(x.device());
  }

  private static void requireMask(String op, Tensor mask) {
    if (mask.dtype() != DType.BOOL) {
      throw new TensorException(
          op
              + ": the mask must be BOOL, got "
              + mask.dtype()
              + " "
              + mask.shape()
              + "; compare it, e.g. ne(0)");
    }
  }

  private static int[] places(String op, Tensor mask) {
    requireMask(op, mask);
    if (mask.size() > Integer.MAX_VALUE) {
      throw new TensorException(
          op + ": " + mask.shape() + " has more elements than an I32 position can count");
    }
    boolean[] holds = mask.toBooleanArray();
    int[] places = new int[holds.length];
    int n = 0;
    for (int i = 0; i < holds.length; i++) {
      if (holds[i]) {
        places[n++] = i;
      }
    }
    return Arrays.copyOf(places, n);
  }

  /**
   * The lower triangle of matrices {@code [..,m,n]}: zeros above a diagonal. By a choice, not by a product:
   * infinities and NaN above it are 0, too. {@code Tensor.ones(DType.BOOL, n, n).tril(0)} is a causal mask.
   *
   * @param diagonal the last diagonal that stays: 0 the main one, above 0 one above it
   * @return a tensor of this shape
   */
  default Tensor tril(int diagonal) {
    return triangle("tril", diagonal, true);
  }

  /**
   * The upper triangle of matrices {@code [..,m,n]}: zeros below a diagonal.
   *
   * @param diagonal the first diagonal that stays: 0 the main one, above 0 one above it
   * @return a tensor of this shape
   */
  default Tensor triu(int diagonal) {
    return triangle("triu", diagonal, false);
  }

  private Tensor triangle(String op, int diagonal, boolean lower) {
    Tensor x = self();
    if (x.rank() < 2) {
      throw new TensorException(op + ": wants matrices [..,m,n], got " + x.shape());
    }
    int rows = x.dim(-2);
    int columns = x.dim(-1);
    // In F64: a sum with a diagonal far out would wrap in I32.
    Tensor row = Tensor.arange(DType.F64, diagonal, (double) rows + diagonal, 1).unsqueeze(1);
    Tensor column = Tensor.arange(DType.F64, 0, columns, 1);
    Tensor stays = (lower ? column.le(row) : column.ge(row)).to(x.device());
    return Tensor.where(stays, x, x.fullLike(Shape.SCALAR, 0));
  }

  /**
   * Elements at positions along an axis; see {@link Indexing.Gather}.
   *
   * @param index I32 of this rank
   * @param axis the axis
   * @return a tensor of the index's shape
   */
  default Tensor gather(Tensor index, int axis) {
    return Op.apply(new Indexing.Gather(self().shape().axis("gather", axis)), self(), index);
  }

  /**
   * This, with elements added at positions along an axis; see {@link Indexing.ScatterAdd}.
   *
   * @param index I32 of this rank
   * @param source what is added, of the index's shape
   * @param axis the axis
   * @return a tensor of this shape
   */
  default Tensor scatterAdd(Tensor index, Tensor source, int axis) {
    return Op.apply(
        new Indexing.ScatterAdd(self().shape().axis("scatterAdd", axis)), self(), index, source);
  }

  /**
   * This, with elements at positions along an axis replaced: {@link #scatterAdd} to what is there is
   * its relative.
   *
   * @param index I32 of this rank; of positions that repeat, the sources add up
   * @param source what is written, of the index's shape
   * @param axis the axis
   * @return a tensor of this shape
   */
  default Tensor scatter(Tensor index, Tensor source, int axis) {
    Tensor x = self();
    int a = x.shape().axis("scatter", axis);
    new Indexing.ScatterAdd(a).require("scatter", x, index, source);
    Tensor written =
        Called.by("scatter", "scatterAdd", () -> x.zerosLike().scatterAdd(index, source, a));
    Tensor count = index.zerosLike(x.shape());
    Tensor hit = count.scatterAdd(index, index.onesLike(), a).ne(0);
    return Tensor.where(hit, written, x);
  }

  /**
   * How often each of the numbers 0, 1, … is there; of I32.
   *
   * @param least how long the result is at least
   * @return I32 {@code [max(least, greatest + 1)]}
   * @throws TensorException if a number is negative
   */
  default Tensor binCount(int least) {
    Tensor x = self();
    if (x.dtype() != DType.I32) {
      throw new TensorException(
          "binCount: takes I32, got "
              + x.dtype()
              + " "
              + x.shape()
              + "; convert it with cast(DType.I32)");
    }
    if (x.size() > 0 && x.min().item() < 0) {
      throw new TensorException(
          "binCount: numbers must be 0 or more, got " + (int) x.min().item() + " in " + x.shape());
    }
    int greatest = x.size() == 0 ? -1 : (int) x.max().item();
    if (greatest == Integer.MAX_VALUE) {
      throw new TensorException(
          "binCount: up to "
              + greatest
              + " there are more bins than an axis can have positions; count what unique gives");
    }
    int bins = Math.max(least, greatest + 1);
    Tensor flat = x.flatten();
    return x.zerosLike(Shape.of(bins)).indexAdd(flat, flat.onesLike(), 0);
  }

  /**
   * Whole slices of an axis; see {@link Indexing.IndexSelect}.
   *
   * @param index I32 of any shape, whose axes take the place of the axis
   * @param axis the axis
   * @return the slices
   */
  default Tensor indexSelect(Tensor index, int axis) {
    return Op.apply(
        new Indexing.IndexSelect(self().shape().axis("indexSelect", axis)), self(), index);
  }

  /**
   * This, with slices added at positions of an axis; see {@link Indexing.IndexAdd}.
   *
   * @param index I32 of any shape
   * @param source the slices
   * @param axis the axis
   * @return a tensor of this shape
   */
  default Tensor indexAdd(Tensor index, Tensor source, int axis) {
    return Op.apply(
        new Indexing.IndexAdd(self().shape().axis("indexAdd", axis)), self(), index, source);
  }
}
