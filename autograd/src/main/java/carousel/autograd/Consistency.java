package carousel.autograd;

import carousel.autograd.GradReport.Finding;
import carousel.autograd.GradReport.Kind;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What can be told of a gradient without differences: its form; that it comes out the same again, by the bodies
 * of kernels, for inputs that lie otherwise in memory, and in F32.
 */
final class Consistency {
  /** Of the largest element: far above rounding in F64, far below a mistake. */
  static final double WIDE = 1e-9;

  static final double NARROW = 2e-3;

  /** Beside the largest element of all gradients, what may be the rounding of what has cancelled. */
  private static final double FLOOR = 1e-4;

  private static final int MOST_PARTS = 16;

  /** What rounding leaves of sums that cancel, in units of the last place. */
  private static final int CANCELLED = 256;

  /** By how much more arrives when it is seen whether rules are linear: a power of 2, which rounds nothing. */
  private static final double MUCH = 1024;

  /** Calls at one point when state is looked for that changes now and then. */
  private static final int CALLS = 24;

  private static final long MOST_CALLED = 10_000;

  private final GradCheck settings;
  private final Trial trial;
  private final int order;
  private final Supplier<Tensor> function;
  private final Tensor cotangent;
  private final List<Finding> findings = new ArrayList<>();
  private final List<Boolean> reached = new ArrayList<>();

  Consistency(
      GradCheck settings, Trial trial, int order, Supplier<Tensor> function, Tensor cotangent) {
    this.settings = settings;
    this.trial = trial;
    this.order = order;
    this.function = function;
    this.cotangent = cotangent;
  }

  List<Finding> findings() {
    return findings;
  }

  /** Of each leaf, whether anything flowed back to it. */
  List<Boolean> reached() {
    return reached;
  }

  /** Whether differences are worth looking at. */
  boolean isSound() {
    return findings.stream()
        .noneMatch(f -> f.kind() == Kind.FORM || f.kind() == Kind.NOT_REPEATABLE);
  }

  private void add(Kind kind, String where, String text) {
    findings.add(Finding.of(kind, order, where, text));
  }

  void compare(List<Tensor> gradients) {
    form(gradients);
    again(gradients);
    if (order > 1 || !isSound()) {
      return;
    }
    calls();
    differs(
        gradients,
        () -> Trial.BODIES.run(() -> pulled(function, trial.asLeaves())),
        Kind.KERNEL,
        "the kernel differs from the code that it was made of; -Dcarousel.fused=check says which, and"
            + " -Dcarousel.dump=DIR what was made");
    differs(
        gradients,
        () ->
            pulled(function, trial.asLeaves(), cotangent.mul(MUCH)).stream()
                .map(g -> g.mul(1 / MUCH))
                .toList(),
        Kind.NOT_LINEAR,
        (int) MUCH + " times what arrives does not give " + (int) MUCH + " times as much");
    parts(gradients);
    if (trial.takesAny()) {
      new Arrangements(settings, trial, order, cotangent, findings).compare();
    }
    if (trial.isWide()) {
      values();
      differs(
          gradients,
          () -> pulled(trial.narrowValue(), trial.asLeaves(trial.own())),
          Kind.PRECISION,
          "in F32 it is further from the gradient in F64 than rounding goes");
    }
  }

  /** Holds the results in F32 to those in F64. */
  private void values() {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor wide = function.get();
      Tensor narrow = trial.narrowValue().get();
      double distance =
          narrow.shape().equals(wide.shape()) ? distance(wide, narrow) : Double.POSITIVE_INFINITY;
      if (!(distance <= NARROW * largest(wide) + settings.noise() + settings.absolute())
          && Double.isFinite(largest(wide))) {
        add(
            Kind.PRECISION,
            "",
            String.format(
                Locale.ROOT,
                "in F32 the result is off by %.3g from that in F64, where the largest is %.3g",
                distance,
                largest(wide)));
      }
    }
  }

  private List<Tensor> pulled(Supplier<Tensor> of, List<Leaf> leaves) {
    return pulled(of, leaves, cotangent);
  }

  private static List<Tensor> pulled(Supplier<Tensor> of, List<Leaf> leaves, Tensor v) {
    try (var pullback = Pullback.of(of, leaves)) {
      return pullback.pull(v);
    }
  }

  private void form(List<Tensor> gradients) {
    try (var scope = TensorScope.openUnwatched();
        var pullback = Pullback.of(function, trial.asLeaves())) {
      for (Gradient g : pullback.flowed(cotangent)) {
        reached.add(g != null);
      }
    }
    for (int i = 0; i < gradients.size(); i++) {
      Tensor x = trial.leaves().get(i);
      Tensor g = gradients.get(i);
      if (!g.shape().equals(x.shape()) || g.dtype() != x.dtype()) {
        add(
            Kind.FORM,
            trial.names().get(i),
            "is " + x.dtype() + " " + x.shape() + ", its gradient " + g.dtype() + " " + g.shape());
      }
    }
  }

  private void again(List<Tensor> gradients) {
    try (var scope = TensorScope.openUnwatched()) {
      List<Tensor> second = pulled(function, trial.asLeaves());
      for (int i = 0; i < second.size(); i++) {
        double distance = distance(gradients.get(i), second.get(i));
        if (distance > settings.noise()) {
          add(
              Kind.NOT_REPEATABLE,
              trial.names().get(i),
              String.format(
                  Locale.ROOT,
                  "two backward passes at the same point differ by %.3g; a rule has state, or draws random"
                      + " numbers; allow for it with withNoise if that is meant",
                  distance));
        }
      }
    }
  }

  /** Calls the program again and again: state may change now and then only. */
  private void calls() {
    long size = trial.leaves().stream().mapToLong(Tensor::size).sum();
    if (size > MOST_CALLED) {
      return;
    }
    try (var scope = TensorScope.openUnwatched()) {
      Tensor first = function.get();
      for (int k = 0; k < CALLS; k++) {
        try (var call = TensorScope.openUnwatched()) {
          Tensor y = function.get();
          double distance =
              y.shape().equals(first.shape()) ? distance(first, y) : Double.POSITIVE_INFINITY;
          if (distance > settings.noise()) {
            add(
                Kind.NOT_REPEATABLE,
                "",
                String.format(
                    Locale.ROOT,
                    "its value changes from call to call at the same point, here by %.3g after %d calls: it has"
                        + " state",
                    distance,
                    k + 1));
            return;
          }
        }
      }
    }
  }

  /** The size of the weighted results. */
  private double ground() {
    Tensor y = function.get();
    if (y.size() == 0) {
      return 0;
    }
    double sum = y.mul(cotangent).abs().sum().item();
    return Double.isFinite(sum) ? sum : 0;
  }

  /** Compares gradients that are to be the same but for rounding. */
  private void differs(
      List<Tensor> gradients, Supplier<List<Tensor>> other, Kind kind, String text) {
    try (var scope = TensorScope.openUnwatched()) {
      List<Tensor> others;
      try {
        others = other.get();
      } catch (RuntimeException e) {
        add(kind, "", text + "; it fails: " + e.getMessage());
        return;
      }
      double largest = 0;
      for (Tensor g : gradients) {
        largest = Math.max(largest, largest(g));
      }
      boolean narrow = kind == Kind.PRECISION || trial.epsilon() > 1e-10;
      // What has cancelled is the rounding of what the result is made of.
      double rest = CANCELLED * (narrow ? 0x1p-23 : 0x1p-52) * ground();
      for (int i = 0; i < gradients.size(); i++) {
        Tensor g = gradients.get(i);
        double allowed = (narrow ? NARROW : WIDE) * Math.max(largest(g), FLOOR * largest);
        double size = Math.max(largest(trial.point().get(i)), 1e-300);
        allowed += rest / Math.min(size, 1);
        double distance = distance(g, others.get(i));
        if (!(distance <= allowed + settings.noise() + settings.absolute())) {
          add(
              kind,
              trial.names().get(i),
              String.format(
                  Locale.ROOT,
                  "%s: off by %.3g where the largest element is %.3g",
                  text,
                  distance,
                  largest(g)));
        }
      }
    }
  }

  /**
   * Pulls back from one output at a time, so that nothing arrives at the others, by cotangents that lie in
   * memory as they come: together that is the gradient.
   */
  private void parts(List<Tensor> gradients) {
    if (cotangent.size() > Arrangements.MOST) {
      return;
    }
    try (var scope = TensorScope.openUnwatched()) {
      int count = trial.outputs(trial.leaves()).tensors().size();
      if (count > MOST_PARTS) {
        return;
      }
      for (String way : List.of("one after the other", "permuted", "with a stride of 2")) {
        List<Tensor> sums = new ArrayList<>(gradients.stream().map(g -> g.zerosLike()).toList());
        int from = 0;
        for (int k = 0; k < count; k++) {
          int output = k;
          Supplier<Tensor> one = () -> trial.outputs(trial.leaves()).tensors().get(output);
          try (var pullback = Pullback.of(one, trial.asLeaves())) {
            Tensor y = pullback.value();
            int size = Math.toIntExact(y.size());
            Tensor v = cotangent.narrow(0, from, size).reshape(y.shape()).cast(y.dtype());
            from += size;
            List<Tensor> part = pullback.pull(Arrangements.of(v).getOrDefault(way, v));
            for (int i = 0; i < part.size(); i++) {
              sums.set(i, sums.get(i).add(part.get(i)));
            }
          } catch (RuntimeException e) {
            add(
                Kind.LAYOUT,
                "",
                "with a cotangent " + way + ", its gradient fails: " + e.getMessage());
            return;
          }
        }
        differs(
            gradients,
            () -> sums,
            Kind.LAYOUT,
            count == 1
                ? "with a cotangent " + way
                : "output by output, where nothing arrives at the others, with cotangents " + way);
      }
    }
  }

  /** The largest distance of two elements; infinite if only one of them is NaN. */
  static double distance(Tensor a, Tensor b) {
    if (a.size() == 0) {
      return 0;
    }
    Tensor x = a.cast(DType.F64);
    Tensor y = b.cast(DType.F64);
    double most = x.sub(y).abs().max().item();
    if (Double.isFinite(most)) {
      return most;
    }
    double[] p = x.toDoubleArray();
    double[] q = y.toDoubleArray();
    double distance = 0;
    for (int i = 0; i < p.length; i++) {
      if (Double.compare(p[i], q[i]) != 0) {
        double d = Math.abs(p[i] - q[i]);
        distance = Double.isFinite(d) ? Math.max(distance, d) : Double.POSITIVE_INFINITY;
      }
    }
    return distance;
  }

  /** The largest element, in size; 0 if it is not finite. */
  static double largest(Tensor x) {
    if (x.size() == 0) {
      return 0;
    }
    double largest = x.cast(DType.F64).abs().max().item();
    return Double.isFinite(largest) ? largest : 0;
  }
}
