package carousel.nn.random;

import carousel.nn.FusedContract;
import carousel.nn.random.Verdict.Kind;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Softmax;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Compares a call as it runs with the same call by its body. A difference that rounding may explain is
 * judged by the body alone: it runs again, on numbers that differ in their last bits.
 */
final class Referee {
  private static final int TRIES = 4;

  private Referee() {}

  /** A program with its tensors, ready to be called. */
  interface Ready {
    /** How many calls there are. */
    int calls();

    /** Assigns what is fresh before a call; all of it if {@code anew}. */
    void prepare(int call, boolean anew);

    /** All that a call gives, by the interpreter around it. */
    Outcome outcome(int call);

    /** Tensors whose values may be moved a little. */
    List<Tensor> movable(int call);

    /** What kernel there was for the last call. */
    String kernel();

    /** The threads that are compared with one; 1 for none. */
    int threads(int call);

    DType type();
  }

  static Verdict judge(Supplier<? extends Ready> program) {
    String kernel = "";
    Kind worst = Kind.SAME;
    try (var scope = TensorScope.open()) {
      Ready ready = program.get();
      for (int call = 0; call < ready.calls(); call++) {
        ready.prepare(call, call == 0);
        Verdict verdict = judge(ready, call);
        kernel = verdict.kernel();
        if (verdict.isFailure()) {
          String which = ready.calls() > 1 ? "call " + call + ": " : "";
          return new Verdict(verdict.kind(), kernel, which + verdict.message());
        }
        worst = worst.compareTo(verdict.kind()) > 0 ? worst : verdict.kind();
      }
    }
    return new Verdict(worst, kernel, "");
  }

  private static Verdict judge(Ready ready, int call) {
    Outcome actual = null;
    Outcome expected;
    Throwable thrown = null;
    try {
      actual = Agreement.trusting(() -> outcome(ready, call));
    } catch (RuntimeException | AssertionError | LinkageError e) {
      thrown = e;
    }
    String kernel = ready.kernel();
    try {
      expected = FusedContract.BODIES.run(() -> outcome(ready, call));
    } catch (RuntimeException | LinkageError e) {
      return new Verdict(Kind.NO_PROGRAM, kernel, described(e));
    }
    if (thrown != null || actual == null) {
      return new Verdict(Kind.THROWS, kernel, described(thrown));
    }
    double tolerance = ready.type() == DType.F32 ? 3e-5 : 1e-12;
    if (!expected.isTame()) {
      return new Verdict(Kind.WILD, kernel, "");
    }
    Kind kind = Kind.SAME;
    String difference = actual.difference(expected, tolerance, List.of());
    if (difference != null) {
      difference = actual.difference(expected, tolerance, moved(ready, call));
      kind = difference == null ? Kind.ROUNDED : Kind.DIFFERS;
    } else if (ready.threads(call) > 1 && TensorScope.current().device() == Device.cpu()) {
      difference = threads(ready, call);
      kind = difference == null ? Kind.SAME : Kind.THREADS;
    }
    return new Verdict(kind, kernel, difference == null ? "" : difference);
  }

  private static Outcome outcome(Ready ready, int call) {
    try (var scope = TensorScope.open()) {
      return ready.outcome(call);
    }
  }

  /**
   * What the body gives for inputs, and with sums and products, that differ by some units in the last place:
   * a mean of equal numbers need not be that number.
   */
  private static List<Outcome> moved(Ready ready, int call) {
    List<Outcome> all = new ArrayList<>();
    double step = ready.type() == DType.F32 ? 2.5e-7 : 4.5e-16;
    for (int i = 0; i < TRIES; i++) {
      Interpreter rounding = rounding(Philox.of(100 + i), step);
      all.add(rounding.run(() -> outcome(ready, call)));
    }
    for (int i = 0; i < TRIES; i++) {
      var rng = Philox.of(i);
      try (var scope = TensorScope.open()) {
        for (Tensor x : ready.movable(call)) {
          Tensor factor = rng.uniform(x.dtype(), 1 - step, 1 + step, x.shape().toArray());
          x.assign(x.mul(factor));
        }
      }
      all.add(FusedContract.BODIES.run(() -> outcome(ready, call)));
      ready.prepare(call, true);
    }
    return all;
  }

  /** Sums and products are off by what rounding may make of their terms, which can be more than is left of them. */
  private static Interpreter rounding(Philox rng, double step) {
    return (op, inputs) -> {
      Tensor[] results = FusedContract.BODIES.apply(op, inputs);
      boolean adds =
          op instanceof MatMul
              || (op instanceof ReduceAxes of
                  && (of.reduce() == Reduce.SUM || of.reduce() == Reduce.MEAN));
      boolean rounds = adds || op instanceof Softmax || op instanceof ReduceAxes;
      if (rounds && results[0].dtype().isFloating()) {
        Tensor y = results[0];
        results =
            Interpreter.EAGER.run(() -> {
              Tensor[] sizes = Arrays.stream(inputs).map(Tensor::abs).toArray(Tensor[]::new);
              Tensor size = adds ? FusedContract.BODIES.apply(op, sizes)[0] : y;
              Tensor off = rng.uniform(y.dtype(), -step, step, y.shape().toArray());
              return new Tensor[] {y.add(size.mul(off.to(y.device())))};
            });
      }
      return results;
    };
  }

  /** The bits of several threads against those of one. */
  private static @Nullable String threads(Ready ready, int call) {
    int before = Workers.threads();
    try {
      Workers.threads(1);
      Outcome one = Agreement.trusting(() -> outcome(ready, call));
      Workers.threads(ready.threads(call));
      return one.sameBits(Agreement.trusting(() -> outcome(ready, call)))
          ? null
          : "bits of " + ready.threads(call) + " threads are others than those of one";
    } finally {
      Workers.threads(before);
    }
  }

  private static String described(@Nullable Throwable e) {
    if (e == null) {
      return "";
    }
    var text = new StringBuilder(e.toString());
    StackTraceElement[] trace = e.getStackTrace();
    for (int i = 0; i < Math.min(4, trace.length); i++) {
      text.append("\n    at ").append(trace[i]);
    }
    return text.toString();
  }
}
