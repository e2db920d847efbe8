package carousel.autograd;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.ElementwiseOp;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds where numbers that are not finite are born: the op, or the gradient of an op, that gave the first
 * NaN or ∞, where the code applied it, and what led there.
 *
 * <pre>{@code
 * Anomaly.detect(() -> Grad.of(() -> model.loss(x, y), model.parameters()));
 * }</pre>
 *
 * <p>An infinity that code puts in as a limit is none: a scalar, or a tensor filled with it, as −∞ where a mask
 * hides a score. What carries it on may be infinite as well, element by element where the op is elementwise; a
 * NaN that comes of it is found.
 *
 * <p>The code runs op by op, without kernels for layers, and every result is read: some hundred times
 * slower than otherwise, so look at the loss alone until it is not finite. What an optimiser writes in
 * place is not looked at.
 */
public final class Anomaly {
  private static final StackWalker WALKER = StackWalker.getInstance();
  private static final Set<String> ENGINE =
      Set.of(
          Anomaly.class.getPackageName(), Tensor.class.getPackageName(), Op.class.getPackageName());
  private static final String GRADIENT = "gradient of ";
  private static final int FRAMES = 16;
  private static final int STEPS = 12;

  private Anomaly() {}

  /**
   * Runs code and watches every number that it computes.
   *
   * @param code the code, e.g. a loss and its gradients
   * @param <R> what it returns
   * @return its result, if all is finite
   * @throws TensorException at the first op that gives a number that is not finite, or takes one from
   *     outside of the code, but for limits
   */
  public static <R> R detect(Supplier<R> code) {
    var watch = new Watch(Interpreter.current());
    return ScopedValue.where(Tape.PULL, watch::pull).call(() -> watch.run(code));
  }

  /**
   * How a tensor came about.
   *
   * @param what the op, or whose gradient it is part of
   * @param places where the code asked for it, innermost first
   * @param from how its first known operand came about
   * @param carriesLimits whether it has infinities that were put in as limits
   */
  private record Origin(
      String what, List<String> places, @Nullable Origin from, boolean carriesLimits) {
    /** What led here, the last first, what follows itself once. */
    String path() {
      var path = new StringBuilder(what);
      String last = what;
      int steps = 1;
      for (Origin o = from; o != null; o = o.from) {
        if (o.what.equals(last)) {
          continue;
        }
        if (steps++ == STEPS) {
          return path.append(" ← …").toString();
        }
        path.append(" ← ").append(o.what);
        last = o.what;
      }
      return path.toString();
    }
  }

  /** Computes by the interpreter around it, and looks at every result. */
  private static final class Watch implements Interpreter {
    private final Interpreter outer;
    private final Map<Tensor, Origin> origins;
    private @Nullable Node pulled;

    Watch(Interpreter outer) {
      this(outer, new WeakHashMap<>(), null);
    }

    private Watch(Interpreter outer, Map<Tensor, Origin> origins, @Nullable Node pulled) {
      this.outer = outer;
      this.origins = origins;
      this.pulled = pulled;
    }

    /** Watches what is not recorded, too. */
    @Override
    public Interpreter unrecorded() {
      return new Watch(outer.unrecorded(), origins, pulled);
    }

    void pull(Node node) {
      Node around = pulled;
      pulled = node;
      try {
        node.pull();
      } finally {
        pulled = around;
      }
    }

    @Override
    public void beforeWrite(String op, Tensor target, Tensor... sources) {
      outer.beforeWrite(op, target, sources);
    }

    @Override
    public Tensor[] apply(Op op, Tensor... inputs) {
      if (op instanceof Composite composite) {
        return composite.body().apply(inputs);
      }
      for (Tensor x : inputs) {
        requireFiniteFromOutside(op, x);
      }
      Tensor[] results = outer.apply(op, inputs);
      String what = what(op);
      List<String> places = places();
      Origin from = from(inputs);
      for (Tensor y : results) {
        boolean finite = notFinite(y) < 0;
        int at = finite ? -1 : born(op, y, Arrays.stream(inputs).filter(this::hasLimits).toList());
        var origin = new Origin(what, places, from, !finite);
        origins.put(y, origin);
        if (at >= 0) {
          throw born(op, inputs, y, at, origin);
        }
      }
      return results;
    }

    /** Whether an operand has infinities that were put there as limits. */
    private boolean hasLimits(Tensor x) {
      Origin origin = origins.get(x);
      return origin == null ? isLimit(x) : origin.carriesLimits;
    }

    private static boolean isLimit(Tensor x) {
      return x.dtype().isFloating()
          && x.size() > 0
          && (x.rank() == 0 || Engine.storage(x).filled().isPresent())
          && Double.isInfinite(value(x, 0));
    }

    /** The first element that is not finite and that no limit explains; negative if there is none. */
    private static int born(Op op, Tensor y, List<Tensor> limits) {
      boolean elementwise = op instanceof ElementwiseOp || op instanceof Cast;
      boolean[] explained = new boolean[Math.toIntExact(y.size())];
      for (Tensor x : limits) {
        double[] values =
            elementwise
                ? EAGER.run(() -> x.expand(y.shape().toArray()).toDoubleArray())
                : new double[0];
        for (int i = 0; i < explained.length; i++) {
          explained[i] |= !elementwise || Double.isInfinite(values[i]);
        }
      }
      double[] values = y.toDoubleArray();
      for (int i = 0; i < values.length; i++) {
        if (Double.isNaN(values[i]) || (Double.isInfinite(values[i]) && !explained[i])) {
          return i;
        }
      }
      return -1;
    }

    /** An operand that is part of a gradient, or what the gradient is of; else the first computed one. */
    private @Nullable Origin from(Tensor... inputs) {
      Origin first = null;
      for (Tensor x : inputs) {
        Origin origin = origins.get(x);
        if (origin != null && origin.what.startsWith(GRADIENT)) {
          return origin;
        }
        first = first == null ? origin : first;
      }
      Tensor arrived = pulled == null ? null : pulled.arrived();
      return arrived == null ? first : origins.get(arrived);
    }

    private String what(Op op) {
      return pulled == null ? op.label() : GRADIENT + pulled.label();
    }

    private void requireFiniteFromOutside(Op op, Tensor x) {
      if (origins.containsKey(x)) {
        return;
      }
      int at = notFinite(x);
      if (at >= 0 && !isLimit(x)) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "anomaly: %s came from outside of the code, at %s of %s %s, an operand of %s%s",
                value(x, at),
                position(x, at),
                x.dtype(),
                x.shape(),
                op.label(),
                at("applied", places())));
      }
    }

    private TensorException born(Op op, Tensor[] inputs, Tensor y, int at, Origin origin) {
      var text = new StringBuilder("anomaly: ");
      Node node = pulled;
      text.append(
          node == null ? op.label() : "the " + GRADIENT + node.label() + ", in its " + op.label());
      text.append(", gave ").append(value(y, at)).append(" at ").append(position(y, at));
      text.append(" of ").append(y.dtype()).append(' ').append(y.shape());
      for (int i = 0; i < inputs.length; i++) {
        text.append("\n  operand ").append(i).append(": ").append(range(inputs[i]));
      }
      Origin applied = node == null ? origin : origins.get(node.result());
      if (applied != null) {
        text.append(at(node == null ? "applied" : node.label() + " applied", applied.places));
      }
      text.append("\n  path: ").append(origin.path());
      return new TensorException(text.toString());
    }
  }

  private static String at(String what, List<String> places) {
    return places.isEmpty() ? "" : "\n  " + what + " at " + String.join("\n    ", places);
  }

  /** The frames of the code that are not the engine's. */
  private static List<String> places() {
    return WALKER.walk(frames ->
        frames
            .filter(f -> !isEngine(f.getClassName()))
            .limit(FRAMES)
            .map(StackWalker.StackFrame::toStackTraceElement)
            .map(StackTraceElement::toString)
            .toList());
  }

  private static boolean isEngine(String name) {
    int end = name.lastIndexOf('.');
    return name.startsWith("java.")
        || name.startsWith("jdk.")
        || (end > 0 && ENGINE.contains(name.substring(0, end)));
  }

  /** The first element that is NaN or infinite, in row-major order; negative if there is none. */
  private static int notFinite(Tensor x) {
    if (x.dtype().isFloating()) {
      double[] values = x.toDoubleArray();
      for (int i = 0; i < values.length; i++) {
        if (!Double.isFinite(values[i])) {
          return i;
        }
      }
    }
    return -1;
  }

  private static double value(Tensor x, int at) {
    return x.toDoubleArray()[at];
  }

  private static String position(Tensor x, int at) {
    int[] index = new int[x.rank()];
    int rest = at;
    for (int axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = rest % x.dim(axis);
      rest /= x.dim(axis);
    }
    return Arrays.toString(index).replace(" ", "");
  }

  /** Type, shape, and between what its elements lie. */
  private static String range(Tensor x) {
    String text = x.dtype() + " " + x.shape();
    if (!x.dtype().isFloating() || x.size() == 0) {
      return text;
    }
    var all = Arrays.stream(x.toDoubleArray()).summaryStatistics();
    return all.getMin() == all.getMax()
        ? text + ", all " + all.getMin()
        : text + ", from " + all.getMin() + " to " + all.getMax();
  }
}
