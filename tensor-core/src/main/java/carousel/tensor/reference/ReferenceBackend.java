package carousel.tensor.reference;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.host.Bytes;
import carousel.tensor.host.HostMemory;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Chance;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Distribution;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Scan;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.op.WholeNumbers;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import carousel.tensor.spi.Memory;
import carousel.tensor.trace.Traced;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The oracle: every op from its scalar definition in double precision, element by element, in any
 * layout. Slow and plainly right; the other backends are tested against it.
 */
public final class ReferenceBackend implements Backend {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private final Memory memory = HostMemory.pool();

  /** The oracle. */
  public ReferenceBackend() {}

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public void unary(Unary op, Tensor x, Tensor y) {
    var from = new ReferenceElements(x);
    var to = new ReferenceElements(y);
    if (x.dtype() == DType.I32) {
      to.each(i -> to.set(i, op.scalar((int) from.get(i))));
    } else {
      to.each(i -> to.set(i, op.scalar(from.get(i))));
    }
  }

  @Override
  public void binary(Binary op, Tensor a, Tensor b, Tensor y) {
    var left = new ReferenceElements(a);
    var right = new ReferenceElements(b);
    var to = new ReferenceElements(y);
    if (a.dtype() == DType.I32) {
      to.each(i -> to.set(i, op.scalar((int) left.get(i), (int) right.get(i))));
    } else {
      to.each(i -> to.set(i, op.scalar(left.get(i), right.get(i))));
    }
  }

  @Override
  public void ternary(Ternary op, Tensor a, Tensor b, Tensor c, Tensor y) {
    var first = new ReferenceElements(a);
    var second = new ReferenceElements(b);
    var third = new ReferenceElements(c);
    var to = new ReferenceElements(y);
    if (b.dtype() == DType.F32) {
      to.each(i ->
          to.set(i, op.scalar((float) first.get(i), (float) second.get(i), (float) third.get(i))));
    } else {
      to.each(i -> to.set(i, op.scalar(first.get(i), second.get(i), third.get(i))));
    }
  }

  @Override
  public void reduce(Reduce op, Tensor x, int[] axes, Tensor y) {
    var from = new ReferenceElements(x);
    var to = new ReferenceElements(y);
    int[] inner = new int[x.rank()];
    Arrays.fill(inner, 1);
    int n = 1;
    for (int axis : axes) {
      inner[axis] = x.dim(axis);
      n *= x.dim(axis);
    }
    double[] seen = new double[n];
    to.each(outer -> {
      int[] count = {0};
      int[] at = new int[outer.length];
      ReferenceElements.each(
          inner,
          i -> {
            for (int k = 0; k < at.length; k++) {
              at[k] = outer[k] + i[k];
            }
            seen[count[0]++] = from.get(at);
          });
      to.set(outer, folded(op, x.dtype(), seen));
    });
  }

  /** I32 sums and products that do not fit are errors; every other fold is exact in double. */
  private static double folded(Reduce op, DType dtype, double[] x) {
    if (dtype == DType.I32 && (op == Reduce.SUM || op == Reduce.PROD)) {
      BigInteger y = op == Reduce.SUM ? BigInteger.ZERO : BigInteger.ONE;
      for (double v : x) {
        var next = BigInteger.valueOf((long) v);
        y = op == Reduce.SUM ? y.add(next) : y.multiply(next);
      }
      return whole(op.label(), y);
    }
    return ReferenceFolds.of(op, x);
  }

  private static int whole(String op, BigInteger value) {
    if (value.bitLength() > 31) {
      throw WholeNumbers.overflow(op);
    }
    return value.intValue();
  }

  @Override
  public void cumsum(Tensor x, int axis, Tensor y) {
    var from = new ReferenceElements(x);
    var to = new ReferenceElements(y);
    boolean whole = x.dtype() == DType.I32;
    to.lines(
        axis,
        i -> {
          long running = 0;
          var sum = new LongSum();
          for (i[axis] = 0; i[axis] < to.dim(axis); i[axis]++) {
            if (whole) {
              running += (long) from.get(i);
              to.set(i, WholeNumbers.fitting("cumsum", running));
            } else {
              sum.add(from.get(i));
              to.set(i, sum.value());
            }
          }
          i[axis] = 0;
        });
  }

  @Override
  public void linearScan(Tensor a, Tensor b, int axis, Tensor h) {
    var factor = new ReferenceElements(a);
    var added = new ReferenceElements(b);
    var to = new ReferenceElements(h);
    boolean whole = h.dtype() == DType.I32;
    to.lines(
        axis,
        i -> {
          double carried = added.get(i);
          to.set(i, carried);
          for (i[axis] = 1; i[axis] < to.dim(axis); i[axis]++) {
            // Of whole numbers it rounds beyond 2⁵³ only, and what comes there does not fit anyway.
            carried = factor.get(i) * carried + added.get(i);
            to.set(i, whole ? WholeNumbers.fitting("linearScan", (long) carried) : carried);
          }
          i[axis] = 0;
        });
  }

  @Override
  public void softmax(boolean log, Tensor x, int axis, Tensor y) {
    var from = new ReferenceElements(x);
    var to = new ReferenceElements(y);
    double[] line = new double[x.dim(axis)];
    to.lines(
        axis,
        i -> {
          double max = Double.NEGATIVE_INFINITY;
          for (i[axis] = 0; i[axis] < line.length; i[axis]++) {
            line[i[axis]] = from.get(i);
            max = Math.max(max, line[i[axis]]);
          }
          double top = max;
          double total =
              ReferenceFolds.sum(Arrays.stream(line).map(v -> Math.exp(v - top)).toArray());
          for (i[axis] = 0; i[axis] < line.length; i[axis]++) {
            double shifted = line[i[axis]] - max;
            to.set(i, log ? shifted - Math.log(total) : Math.exp(shifted) / total);
          }
          i[axis] = 0;
        });
  }

  @Override
  public void matmul(Tensor a, Tensor b, Tensor y) {
    var left = new ReferenceElements(a);
    var right = new ReferenceElements(b);
    var to = new ReferenceElements(y);
    int rank = to.rank();
    int inner = left.dim(rank - 1);
    to.each(i -> {
      int[] p = i.clone();
      int[] q = i.clone();
      var sum = new LongSum();
      for (int k = 0; k < inner; k++) {
        p[rank - 1] = k;
        q[rank - 2] = k;
        sum.add(left.get(p) * right.get(q));
      }
      to.set(i, sum.value());
    });
  }

  @Override
  public void copy(Tensor x, Tensor y) {
    var from = new ReferenceElements(x);
    var to = new ReferenceElements(y);
    to.each(i -> to.set(i, from.get(i)));
  }

  @Override
  public void fill(Tensor y, double value) {
    var to = new ReferenceElements(y);
    to.each(i -> to.set(i, value));
  }

  @Override
  public void gather(Tensor x, int axis, Tensor index, Tensor y) {
    var from = new ReferenceElements(x);
    var where = new ReferenceElements(index);
    var to = new ReferenceElements(y);
    to.each(i -> {
      int[] at = i.clone();
      at[axis] = checked("gather", where.get(i), from.dim(axis));
      to.set(i, from.get(at));
    });
  }

  @Override
  public void scatterAdd(Tensor y, int axis, Tensor index, Tensor source) {
    var where = new ReferenceElements(index);
    addAll(
        "scatterAdd",
        y,
        source,
        i -> {
          int[] at = i.clone();
          at[axis] = checked("scatterAdd", where.get(i), y.dim(axis));
          return at;
        });
  }

  @Override
  public void indexSelect(Tensor x, Tensor index, Tensor y) {
    var from = new ReferenceElements(x);
    var where = new ReferenceElements(index);
    var to = new ReferenceElements(y);
    to.each(i -> {
      int at = checked("indexSelect", where.get(new int[] {i[1]}), from.dim(1));
      to.set(i, from.get(new int[] {i[0], at, i[2]}));
    });
  }

  @Override
  public void indexAdd(Tensor y, Tensor index, Tensor source) {
    var where = new ReferenceElements(index);
    addAll(
        "indexAdd",
        y,
        source,
        i -> {
          int at = checked("indexAdd", where.get(new int[] {i[1]}), y.dim(1));
          return new int[] {i[0], at, i[2]};
        });
  }

  /** Adds every element of a source to y at a place: rounded once, and refused where it does not fit I32. */
  private static void addAll(String op, Tensor y, Tensor source, Function<int[], int[]> place) {
    var from = new ReferenceElements(source);
    var to = new ReferenceElements(y);
    Map<List<Integer>, LongSum> sums = new HashMap<>();
    from.each(i -> {
      int[] at = place.apply(i);
      var key = Arrays.stream(at).boxed().toList();
      LongSum sum = sums.get(key);
      if (sum == null) {
        sum = new LongSum();
        sum.add(to.get(at));
        sums.put(key, sum);
      }
      sum.add(from.get(i));
    });
    sums.forEach((key, sum) -> {
      // Whole numbers are exact.
      double total =
          y.dtype() == DType.I32 ? WholeNumbers.fitting(op, (long) sum.value()) : sum.value();
      to.set(key.stream().mapToInt(k -> k).toArray(), total);
    });
  }

  private static int checked(String op, double index, int n) {
    if (index < 0 || index >= n) {
      throw new TensorException(op + ": index " + (long) index + " is out of range [0," + n + ")");
    }
    return (int) index;
  }

  @Override
  public void sort(Tensor x, int axis, boolean descending, Tensor values, Tensor indices) {
    var from = new ReferenceElements(x);
    var sorted = new ReferenceElements(values);
    var origins = new ReferenceElements(indices);
    double[] line = new double[x.dim(axis)];
    // 0 and −0 are equal, and NaN greatest.
    Comparator<Integer> order = Comparator.comparingDouble(i -> line[i] == 0 ? 0.0 : line[i]);
    Comparator<Integer> wanted = descending ? order.reversed() : order;
    from.lines(
        axis,
        i -> {
          for (i[axis] = 0; i[axis] < line.length; i[axis]++) {
            line[i[axis]] = from.get(i);
          }
          int[] by =
              IntStream.range(0, line.length).boxed().sorted(wanted).mapToInt(k -> k).toArray();
          for (i[axis] = 0; i[axis] < line.length; i[axis]++) {
            sorted.set(i, line[by[i[axis]]]);
            origins.set(i, by[i[axis]]);
          }
          i[axis] = 0;
        });
  }

  @Override
  public void random(Distribution distribution, Philox.Draw draw, Tensor y) {
    var to = new ReferenceElements(y);
    long[] n = {0};
    to.each(i -> to.set(i, distribution.sample(y.dtype(), draw.seed(), draw.counter(), n[0]++)));
  }

  @Override
  public void bernoulli(double probability, Philox.Draw draw, Tensor y) {
    var to = new ReferenceElements(y);
    long[] n = {0};
    var chance = Chance.of(probability);
    to.each(i -> to.set(i, chance.hits(draw.seed(), draw.counter(), n[0]++) ? 1 : 0));
  }

  @Override
  public void read(Tensor x, MemorySegment host) {
    Bytes.copy(ALL, Engine.address(x), host, 0, x.size() * x.dtype().bytes());
  }

  @Override
  public void write(MemorySegment host, Tensor y) {
    Bytes.copy(host, 0, ALL, Engine.address(y), y.size() * y.dtype().bytes());
  }

  @Override
  public boolean makesKernels() {
    return true;
  }

  @Override
  public String refusal(Traced step, Tensor like, boolean affine) {
    return "";
  }

  @Override
  public String description(Traced step, Tensor like, boolean affine) {
    return "  value by value, as the graph of the step says\n";
  }

  /** A recurrence by the graph of its step: what kernels are held to. */
  @Override
  public @Nullable Fused fused(Composite op, Tensor[] inputs) {
    return op.body() instanceof Scan scan
        ? new ReferenceScanKernel(scan, inputs[scan.inputs().states()])
        : null;
  }
}
