package carousel.autograd;

import carousel.autograd.GradCheck.Extent;
import carousel.autograd.GradReport.Finding;
import carousel.autograd.GradReport.Kind;
import carousel.autograd.GradReport.Order;
import carousel.autograd.GradReport.Verdict;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a check: order by order, what can be told without differences first. Where differences say
 * nothing at the point, points nearby are tried.
 */
final class Examination {
  /** How far away points are tried, in sizes of elements. */
  private static final double[] NEARBY = {
    1.0 / 64, 1.0 / 64, 1.0 / 64, 1.0 / 16, 1.0 / 16, 1.0 / 16
  };

  /** How far away gradients that are right at the point are looked at once more. */
  private static final double ELSEWHERE = 1.0 / 32;

  private final GradCheck settings;
  private final Trial start;
  private final Philox rng;
  private final List<Order> orders = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();

  /** The largest of what was seen in this order, and in those below. */
  private double ground;

  private double below;

  Examination(GradCheck settings, Trial trial) {
    this.settings = settings;
    this.start = trial;
    this.rng = Philox.of(settings.seed());
  }

  /** A function and its gradient at a point. */
  private record Look(
      Supplier<Tensor> function, Tensor y, Tensor cotangent, List<Tensor> gradients) {}

  GradReport run(String name) {
    try (var scope = TensorScope.openUnwatched()) {
      Supplier<Tensor> function = start.value();
      for (int order = 1; order <= settings.order(); order++) {
        Look look = look(order, function, start);
        if (look == null || isWrong()) {
          break;
        }
        function = start.gradient(function, look.cotangent());
        below = ground;
      }
    } finally {
      start.restore();
    }
    return new GradReport(name, orders, findings, start.ranIn());
  }

  private boolean isWrong() {
    return findings.stream().anyMatch(f -> f.kind().verdict() == Verdict.WRONG);
  }

  private void add(Kind kind, int order, String where, String text) {
    findings.add(Finding.of(kind, order, where, text));
  }

  /** Looks at a function, at a point and, where that says nothing, nearby; null if it fails. */
  private @Nullable Look look(int order, Supplier<Tensor> function, Trial trial) {
    Philox mine = rng.split(order);
    Look look = value(order, function, trial, mine);
    if (look == null) {
      return null;
    }
    var same = new Consistency(settings, trial, order, look.function(), look.cotangent());
    same.compare(look.gradients());
    findings.addAll(same.findings());
    if (!same.isSound()) {
      return null;
    }
    List<Finding> found = new ArrayList<>();
    Slopes slopes = slopes(order, trial, look, mine, found);
    orders.add(slopes.summary());
    List<Finding> untold = found.stream().filter(Examination::isOfThePoint).toList();
    if (!untold.isEmpty() && found.stream().noneMatch(f -> f.kind().verdict() == Verdict.WRONG)) {
      nearby(order, trial, look, slopes, untold, found, mine);
    }
    findings.addAll(found);
    unread(order, trial, look, same);
    if (order == 1 && !isWrong()) {
      elsewhere(trial, look, slopes, mine);
    }
    return look;
  }

  private static boolean isOfThePoint(Finding finding) {
    return switch (finding.kind()) {
      case KINK, STEP, ROUNDING, SHAPE -> true;
      default -> false;
    };
  }

  private @Nullable Look value(int order, Supplier<Tensor> function, Trial trial, Philox mine) {
    trial.moveToPoint();
    try {
      Tensor y = held(function);
      Tensor again = held(function);
      if (!y.shape().equals(again.shape()) || Consistency.distance(y, again) > settings.noise()) {
        add(
            Kind.NOT_REPEATABLE,
            order,
            "",
            String.format(
                Locale.ROOT,
                "two runs on the same inputs differ by %.3g; fix its random numbers and its state, or allow for"
                    + " it with withNoise",
                y.shape().equals(again.shape())
                    ? Consistency.distance(y, again)
                    : Double.POSITIVE_INFINITY));
        return null;
      }
      values(order, trial, y);
      // The gradient of a loss is that of the loss itself; what is not finite is not looked at.
      Tensor v =
          y.size() == 1
              ? y.onesLike()
              : mine.normal(DType.F64, 0, 1, y.shape().toArray()).to(y.device());
      v = Tensor.where(y.isFinite(), v, v.zerosLike());
      List<Tensor> gradients = pulled(function, trial, v);
      return new Look(function, y, v, gradients);
    } catch (RuntimeException e) {
      if (order == 1 && findings.isEmpty() && isOfTheValue(function)) {
        throw e;
      }
      add(
          Kind.FAILS,
          order,
          "",
          (order == 1 ? "its gradient fails: " : "fails: ") + e.getMessage());
      return null;
    }
  }

  /** Whether the program itself fails: that is not its gradient's fault. */
  private static boolean isOfTheValue(Supplier<Tensor> function) {
    try (var scope = TensorScope.openUnwatched()) {
      return function.get().size() < 0;
    } catch (RuntimeException e) {
      return true;
    }
  }

  private static Tensor held(Supplier<Tensor> function) {
    try (var scope = TensorScope.openUnwatched()) {
      return scope.keep(function.get().detach().copy());
    }
  }

  /** Says which values are not finite. */
  private void values(int order, Trial trial, Tensor y) {
    if (y.size() > Judge.MOST_NUMBERS) {
      return;
    }
    double[] values = y.toDoubleArray();
    int reported = 0;
    for (int i = 0; i < values.length && reported < 3; i++) {
      if (!Double.isFinite(values[i])) {
        reported++;
        add(Kind.VALUE, order, result(order, trial, i), "is " + values[i] + " at the point");
      }
    }
  }

  /** The name of a number of a result. */
  private static String result(int order, Trial trial, long at) {
    if (order > 1) {
      return "the gradient by " + Outputs.element(trial.names(), trial.shapes(), at);
    }
    try (var scope = TensorScope.openUnwatched()) {
      Outputs outputs = trial.outputs(trial.leaves());
      List<Shape> shapes = outputs.tensors().stream().map(Tensor::shape).toList();
      return Outputs.element(outputs.names(), shapes, at);
    }
  }

  private static List<Tensor> pulled(Supplier<Tensor> function, Trial trial, Tensor v) {
    try (var scope = TensorScope.openUnwatched();
        var pullback = Pullback.of(function, trial.asLeaves())) {
      return pullback.pull(v).stream().map(g -> scope.keep(g)).toList();
    }
  }

  private Slopes slopes(int order, Trial trial, Look look, Philox mine, List<Finding> found) {
    var judge = new Judge(settings, trial, look.function(), look.y(), look.cotangent(), below);
    var slopes = new Slopes(settings, trial, order, judge, look.gradients(), mine.split(1));
    slopes.compare();
    ground = Math.max(ground, Math.max(judge.ground(), slopes.scale()));
    if (order == 1 && settings.order() > 1) {
      new ForwardMode(trial, judge, slopes, mine.split(1))
          .compare(look.function(), look.y(), at -> result(order, trial, at));
    }
    if (settings.extent() == Extent.JACOBIAN) {
      int n = Math.toIntExact(look.y().size());
      for (int o = 0; o < n; o++) {
        Tensor one = Tensor.of(1.0).to(look.y().device()).pad(0, o, n - o - 1, 0);
        var entry = new Judge(settings, trial, look.function(), look.y(), one, below);
        List<Tensor> row = pulled(look.function(), trial, one);
        var entries = new Slopes(settings, trial, order, entry, row, mine.split(2 + o));
        entries.compare();
        slopes.include(entries, result(order, trial, o));
      }
    }
    found.addAll(slopes.findings());
    return slopes;
  }

  private void nearby(
      int order,
      Trial trial,
      Look look,
      Slopes slopes,
      List<Finding> untold,
      List<Finding> found,
      Philox mine) {
    for (int k = 0; k < NEARBY.length; k++) {
      Trial there = moved(trial, slopes, NEARBY[k], mine.split(900 + k));
      there.moveToPoint();
      List<Finding> again = new ArrayList<>();
      try {
        Tensor y = valueAt(look);
        if (y == null) {
          continue;
        }
        List<Tensor> gradients = pulled(look.function(), there, look.cotangent());
        var near = new Look(look.function(), y, look.cotangent(), gradients);
        slopes(order, there, near, mine.split(50 + k), again);
      } catch (RuntimeException e) {
        again.add(Finding.of(Kind.FAILS, order, "", "its gradient fails: " + e.getMessage()));
      } finally {
        trial.moveToPoint();
      }
      boolean wrong = again.stream().anyMatch(f -> f.kind().verdict() == Verdict.WRONG);
      if (!wrong && !again.isEmpty()) {
        continue;
      }
      found.removeAll(untold);
      Finding first = untold.getFirst();
      found.add(
          Finding.of(
              Kind.NOTE,
              order,
              first.where(),
              String.format(
                  Locale.ROOT,
                  "at the point itself it cannot be told (%s); nearby, within %.2g of the sizes of the inputs, it %s",
                  first.kind().name().toLowerCase(Locale.ROOT),
                  1.5 * NEARBY[k],
                  wrong ? "is wrong" : "agrees")));
      found.addAll(again);
      return;
    }
  }

  /** A point so far away, in sizes of the elements. */
  private static Trial moved(Trial trial, Slopes slopes, double distance, Philox rng) {
    List<Tensor> values = new ArrayList<>();
    for (int i = 0; i < trial.leaves().size(); i++) {
      Tensor x = trial.point().get(i);
      values.add(x.add(Directions.random(x, slopes.sizes().get(i), rng.split(i)).mul(distance)));
    }
    return trial.at(values);
  }

  /** The value where the leaves are now; null if the program is not defined there as it is at the point. */
  private static @Nullable Tensor valueAt(Look look) {
    try {
      Tensor y = held(look.function());
      return y.shape().equals(look.y().shape()) && !isLessFinite(y, look.y()) ? y : null;
    } catch (RuntimeException e) {
      return null;
    }
  }

  /** One direction at another point: a rule may be right at the point alone. */
  private void elsewhere(Trial trial, Look look, Slopes slopes, Philox mine) {
    Trial there = moved(trial, slopes, ELSEWHERE, mine.split(700));
    there.moveToPoint();
    try {
      Tensor y = valueAt(look);
      if (y == null) {
        return;
      }
      List<Tensor> gradients = pulled(look.function(), there, look.cotangent());
      var judge = new Judge(settings, there, look.function(), y, look.cotangent(), below);
      var again = new Slopes(settings, there, 1, judge, gradients, mine.split(701));
      again.compareTogether();
      for (Finding f : again.findings()) {
        if (f.kind().verdict() == Verdict.WRONG) {
          findings.add(
              new Finding(
                  f.kind(),
                  1,
                  f.where(),
                  f.analytic(),
                  f.numeric(),
                  f.uncertainty(),
                  "at another point, nearby; at the point that was given it agrees"));
        }
      }
    } catch (RuntimeException e) {
      add(Kind.FAILS, 1, "", "its gradient fails at another point, nearby: " + e.getMessage());
    } finally {
      trial.moveToPoint();
    }
  }

  private static boolean isLessFinite(Tensor y, Tensor than) {
    return y.size() > 0 && y.isFinite().not().and(than.isFinite()).any().toBooleanArray()[0];
  }

  /** Says which inputs the program does not look at. */
  private void unread(int order, Trial trial, Look look, Consistency same) {
    if (order > 1) {
      return;
    }
    if (trial.leaves().stream().allMatch(leaf -> leaf.size() == 0)) {
      add(Kind.EMPTY, order, "", "no input has an element: there is nothing to compare");
    }
    var judge = new Judge(settings, trial, look.function(), look.y(), look.cotangent(), below);
    for (int i = 0; i < trial.leaves().size(); i++) {
      Tensor x = trial.point().get(i);
      if (x.size() == 0 || same.reached().get(i)) {
        continue;
      }
      List<@Nullable Tensor> all = trial.none();
      all.set(i, Directions.random(x, Directions.sizes(x), rng.split(77)));
      if (judge.isFlat(all)) {
        add(
            Kind.UNREAD,
            order,
            trial.names().get(i),
            "the program does not depend on it: does it read another tensor of that value? Leave it out, with without(..), if that is meant");
      }
    }
  }
}
