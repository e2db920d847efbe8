package carousel.autograd;

import carousel.autograd.GradReport.Finding;
import carousel.autograd.GradReport.Kind;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Compares what a program, and its gradient, give for inputs that lie otherwise in memory. */
final class Arrangements {
  /** Tensors up to this size are tried. */
  static final long MOST = 1_000_000;

  private final GradCheck settings;
  private final Trial trial;
  private final int order;
  private final Tensor cotangent;
  private final List<Finding> findings;

  Arrangements(
      GradCheck settings, Trial trial, int order, Tensor cotangent, List<Finding> findings) {
    this.settings = settings;
    this.trial = trial;
    this.order = order;
    this.cotangent = cotangent;
    this.findings = findings;
  }

  private void add(Kind kind, String where, String text) {
    findings.add(Finding.of(kind, order, where, text));
  }

  /** Tries each input by itself in other arrangements. */
  void compare() {
    for (int i = 0; i < trial.leaves().size(); i++) {
      Tensor x = trial.leaves().get(i);
      if (x.size() < 2 || x.size() > MOST || x.rank() == 0) {
        continue;
      }
      try (var scope = TensorScope.openUnwatched()) {
        for (var each : of(x).entrySet()) {
          List<Tensor> inputs = new ArrayList<>(trial.leaves());
          inputs.set(i, each.getValue());
          List<Tensor> plain = new ArrayList<>(trial.leaves());
          plain.set(i, each.getValue().copy());
          String name = trial.names().get(i);
          List<Tensor> expected;
          try {
            expected = withValue(plain);
          } catch (RuntimeException e) {
            continue; // not of these values
          }
          List<Tensor> actual;
          try {
            actual = withValue(inputs);
          } catch (RuntimeException e) {
            add(Kind.LAYOUT, name, each.getKey() + ", it fails: " + e.getMessage());
            continue;
          }
          for (int k = 0; k < expected.size(); k++) {
            double size = Consistency.largest(expected.get(k));
            double allowed =
                (trial.epsilon() > 1e-10 ? Consistency.NARROW : Consistency.WIDE) * size;
            double distance = Consistency.distance(expected.get(k), actual.get(k));
            if (!(distance <= allowed + settings.noise())) {
              String what = k == 0 ? "the result" : "the gradient by " + trial.names().get(k - 1);
              add(
                  Kind.LAYOUT,
                  name,
                  String.format(
                      Locale.ROOT,
                      "%s, %s is off by %.3g where the largest element is %.3g",
                      each.getKey(),
                      what,
                      distance,
                      size));
            }
          }
        }
      }
    }
  }

  private List<Tensor> withValue(List<Tensor> inputs) {
    try (var pullback = Pullback.of(trial.value(inputs), trial.asLeaves(inputs))) {
      List<Tensor> all = new ArrayList<>();
      all.add(pullback.value());
      all.addAll(pullback.pull(cotangent));
      return all;
    }
  }

  /** A tensor of the same values, or of some of them, in other arrangements, by what they are like. */
  static Map<String, Tensor> of(Tensor x) {
    Map<String, Tensor> all = new LinkedHashMap<>();
    Tensor spread = Tensor.concat(List.of(x.unsqueeze(x.rank()), x.unsqueeze(x.rank())), x.rank());
    all.put("with a stride of 2", spread.select(x.rank(), 0));
    if (x.rank() > 1) {
      int last = x.rank() - 1;
      all.put("permuted", x.transpose(0, last).contiguous().transpose(0, last));
    }
    for (int axis = 0; axis < x.rank(); axis++) {
      if (x.dim(axis) > 1) {
        all.put("expanded along axis " + axis, x.narrow(axis, 0, 1).copy().expand(x.shape()));
        break;
      }
    }
    return all;
  }
}
