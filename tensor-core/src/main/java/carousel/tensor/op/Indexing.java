package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Locale;

/** Ops that read or add at positions given by an I32 index. */
public sealed interface Indexing extends Op {

  /**
   * {@code (x, index) → y}, {@code y[.., i, ..] = x[.., index[.., i, ..], ..]} along an axis.
   *
   * @param axis in {@code [0, rank)}
   */
  record Gather(int axis) implements Indexing {
    @Override
    public String label() {
      return "gather";
    }

    @Override
    public Vjp vjp() {
      return Vjp.of(
          Vjp.Rule.from(
              List.of(1),
              false,
              c -> c.g().zerosLike(c.shape(0)).scatterAdd(c.in(1), c.g(), axis)));
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor x = inputs[0];
      Tensor index = inputs[1];
      Checks.index(label(), index);
      Checks.sameDevice(label(), x, index);
      within(label(), index.shape(), x.shape(), axis);
      Tensor y = Engine.empty("gather", x.device(), x.dtype(), index.shape());
      x.device().backend().gather(x, axis, index, y);
      return new Tensor[] {y};
    }
  }

  /**
   * {@code (base, index, source) → y}: base plus {@code source[.., i, ..]} at {@code [..,
   * index[.., i, ..], ..]} along an axis. Repeated positions add up, in the order of i; a sum that does not fit
   * I32 is an error.
   *
   * @param axis in {@code [0, rank)}
   */
  record ScatterAdd(int axis) implements Indexing {
    @Override
    public String label() {
      return "scatterAdd";
    }

    @Override
    public Vjp vjp() {
      return Vjp.of(
          Vjp.Rule.linear(g -> g),
          Vjp.Rule.none(),
          Vjp.Rule.reading(1, (g, index) -> g.gather(index, axis)));
    }

    /**
     * Checks what it is given, for whoever is made of it.
     *
     * @param op names the caller in errors
     * @param base what is added to
     * @param index where
     * @param source what is added
     * @throws TensorException if types, devices or shapes do not fit
     */
    public void require(String op, Tensor base, Tensor index, Tensor source) {
      Domain.NUMERIC.require(op, base);
      Checks.index(op, index);
      Checks.sameType(op, base, source);
      Checks.sameDevice(op, base, index);
      Checks.sameDevice(op, base, source);
      Checks.shape(op, "the source", source, index.shape());
      within(op, index.shape(), base.shape(), axis);
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor base = inputs[0];
      Tensor index = inputs[1];
      Tensor source = inputs[2];
      require(label(), base, index, source);
      Tensor y = new Joins.Copy().evaluate(base)[0];
      y.device().backend().scatterAdd(y, axis, index, source);
      return new Tensor[] {y};
    }
  }

  /**
   * {@code (x, index) → y}: whole slices of an axis, {@code y[a.., i.., b..] = x[a.., index[i..],
   * b..]}; the axis is replaced by all axes of the index. {@code weight [V,D], tokens [T,N] →
   * [T,N,D]} is an embedding.
   *
   * @param axis in {@code [0, rank)}
   */
  record IndexSelect(int axis) implements Indexing {
    @Override
    public String label() {
      return "indexSelect";
    }

    @Override
    public Vjp vjp() {
      return Vjp.of(
          Vjp.Rule.from(
              List.of(1),
              false,
              c -> Op.apply(new IndexAdd(axis), c.g().zerosLike(c.shape(0)), c.in(1), c.g())));
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor x = inputs[0];
      Tensor index = inputs[1];
      Checks.index(label(), index);
      Checks.sameDevice(label(), x, index);
      Shape shape = replaced(x.shape(), axis, index.shape());
      Tensor y = Engine.empty("indexSelect", x.device(), x.dtype(), shape);
      Tensor rows = threefold(this, dense(x), axis, x.dim(axis));
      Tensor out =
          threefold(y, rows.dim(0), Checks.size(this, index.size(), index.shape()), rows.dim(2));
      x.device().backend().indexSelect(rows, flat(this, index), out);
      return new Tensor[] {y};
    }
  }

  /**
   * {@code (base, index, source) → y}: base plus slices of the source at the positions of an axis;
   * the adjoint of {@link IndexSelect}. Repeated positions add up, in order; a sum that does not fit I32 is an
   * error.
   *
   * @param axis in {@code [0, rank)} of the base
   */
  record IndexAdd(int axis) implements Indexing {
    @Override
    public String label() {
      return "indexAdd";
    }

    @Override
    public Vjp vjp() {
      return Vjp.of(
          Vjp.Rule.linear(g -> g),
          Vjp.Rule.none(),
          Vjp.Rule.reading(1, (g, index) -> g.indexSelect(index, axis)));
    }

    @Override
    public Tensor[] evaluate(Tensor... inputs) {
      Tensor base = inputs[0];
      Tensor index = inputs[1];
      Tensor source = inputs[2];
      Domain.NUMERIC.require(label(), base);
      Checks.index(label(), index);
      Checks.sameType(label(), base, source);
      Checks.sameDevice(label(), base, index);
      Checks.sameDevice(label(), base, source);
      Checks.shape(label(), "the source", source, replaced(base.shape(), axis, index.shape()));
      Tensor y = new Joins.Copy().evaluate(base)[0];
      Tensor rows = threefold(this, y, axis, base.dim(axis));
      Tensor added =
          threefold(
              dense(source),
              rows.dim(0),
              Checks.size(this, index.size(), index.shape()),
              rows.dim(2));
      y.device().backend().indexAdd(rows, flat(this, index), added);
      return new Tensor[] {y};
    }
  }

  private static void within(String op, Shape index, Shape x, int axis) {
    if (index.rank() != x.rank()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: the index %s has rank %d, what it looks into, %s, rank %d; give it all axes"
                  + " (unsqueeze), or use indexSelect for whole slices",
              op,
              index,
              index.rank(),
              x,
              x.rank()));
    }
    boolean fits = true;
    for (int k = 0; fits && k < x.rank(); k++) {
      fits = k == axis || index.dim(k) <= x.dim(k);
    }
    if (!fits) {
      throw new TensorException(
          op + ": index " + index + " does not lie within " + x + " beside axis " + axis);
    }
  }

  private static Shape replaced(Shape x, int axis, Shape index) {
    Shape s = x.without(axis);
    for (int k = index.rank() - 1; k >= 0; k--) {
      s = s.insert(axis, index.dim(k));
    }
    return s;
  }

  private static Tensor dense(Tensor x) {
    return Engine.layout(x).isContiguous() ? x : new Joins.Copy().evaluate(x)[0];
  }

  private static Tensor flat(Op op, Tensor index) {
    return new Views.Reshape(Shape.of(Checks.size(op, index.size(), index.shape())))
        .evaluate(dense(index))[0];
  }

  /** A contiguous tensor as [outer, n, inner] around an axis. */
  private static Tensor threefold(Op op, Tensor x, int axis, int n) {
    long outer = 1;
    long inner = 1;
    for (int k = 0; k < x.rank(); k++) {
      if (k < axis) {
        outer *= x.dim(k);
      } else if (k > axis) {
        inner *= x.dim(k);
      }
    }
    return threefold(x, Checks.size(op, outer, x.shape()), n, Checks.size(op, inner, x.shape()));
  }

  private static Tensor threefold(Tensor x, int outer, int n, int inner) {
    return new Views.Reshape(Shape.of(outer, n, inner)).evaluate(x)[0];
  }
}
