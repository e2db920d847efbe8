package carousel.tensor;

import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;
import carousel.tensor.op.Sort;
import java.util.List;

/** What depends on the order of elements, by {@link #sort}: NaN counts as the greatest value. */
public sealed interface Ordering permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Sorts along an axis, stably; NaN counts as the greatest value.
   *
   * @param axis the axis
   * @param descending whether the greatest comes first
   * @return the sorted values, and I32 where each came from
   */
  default Reductions.Sorted sort(int axis, boolean descending) {
    Tensor[] out = Op.applyAll(new Sort(self().shape().axis("sort", axis), descending), self());
    return new Reductions.Sorted(out[0], out[1]);
  }

  /**
   * The k greatest elements along an axis, in descending order.
   *
   * @param k how many, at most the size of the axis
   * @param axis the axis
   * @return the values, and I32 where each came from
   */
  default Reductions.Sorted topK(int k, int axis) {
    Domain.NUMERIC.require("topK", self());
    int n = self().dim(self().shape().axis("topK", axis));
    if (k < 0 || k > n) {
      throw new TensorException(
          "topK: k = " + k + " of an axis of " + n + " elements in " + self().shape());
    }
    Reductions.Sorted all = sort(axis, true);
    return new Reductions.Sorted(all.values().narrow(axis, 0, k), all.indices().narrow(axis, 0, k));
  }

  /**
   * Where the elements of an axis come from if they are sorted, stably.
   *
   * @param axis the axis
   * @param descending whether the greatest comes first
   * @return I32 of this shape
   */
  default Tensor argsort(int axis, boolean descending) {
    Domain.NUMERIC.require("argsort", self());
    return self().sort(self().shape().axis("argsort", axis), descending).indices();
  }

  /**
   * The k-th smallest element along an axis, which disappears.
   *
   * @param k from 1 to the size of the axis
   * @param axis the axis
   * @return the values, and I32 where each came from
   */
  default Reductions.Sorted kthValue(int k, int axis) {
    Domain.NUMERIC.require("kthValue", self());
    int n = self().dim(self().shape().axis("kthValue", axis));
    if (k < 1 || k > n) {
      throw new TensorException(
          "kthValue: k = " + k + " of an axis of " + n + " elements in " + self().shape());
    }
    Reductions.Sorted all = self().sort(axis, false);
    return new Reductions.Sorted(
        all.values().select(axis, k - 1), all.indices().select(axis, k - 1));
  }

  /**
   * The median along an axis, which disappears: of an even number of elements the lower of the two in the
   * middle, and NaN if there is any. {@code quantile(0.5, axis)} is the mean of the two.
   *
   * @param axis the axis
   * @return the values, and I32 where each came from
   */
  default Reductions.Sorted median(int axis) {
    Reductions.Sorted all = sortedAll("median", Domain.NUMERIC, axis);
    int last = all.values().dim(axis) - 1;
    Tensor nan = all.values().select(axis, last).isNan();
    return new Reductions.Sorted(
        Tensor.where(nan, all.values().select(axis, last), all.values().select(axis, last / 2)),
        Tensor.where(nan, all.indices().select(axis, last), all.indices().select(axis, last / 2)));
  }

  /**
   * The quantile along an axis, which disappears: between two elements their linear interpolation, which lies
   * between them and falls nowhere as q grows, and NaN if there is any.
   *
   * @param q which, in [0, 1]
   * @param axis the axis
   * @return the quantiles
   */
  default Tensor quantile(double q, int axis) {
    if (!(q >= 0 && q <= 1)) {
      throw new TensorException("quantile: q must lie in [0, 1], got " + q);
    }
    Tensor all = sortedAll("quantile", Domain.FLOATING, axis).values();
    int last = all.dim(axis) - 1;
    double place = q * last;
    int below = (int) place;
    Tensor low = all.select(axis, below);
    Tensor y = place == below ? low : between(low, all.select(axis, below + 1), place - below);
    Tensor greatest = all.select(axis, last);
    return Tensor.where(greatest.isNan(), greatest, y);
  }

  /** On the way from the lower to the higher, and at no rounding beyond. */
  private static Tensor between(Tensor low, Tensor high, double way) {
    Tensor apart = high.sub(low);
    // From the ends where their distance is none of the type.
    Tensor ends = low.mul(1 - way).add(high.mul(way));
    Tensor y = Tensor.where(apart.isFinite(), low.add(apart.mul(way)), ends);
    y = Tensor.where(y.gt(high), high, y);
    return Tensor.where(y.lt(low), low, y);
  }

  private Reductions.Sorted sortedAll(String op, Domain domain, int axis) {
    Tensor x = self();
    domain.require(op, x);
    if (x.dim(x.shape().axis(op, axis)) == 0) {
      throw new TensorException(
          op + ": no elements to choose from: " + x.shape() + " over axis " + axis);
    }
    return x.sort(axis, false);
  }

  /**
   * The different values in ascending order; every NaN is one of its own. Reads values on the host, since the
   * shape of the result depends on them.
   *
   * @return the values {@code [k]}, which of them each element is, and how often each is there
   */
  default Unique unique() {
    Tensor x = self();
    Domain.NUMERIC.require("unique", x);
    Reductions.Sorted all = x.flatten().sort(0, false);
    Tensor sorted = all.values();
    int n = sorted.dim(0);
    if (n == 0) {
      Tensor none = all.indices().zerosLike(Shape.of(0));
      return new Unique(sorted, none.reshape(x.shape()), none);
    }
    Tensor start = all.indices().fullLike(Shape.of(1), 1).ne(0);
    Tensor changes = sorted.narrow(0, 1, n - 1).ne(sorted.narrow(0, 0, n - 1));
    Tensor first = Tensor.concat(List.of(start, changes), 0);
    Tensor values = sorted.maskedSelect(first);
    Tensor group = first.cast(DType.I32).cumsum(0).sub(1);
    Tensor zeros = group.zerosLike();
    Tensor inverse = zeros.scatterAdd(all.indices(), group, 0).reshape(x.shape());
    Tensor counts = group.zerosLike(values.shape()).indexAdd(group, group.onesLike(), 0);
    return new Unique(values, inverse, counts);
  }

  /**
   * What {@link #unique} gives.
   *
   * @param values the different values, ascending
   * @param inverse I32 of the shape that was asked: which of the values each element is
   * @param counts I32, how often each value is there
   */
  record Unique(Tensor values, Tensor inverse, Tensor counts) {}

  /**
   * Where each element would be inserted into a sorted vector to keep it sorted, before or after what is
   * equal: {@code torch.searchsorted}, and with the vector as boundaries {@code torch.bucketize}. NaN comes
   * last.
   *
   * @param sorted {@code [m]}, ascending, of this type
   * @param after whether behind equal elements
   * @return I32 of this shape, each in {@code [0, m]}
   */
  default Tensor searchSorted(Tensor sorted, boolean after) {
    Tensor x = self().detach();
    if (sorted.rank() != 1) {
      throw new TensorException(
          "searchSorted: wants a sorted vector [m], got "
              + sorted.shape()
              + " to search "
              + x.shape()
              + " in");
    }
    Domain.NUMERIC.require("searchSorted", x, sorted);
    int m = sorted.dim(0);
    Tensor index = Tensor.full(DType.I32, 0).to(x.device()).expand(x.shape()).copy();
    // By halves, all elements at once: how many of the vector are known to come before each.
    for (int step = Integer.highestOneBit(m); step > 0; step /= 2) {
      Tensor probe = index.add(step - 1);
      Tensor there = sorted.detach().indexSelect(probe.minimum(m - 1), 0);
      Tensor before = (after ? there.le(x) : there.lt(x)).or(x.isNan());
      index = Tensor.where(before.and(probe.lt(m)), index.add(step), index);
    }
    return index;
  }
}
