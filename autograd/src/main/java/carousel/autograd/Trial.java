package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A program under check, the tensors that it is moved by, and the point where it is looked at.
 *
 * <p>A program of F32 runs in F64, if that can be had ({@link Widened}); then what is moved are tensors that
 * stand for its own, and its own beside them, which it may read on the host.
 */
final class Trial {
  /** Computes op by op, so that no kernel runs. */
  static final Interpreter BODIES =
      new Interpreter() {
        @Override
        public Tensor[] apply(Op op, Tensor... inputs) {
          return op instanceof Composite composite
              ? composite.body().apply(inputs)
              : EAGER.apply(op, inputs);
        }

        @Override
        public boolean takesKernels() {
          return false;
        }
      };

  private final Function<Tensor[], ?> program;
  private final List<String> names;
  private final List<Tensor> own;
  private final List<Tensor> leaves;
  private final List<Tensor> start;
  private final boolean wide;
  private final boolean takesAny;
  private final String ranIn;
  private final @Nullable List<Tensor> point;

  private Trial(
      Function<Tensor[], ?> program,
      List<String> names,
      List<Tensor> own,
      List<Tensor> leaves,
      List<Tensor> start,
      boolean wide,
      boolean takesAny,
      String ranIn,
      @Nullable List<Tensor> point) {
    this.program = program;
    this.names = names;
    this.own = own;
    this.leaves = leaves;
    this.start = start;
    this.wide = wide;
    this.takesAny = takesAny;
    this.ranIn = ranIn;
    this.point = point;
  }

  /**
   * A program that reads the leaves themselves, or takes what it is given.
   *
   * @param program from the leaves, to what {@link Outputs} understands
   * @param names of the leaves
   * @param own the leaves; moved in place, and restored, but for those that share memory
   * @param takesAny whether it computes of what it is given, so that copies can stand for its leaves
   */
  static Trial of(
      Function<Tensor[], ?> program, List<String> names, List<Tensor> own, boolean takesAny) {
    boolean narrow = own.stream().anyMatch(t -> t.dtype() == DType.F32);
    List<Tensor> start =
        own.stream().map(t -> t.detach().contiguous().cast(DType.F64).copy()).toList();
    if (!narrow) {
      List<Tensor> leaves = apart(names, own, takesAny);
      return new Trial(program, names, own, leaves, start, false, takesAny, "", null);
    }
    List<Tensor> leaves = start.stream().map(Tensor::copy).toList();
    List<Tensor> moved = apart(names, own, takesAny);
    var trial =
        new Trial(program, names, moved, leaves, start, true, takesAny, "ran in F64 for F32", null);
    String why;
    try (var scope = TensorScope.openUnwatched()) {
      Outputs given = trial.outputs(leaves);
      if (given.tensors().stream().allMatch(t -> t.dtype() == DType.F64)) {
        return trial;
      }
      why = "it gives F32 all the same";
    } catch (RuntimeException e) {
      why = "it fails: " + e.getMessage();
    }
    List<Tensor> first = own.stream().map(t -> t.detach().copy()).toList();
    return new Trial(
        program,
        names,
        own,
        moved,
        first,
        false,
        takesAny,
        "ran in F32, with what its rounding lets tell, as in F64 " + why,
        null);
  }

  /** Tensors that can be moved one by one: those that share memory are copied. */
  private static List<Tensor> apart(List<String> names, List<Tensor> own, boolean takesAny) {
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < own.size(); i++) {
      Tensor x = own.get(i);
      int other = i;
      for (int k = 0; k < own.size(); k++) {
        other = k != i && Engine.storage(own.get(k)) == Engine.storage(x) ? k : other;
      }
      if (other != i && !takesAny) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "gradCheck: %s and %s share memory, so that neither can be moved by itself; leave one out",
                names.get(i),
                names.get(other)));
      }
      boolean repeats = false;
      for (int axis = 0; axis < x.rank(); axis++) {
        repeats |= Engine.layout(x).stride(axis) == 0 && x.dim(axis) > 1;
      }
      all.add(other != i || repeats ? x.detach().copy() : x);
    }
    return all;
  }

  List<String> names() {
    return names;
  }

  /** What is moved, in place. */
  List<Tensor> leaves() {
    return leaves;
  }

  /** The tensors that the program was given. */
  List<Tensor> own() {
    return own;
  }

  /** The values of the leaves at the point. */
  List<Tensor> point() {
    return point == null ? start : point;
  }

  /** Whether the program computes of any tensors that it is given. */
  boolean takesAny() {
    return takesAny;
  }

  boolean isWide() {
    return wide;
  }

  /** The type that it ran in, and why, where that is worth knowing. */
  String ranIn() {
    return ranIn;
  }

  /** The distance of 1 to the next number, of the type that it runs in. */
  double epsilon() {
    return leaves.stream().anyMatch(t -> t.dtype() == DType.F32) ? 0x1p-23 : 0x1p-52;
  }

  List<Shape> shapes() {
    return leaves.stream().map(Tensor::shape).toList();
  }

  /** This at another point. */
  Trial at(List<Tensor> values) {
    return new Trial(program, names, own, leaves, start, wide, takesAny, ranIn, values);
  }

  /** Runs the program. */
  Outputs outputs(List<Tensor> of) {
    if (!wide) {
      return Outputs.of(program.apply(of.toArray(new Tensor[0])));
    }
    Map<Tensor, Tensor> standIns = new HashMap<>();
    for (int i = 0; i < own.size(); i++) {
      standIns.put(own.get(i), of.get(i));
    }
    var widened = new Widened(standIns);
    return widened.run(
        () -> Outputs.of(program.apply(own.toArray(new Tensor[0]))).map(widened::wide));
  }

  /** All its numbers as a vector {@code [M]}, of what the leaves hold. */
  Supplier<Tensor> value() {
    return () -> outputs(leaves).joined();
  }

  /** As it is, in F32, on its own leaves. */
  Supplier<Tensor> narrowValue() {
    return () -> Outputs.of(program.apply(own.toArray(new Tensor[0]))).joined();
  }

  /** Of the leaves in another arrangement. */
  Supplier<Tensor> value(List<Tensor> of) {
    return () -> outputs(of).joined();
  }

  /**
   * The gradients of a function of the leaves, {@code vᵀ·∂f/∂leaf}, as one vector.
   *
   * @param f the function
   * @param v the cotangent
   */
  Supplier<Tensor> gradient(Supplier<Tensor> f, Tensor v) {
    return () -> {
      try (var pullback = Pullback.of(f, asLeaves())) {
        List<Tensor> flat =
            pullback.pull(fitting(v, pullback.value())).stream()
                .map(g -> g.flatten().cast(DType.F64))
                .toList();
        return flat.size() == 1 ? flat.getFirst() : Tensor.concat(flat, 0);
      }
    };
  }

  private static Tensor fitting(Tensor v, Tensor value) {
    if (!v.shape().equals(value.shape())) {
      throw new TensorException(
          "its result has "
              + value.size()
              + " numbers here and "
              + v.size()
              + " at the point: how many there are depends on the values of the inputs");
    }
    return v;
  }

  List<Leaf> asLeaves() {
    return asLeaves(leaves);
  }

  List<Leaf> asLeaves(List<Tensor> of) {
    return IntStream.range(0, of.size())
        .mapToObj(i -> (Leaf) new Named(names.get(i), of.get(i)))
        .toList();
  }

  private record Named(String name, Tensor value) implements Leaf {}

  /** Moves the leaves to {@code point + t·direction}. */
  void move(double t, List<@Nullable Tensor> direction) {
    try (var scope = TensorScope.openUnwatched()) {
      for (int i = 0; i < leaves.size(); i++) {
        Tensor d = direction.get(i);
        if (d != null) {
          put(i, point().get(i).add(d.mul(t)));
        }
      }
    }
  }

  /** Writes to a leaf, and to what it stands for, which the program may read on the host. */
  private void put(int leaf, Tensor values) {
    try (var scope = TensorScope.openUnwatched()) {
      leaves.get(leaf).assign(values);
      if (wide) {
        own.get(leaf).assign(values.cast(own.get(leaf).dtype()));
      }
    }
  }

  /** Puts the leaves where they are to be looked at. */
  void moveToPoint() {
    for (int i = 0; i < leaves.size(); i++) {
      put(i, point().get(i));
    }
  }

  /** Puts the leaves where they were at the start. */
  void restore() {
    for (int i = 0; i < leaves.size(); i++) {
      put(i, start.get(i));
    }
  }

  /** Makes rooms for values of all leaves. */
  List<@Nullable Tensor> none() {
    List<@Nullable Tensor> none = new ArrayList<>();
    leaves.forEach(leaf -> none.add(null));
    return none;
  }
}
